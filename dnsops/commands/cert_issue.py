"""`mailsrv cert issue` and `cert install`: have the certificate issued when it is due, and tell the server of it.

Every run looks first and decides then; it is safe to run as often as anyone likes, from cron or a timer.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from dnsops.base.output import print_json
from dnsops.commands import reconciling
from dnsops.commands.reconciling import DRY_RUN, PROVIDER, TSIG_KEY

INSTALL = (
    "What wakes the server after a new pair became current: a command (it gets MAILSRV_HOST, MAILSRV_KEY, MAILSRV_CHAIN), "
    "or stalwart-api:URL."
)

asking = reconciling.asking(
    click.option(
        "--name", "names", multiple=True, metavar="NAME", help="A further name, wildcards too; may be given often."
    ),
    click.option("--install", metavar="COMMAND", help=INSTALL),
    PROVIDER,
    TSIG_KEY,
    click.option("--directory", metavar="URL", help="The authority's ACME directory.  [Let's Encrypt]"),
    click.option("--contact", metavar="ADDRESS", help="The mail address that the authority may write to."),
    click.option("--roots", metavar="FILE", help="Root certificates for a private authority's own TLS."),
    click.option(
        "--challenge",
        type=click.Choice(["dns-01", "http-01", "tls-alpn-01"]),
        help="How names are proven.  [dns-01 with a provider, else http-01]",
    ),
    click.option(
        "--key-type", type=click.Choice(["p256", "p384", "rsa3072"]), help="Of keys that are made from now on.  [p256]"
    ),
    click.option("--profile", metavar="NAME", help="The authority's certificate profile."),
    click.option(
        "--port",
        "ports",
        multiple=True,
        metavar="PORT",
        help="Where the key is served: PORT, or PORT/smtp, /imap ...; those with TLSA records hold the switch until they "
        "are ripe.  [25 465 993]",
    ),
    click.option("--no-probe", is_flag=True, help="Do not look at the ports: they cannot be reached from here."),
    click.option("--certs", metavar="DIR", help="Where keys and certificates are.  [STATE/certs]"),
    click.option("--state", metavar="DIR", help="Where state is.  [/var/lib/mailsrv or the user's own]"),
)


@click.command()
@click.argument("host", required=False)
@asking
@click.option("--force", is_flag=True, help="Now, whatever the old one's age, and without waiting after failures.")
@DRY_RUN
def issue(host: str | None, names: tuple[str, ...], force: bool, dry_run: bool, **options: Any) -> None:
    """Have HOST's certificate issued when it is due, for the key whose TLSA record is out already.

    \b
    It is served in its turn: at once where no TLSA records are, else when everybody can know the new key.
    The pair is in STATE/certs/HOST/current/: key.pem and chain.pem.
    Exit: 0 in order, or a step was taken · 1 a person should look · 2 a dry run would order one
          75 not now: the authority or the DNS does not answer, or another run is at it
    """
    from dnsops.commands import cert_request
    from dnsops.reconcile import certificate_report

    try:
        asked = cert_request.from_options(options, host, names, force)
    except cert_request.NotOurs as reason:
        _nothing(str(reason), dry_run, options["as_json"])
        return
    outcomes = asyncio.run(cert_request.issue_once(asked, dry_run))
    reconciling.end(certificate_report, "host", outcomes, dry_run, options["as_json"])


@click.command(name="install")
@click.argument("host")
@click.argument("words", nargs=-1, required=True, metavar="COMMAND...")
@click.option("--certs", type=click.Path(path_type=Path), metavar="DIR", help="Where our own keys are.")
def install_(host: str, words: tuple[str, ...], certs: Path | None) -> None:
    """Tell a server of HOST's current pair: run COMMAND, or push it to stalwart-api:URL. For `--reload` and reload:."""
    from dnsops.certs.generations import Generations, default_directory
    from dnsops.commands import cert_request

    pair = cert_request.install_now(host, words, Generations(certs or default_directory()))
    click.echo(f"{pair.host}: {pair.path} is installed")


def _nothing(why: str, dry_run: bool, as_json: bool) -> None:
    """Somebody else renews: that is an answer, not an error."""
    from dnsops.base.clock import now
    from dnsops.reconcile import certificate_report

    if as_json:
        print_json(certificate_report.document([], dry_run, now().wall))
    else:
        click.echo(why)
