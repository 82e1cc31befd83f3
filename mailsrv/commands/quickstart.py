"""From a domain and a token to a mail server: configuration, keys, records, certificate.

It asks for what cannot be known, looks before it writes, shows the plan before it publishes; interrupted, it goes on where it was.
With --json: domain hostname config account password_file serving done[] findings[] plan apply certificate last verify.
Exit status 0 when all was done that may be, 1 when a person must act, 2 when the plan was declined, 75 when waiting helps.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dnsops.base import secrets
from dnsops.base.errors import Misused
from dnsops.base.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from mailsrv.quickstart.story import Run
    from mailsrv.quickstart.talk import Request

LONGEST_TOKEN_NAME = 200


@click.command()
@click.argument("domain")
@click.option("--hostname", metavar="NAME", help="The mail host's name.  [its reverse name, or mx1.DOMAIN]")
@click.option("--provider", metavar="SPEC", help="Who holds the zone: cloudflare, rfc2136:SERVER, zonefile:PATH.")
@click.option("--token-file", metavar="FILE", help="The API token's file, or that of the TSIG key.")
@click.option("--token-env", metavar="NAME", help="The environment variable that has the API token.")
@click.option("--addresses", metavar="LIST", help="The host's public addresses.  [those of this machine]")
@click.option("--account", metavar="NAME", help="The first account.  [you]")
@click.option("--contact", metavar="ADDRESS", help="Whom the certificate authority may write to.  [the first account]")
@click.option("--directory", metavar="URL", help="The authority's ACME directory.  [Let's Encrypt]")
@click.option("--roots", metavar="FILE", help="The root certificates of a private authority's own TLS.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default="/etc/mailsrv",
    metavar="DIR",
    help="Where the configuration goes.  [/etc/mailsrv]",
)
@click.option("--state", metavar="DIR", help="Where keys and mail are kept.  [/var/lib/mailsrv for root]")
@click.option(
    "--bind", is_flag=True, help="Listen and send only at --addresses: the machine has others for other things."
)
@click.option("--yes", is_flag=True, help="Ask nothing, take every guess, apply the plan.")
@click.option("--no-apply", is_flag=True, help="Write nothing to the DNS: print the records.")
@click.option("--start", is_flag=True, help="Start the server by systemd.")
@click.option("--skip-checks", is_flag=True, help="Do not look at anything first.")
@click.option(
    "--dial",
    multiple=True,
    metavar="HOST[:PORT]",
    help="A mail server to try port 25 with, instead of well-known ones.",
)
@json_option
def quickstart(domain: str, as_json: bool, **options: Any) -> None:
    """From a domain and a token to a mail server.

    \b
    CLOUDFLARE_API_TOKEN=... mailsrv quickstart example.org
    mailsrv quickstart example.org --yes --provider rfc2136:ns1.example.org --token-file tsig.key
    """
    from mailsrv.quickstart import story
    from mailsrv.quickstart.stories import Commands

    talk = Terminal(as_json)
    run = story.run(_request(domain, options), talk, lambda config: Commands(config, listen=as_json))
    if not run.wish.apply:
        run.told["records"] = run.stories.records().document
    _end(run, as_json)


def _request(domain: str, options: dict[str, Any]) -> Request:
    from mailsrv.quickstart.talk import Request

    name = options["token_env"] or ""
    if name and options["token_file"]:
        raise Misused("--token-file and --token-env do not go together", "", "say one of them")
    keys = ("hostname", "provider", "addresses", "account", "contact")
    return Request(
        domain=domain,
        given={key: options[key] or "" for key in keys},
        output=options["output"],
        token=secrets.from_env(name[:LONGEST_TOKEN_NAME], "--token-env") if name else None,
        token_file=options["token_file"] or "",
        state=options["state"] or "",
        directory=options["directory"] or "",
        roots=options["roots"] or "",
        bind=options["bind"],
        yes=options["yes"],
        apply=not options["no_apply"],
        start=options["start"],
        skip_checks=options["skip_checks"],
        dial=options["dial"],
    )


@dataclass(frozen=True)
class Terminal:
    """Speaks on stdout; silent when a program listens."""

    silent: bool

    @property
    def attended(self) -> bool:
        return not self.silent and sys.stdin.isatty() and sys.stdout.isatty()

    def say(self, text: str) -> None:
        if not self.silent:
            click.echo(text)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        if not self.silent:
            print_table(title, columns, rows)

    def ask(self, text: str, guess: str) -> str:
        return str(click.prompt(text, default=guess or None))

    def ask_secret(self, text: str) -> str:
        return str(click.prompt(text, hide_input=True))

    def agree(self, text: str) -> bool:
        return click.confirm(text, default=False)


def _end(run: Run, as_json: bool) -> None:
    """What is left to do; a password is shown to a person once, and its file goes then."""
    from mailsrv.quickstart import story, telling

    found = story.found(run)
    if as_json:
        print_json(_document(run, found.password, found.serving))
        return
    click.echo(telling.what_now(run.answers, run.findings, found))
    if found.password and Terminal(False).attended:
        _show_once(Path(found.password))


def _show_once(password: Path) -> None:
    """On a terminal, and gone from the disk when the person says so."""
    if not click.confirm("\nShow the password now, and remove its file?", default=True):
        return
    click.echo(f"password: {secrets.from_file(password).reveal()}")
    password.unlink(missing_ok=True)


def _document(run: Run, password: str, serving: bool) -> dict[str, Any]:
    from mailsrv.quickstart import telling

    return {
        "domain": run.answers.domain,
        "hostname": run.answers.hostname,
        "config": str(run.config),
        "account": run.answers.account,
        "password_file": password or None,
        "serving": serving,
        "done": [step.name.lower() for step in run.done],
        "findings": telling.documents(run.findings),
        **run.told,
    }
