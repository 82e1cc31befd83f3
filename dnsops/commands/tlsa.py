"""TLSA records: show them, plan, reconcile them with the served keys, and roll keys without a gap.

Every run looks first and decides then; `reconcile` is safe to run as often as anyone likes, from cron or a timer.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from dnsops.base.output import print_json, print_table
from dnsops.commands import reconciling
from dnsops.commands.reconciling import DRY_RUN, EVERY, PROVIDER, TSIG_KEY

asking = reconciling.asking(  # what is to be kept true, and how
    click.option("--host", "hosts", multiple=True, metavar="NAME", help="A host; may be given several times."),
    click.option(
        "--domain", "domains", multiple=True, metavar="NAME", help="All MX hosts of a domain that the source covers."
    ),
    click.option(
        "--port", "ports", multiple=True, metavar="PORT", help="A port, or PORT/smtp, /imap, /implicit.  [25]"
    ),
    click.option(
        "--source",
        "sources",
        multiple=True,
        metavar="SPEC",
        help="Where the served certificate is: pem:PATH ... (`mailsrv cert sources`).",
    ),
    click.option(
        "--next",
        "upcoming",
        multiple=True,
        metavar="SPEC",
        help="A certificate that will be served later: announced now.",
    ),
    PROVIDER,
    TSIG_KEY,
    click.option(
        "--ttl",
        type=int,
        metavar="SECONDS",
        help="TTL of new records; every wait is twice what servers hand out.  [300]",
    ),
    click.option(
        "--form",
        "forms",
        multiple=True,
        metavar="'3 1 1'",
        help="Usage, selector, matching type; may be given several times.  [3 1 1]",
    ),
    click.option(
        "--address", "addresses", multiple=True, metavar="IP", help="Probe these instead of the host's A and AAAA."
    ),
    click.option(
        "--reload",
        "reload",
        metavar="COMMAND",
        help="Run after a switch of keys, so that the server shows the new one.",
    ),
    click.option("--allow-insecure", is_flag=True, help="Publish in a zone without DNSSEC, where TLSA does nothing."),
    click.option(
        "--no-probe", is_flag=True, help="Trust the source about what is served: the port cannot be reached from here."
    ),
    click.option(
        "--adopt", is_flag=True, help="Records of our forms there that carry no mark of ours are ours from now on."
    ),
    click.option("--state", metavar="DIR", help="Where the ledgers are.  [/var/lib/mailsrv or the user's own]"),
)


@click.group(no_args_is_help=True)
def tlsa() -> None:
    """TLSA records: publish before use, use before forgetting.

    \b
    Without a configuration, for cron or a timer:
      CLOUDFLARE_API_TOKEN=... mailsrv tlsa reconcile --provider cloudflare \\
        --source certbot:mx1.example.org --host mx1.example.org --port 25
    """


@tlsa.command()
@asking
@DRY_RUN
def reconcile(dry_run: bool, **options: Any) -> None:
    """Make the published records match the served keys, one safe step at a time.

    \b
    Exit: 0 in sync, or a step was taken · 1 a person should look · 2 a dry run would change something
          75 the DNS cannot be trusted now, or another run is at it: nothing was touched
    """
    _reconcile(options, dry_run)


@tlsa.command()
@asking
def plan(**options: Any) -> None:
    """What `reconcile` would do now. The same as `reconcile --dry-run`."""
    _reconcile(options, dry_run=True)


@tlsa.command()
@asking
def show(**options: Any) -> None:
    """What is published, what each name server says, what each address of the port shows, and whether they match."""
    from dnsops.commands import request, tlsa_show

    asked = request.from_options(options, need_source=False, writing=False)
    outcomes = asyncio.run(request.look(asked))
    if options["as_json"]:
        print_json(tlsa_show.document(outcomes))
    else:
        for table in tlsa_show.tables(outcomes):
            print_table(*table)
    raise SystemExit(tlsa_show.status(outcomes))


@tlsa.command()
@click.argument("host")
@asking
@click.option("--csr", is_flag=True, help="Print a certificate request for the announced next key, for any CA.")
@click.option(
    "--chain",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The certificate that the CA gave for it.",
)
@click.option("--certs", metavar="DIR", help="Where our keys are.  [STATE/certs]")
@click.option("--wait", is_flag=True, help="Stay until the next key is served and the old record is gone.")
@EVERY
def roll(host: str, csr: bool, chain: Path | None, certs: str | None, wait: bool, every: float, **options: Any) -> None:
    """Roll HOST's key: announce the next one, serve it when every resolver can know it, retire the old.

    \b
    1. mailsrv tlsa roll mx1.example.org --provider cloudflare          a next key is made and announced
    2. mailsrv tlsa roll mx1.example.org --csr > next.csr               any CA signs it: certbot certonly --csr next.csr ...
    3. mailsrv tlsa roll mx1.example.org --chain next.pem --reload 'systemctl reload postfix' --wait
    """
    from dnsops.commands import rolling

    options |= {"hosts": (host,), "certs": certs}
    rolling.roll(options, csr, chain, wait, every)


def _reconcile(options: dict[str, Any], dry_run: bool) -> None:
    from dnsops.commands import request
    from dnsops.reconcile import report

    asked = request.from_options(options, writing=not dry_run)
    outcomes = asyncio.run(request.reconcile_once(asked, dry_run))
    reconciling.end(report, "name", outcomes, dry_run, options["as_json"])
