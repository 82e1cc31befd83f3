"""`mailsrv move imap`: the mail of an account on any IMAP server into an account of ours."""

from __future__ import annotations

import asyncio
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dnsops.base import secrets
from dnsops.base.errors import Exit, Misused
from dnsops.base.output import config_option, json_option, print_json, print_table
from dnsops.base.printable import printable
from dnsops.base.secrets import Secret
from mailsrv.commands.mailstore import become_owner, mailstore, place

if TYPE_CHECKING:
    from mailsrv.archive.taking import Report
    from mailsrv.moving.fetching import Told
    from mailsrv.moving.imap import Source

TICK = 1.0  # seconds between two words of progress
SHOWN = 20  # problems in a text


@click.command()
@click.option("--from", "host", required=True, metavar="HOST[:PORT]", help="The server that has the mail.")
@click.option("--user", required=True, help="The name to log in with there.")
@click.option("--to", "account", required=True, metavar="ACCOUNT", help="The account here.")
@click.option(
    "--password-file", type=click.Path(path_type=Path), help="Its first line; else it is asked for, or stdin's."
)
@click.option("--oauth", is_flag=True, help="What comes in is an OAuth access token.")
@click.option("--tls", type=click.Choice(["implicit", "starttls", "none"]), default="implicit", show_default=True)
@click.option(
    "--ca", type=click.Path(path_type=Path), help="Who is believed about its name, instead of the usual ones."
)
@click.option("--no-verify", is_flag=True, help="Believe whoever answers there.")
@click.option("--only", multiple=True, metavar="MAILBOX", help="Only this one; may be said several times.")
@click.option("--skip", multiple=True, metavar="MAILBOX", help="Not this one; may be said several times.")
@click.option("--dry-run", is_flag=True, help="Tell what would be taken, and take nothing.")
@config_option
@json_option
def imap(
    host: str,
    user: str,
    account: str,
    password_file: Path | None,
    oauth: bool,
    tls: str,
    ca: Path | None,
    no_verify: bool,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    dry_run: bool,
    config_file: str | None,
    as_json: bool,
) -> int:
    """Take the mail of an account on another IMAP server: mailboxes, flags, dates, subscriptions; UIDs where they can be kept.

    \b
    mailsrv move imap --from imap.example.net --user user1@example.net --to user1 --dry-run
    mailsrv move imap --from imap.example.net --user user1@example.net --to user1 --password-file pw
    The source is only read. A run that was ended goes on where it was; a later run brings what came meanwhile.
    """
    from dnsops.base import keeping
    from mailsrv.archive.taking import Report, Taking
    from mailsrv.message.digest import digest
    from mailsrv.moving.fetching import Moving
    from mailsrv.moving.journal import FOLDER, Journal

    source = _source(host, user, tls, ca, no_verify, oauth)
    password = _password(password_file, "Token" if oauth else f"Password of {user} at {source}")
    who, directory = place(account, config_file)
    become_owner(directory)
    state = directory.parent

    async def story() -> tuple[Report, list[Told]]:
        async with mailstore(directory) as store:
            await store.account(who.name, who.quota)
            report = Report()
            journal = Journal.of(state, "imap", source.host, str(source.port), user, who.name)
            taking = Taking(store, digest, who.name, report)
            moving = Moving(taking, source, password, journal, _progress(report), log=_say)
            told = await moving.run(only, skip, dry_run)
            await taking.finish()
            return report, told

    with keeping.alone(state, state / FOLDER / f"{who.name.replace('/', '_')}.lock"):
        report, told = asyncio.run(story())
    return _tell(who.name, report, told, dry_run, as_json)


def _source(host: str, user: str, tls: str, ca: Path | None, no_verify: bool, oauth: bool) -> Source:
    from mailsrv.moving.imap import PORTS, Source

    name, port = host, str(PORTS[tls])
    if host.startswith("["):
        name, _, rest = host[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif host.count(":") == 1:
        name, _, port = host.partition(":")
    if not name or not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65536:
        raise Misused(f"not a host: {host[:80]!r}", "--from", "write HOST or HOST:PORT")
    return Source(name, int(port), user, tls, None if tls == "none" else _context(ca, no_verify), oauth)


def _context(ca: Path | None, no_verify: bool) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise Misused(f"no certificates can be read from it ({error.strerror or error})", "--ca") from None
    if no_verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _password(file: Path | None, prompt: str) -> Secret:
    if file is not None:
        return secrets.from_file(file, "--password-file")
    if sys.stdin.isatty():
        return Secret(click.prompt(prompt, hide_input=True))
    line = sys.stdin.readline(secrets.LONGEST).rstrip("\r\n")
    if not line:
        raise Misused("no password", "", "write it into the first line of stdin, or name a --password-file")
    return Secret(line)


def _say(text: str) -> None:
    click.echo(printable(text), err=True)


def _progress(report: Report) -> Callable[[], None]:
    """A word each second, for people."""
    if not sys.stderr.isatty():
        return lambda: None
    last = time.monotonic()

    def tell() -> None:
        nonlocal last
        if time.monotonic() - last >= TICK:
            last = time.monotonic()
            total = report.total
            click.echo(
                f"\r{total.found} messages, {total.copied} copied, {total.there} there before ", nl=False, err=True
            )

    return tell


def _tell(account: str, report: Report, told: list[Told], dry_run: bool, as_json: bool) -> int:
    rows = [_row(one, report) for one in told]
    problems = [{"where": one.where, "why": one.why} for one in report.unfit]
    if as_json:
        print_json({"account": account, "dry_run": dry_run, "mailboxes": rows, "problems": problems})
    elif dry_run:
        lines = [[one.plan.shown, one.plan.target, str(one.messages), str(one.waiting), _remark(one)] for one in told]
        print_table("", ("there", "here", "messages", "to take", ""), [[*map(printable, line)] for line in lines])
    else:
        columns = ("there", "here", "messages", "copied", "there before", "failed", "UIDs", "")
        print_table("", columns, [_cells(one, report) for one in told])
    if not as_json:
        for problem in problems[:SHOWN]:
            click.echo(f"{printable(problem['where'])}: {printable(problem['why'])}", err=True)
        for one in told:
            if one.missing:
                _say(f"{one.plan.shown}: {one.messages} messages there, {one.missing} of them are not here")
    if report.total.failed or any(one.missing for one in told):
        return Exit.FINDINGS
    return Exit.PENDING if dry_run and any(one.waiting for one in told) else Exit.OK


def _row(one: Told, report: Report) -> dict[str, object]:
    folder = report.folder(one.plan.target)
    return {
        "source": one.plan.shown,
        "name": one.plan.target,
        "messages": one.messages,
        "to_take": one.waiting,
        "copied": folder.copied,
        "there": folder.there,
        "failed": folder.failed,
        "missing": one.missing,
        "numbered": folder.numbered,
        "why": one.plan.why,
        "note": one.plan.note,
    }


def _cells(one: Told, report: Report) -> list[str]:
    folder = report.folder(one.plan.target)
    counts = [one.messages, folder.copied, folder.there, folder.failed]
    kept = "" if one.plan.why else "kept" if folder.numbered else "new"
    return [*map(printable, [one.plan.shown, one.plan.target, *map(str, counts), kept, _remark(one)])]


def _remark(one: Told) -> str:
    return one.plan.why or one.plan.note
