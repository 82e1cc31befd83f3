"""Mail in and out of an account: import and export of Maildir and mbox; explain, how a message was judged.

It works beside a running server. `import` of what is there already copies nothing twice: a run that was ended is simply run again.
With --json one object: account mailboxes[] of name found copied there failed; problems[] of where why.
`explain --json`: then and now, each with action and steps[] of what outcome why; results[] opinions[].
Exit status: 0 all of it is there, 1 something is not, and which.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dnsops.base.errors import Exit, ForUser, Misused
from dnsops.base.output import config_option, json_option, print_json, print_table
from dnsops.base.printable import printable
from mailsrv.commands.mailstore import become_owner, directory, mailstore, place
from mailsrv.commands.registering import opened

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from mailsrv.archive.kept import Kept, Unfit
    from mailsrv.archive.taking import Report
    from mailsrv.store.door import Store

FORMS = ("maildir", "mbox")
SHOWN = 20  # problems in a text
TICK = 1.0  # seconds between two words of progress


@click.group()
def message() -> None:
    """Mail in and out of an account: import and export of Maildir and mbox; explain, how a message was judged."""


@message.command(name="import")
@click.argument("account")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--form", type=click.Choice(FORMS), help="What PATH is; found out unless said.")
@click.option("--into", default="", metavar="MAILBOX", help="Put it there, and its folders below it.")
@config_option
@json_option
def import_(account: str, path: Path, form: str | None, into: str, config_file: str | None, as_json: bool) -> int:
    """Take the mail of PATH, a Maildir, an mbox or a directory of mboxes, into ACCOUNT.

    \b
    mailsrv message import user1 /home/user1/Maildir
    mailsrv message import user1 Archive.mbox --into Old
    Flags, dates and folders come along; of Dovecot's Maildirs UIDVALIDITY, UIDs and subscriptions too, into mailboxes that never had mail. As root it reads whatever is there and writes as the owner of the mail store.
    """
    from mailsrv.archive import maildir, mbox
    from mailsrv.archive.taking import take
    from mailsrv.message.digest import digest

    who, store = place(account, config_file)
    become_owner(store)
    form = form or _form(path)
    source: Callable[[Path], Iterable[Kept | Unfit]] = maildir.read if form == "maildir" else mbox.read

    async def story(store: Store) -> Report:
        await store.account(who.name, who.quota)
        numbers = maildir.numbers(path) if form == "maildir" and not into else {}
        report = await take(store, digest, who.name, source(path), into, _progress(), numbers)
        await _subscribe(store, who.name, maildir.subscriptions(path) if form == "maildir" and not into else [])
        return report

    try:
        report = asyncio.run(_with(store, story))
    except OSError as error:
        raise ForUser(f"cannot be read ({error.strerror})", str(path)) from None
    return _tell(who.name, report, as_json)


@message.command()
@click.argument("account")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--form", type=click.Choice(FORMS), default="maildir", show_default=True, help="What to write.")
@click.option("--mailbox", multiple=True, help="Only this one; may be said several times.")
@config_option
@json_option
def export(
    account: str, path: Path, form: str, mailbox: tuple[str, ...], config_file: str | None, as_json: bool
) -> int:
    """Write the mail of ACCOUNT to PATH, a directory that is empty or not there yet.

    \b
    mailsrv message export user1 /backup/user1
    mailsrv message export user1 out --form mbox --mailbox INBOX
    """
    from mailsrv.archive import maildir, mbox
    from mailsrv.archive.taking import give

    who, store = place(account, config_file)
    room = maildir if form == "maildir" else mbox

    async def story(store: Store) -> Report:
        known = {box.name for box in await store.mailboxes(who.name)}
        if strangers := [name for name in mailbox if name not in known]:
            raise Misused(f"{who.name} has no mailbox {strangers[0]}", "", f"it has: {', '.join(sorted(known))}")
        return await give(store, who.name, room.Writer(path), lambda: room.read(path), mailbox, _progress())

    try:
        _empty(path)
        report = asyncio.run(_with(store, story))
    except OSError as error:
        raise ForUser(f"cannot be written ({error.strerror})", str(error.filename or path)) from None
    return _tell(who.name, report, as_json)


@message.command()
@click.argument("which", metavar="FILE|ID")
@click.option("--again/--no-again", default=True, show_default=True, help="Also judge it by the DNS of this moment.")
@config_option
@json_option
def explain(which: str, again: bool, config_file: str | None, as_json: bool) -> int:
    """Tell every step that led to the decision on a message: as it arrived, and as it would be now.

    \b
    mailsrv message explain suspicious.eml
    mailsrv message explain M4711                 as IMAP's FETCH (EMAILID) shows it
    mailsrv message explain 2f2db578b2ea6b71      as the log has it
    """
    from mailsrv.commands import explaining
    from mailsrv.commands.explained import document, tell

    settings = _loaded(config_file) if config_file else None
    path = Path(which)
    from_file = path.is_file() or settings is None
    content = explaining.of_file(path) if from_file else _stored(config_file, which)
    found = explaining.read(content)
    if again:
        now, opinions = asyncio.run(explaining.judged_now(content, found.came, settings))
        found = replace(found, now=now, opinions=opinions)
    if as_json:
        print_json(document(found))
    else:
        tell(found)
    return Exit.OK


async def _subscribe(store: Store, account: str, names: list[str]) -> None:
    """To what is there of these."""
    there = {box.name for box in await store.mailboxes(account)}
    for name in there.intersection(names):
        await store.subscribe(account, name, True)


def _loaded(config_file: str) -> Settings:
    from dnsops.base.settings import load
    from dnsops.records import names

    return load(Path(config_file), names.host)


def _stored(config_file: str | None, which: str) -> bytes:
    """A message of the store."""
    from mailsrv.commands import explaining

    register = opened(config_file)
    accounts = [account.name for account in register.everyone().accounts]
    where = directory(register.state)
    become_owner(where)

    async def story() -> bytes:
        async with mailstore(where) as store:
            return await explaining.of_store(store, accounts, which)

    return asyncio.run(story())


def _form(path: Path) -> str:
    from mailsrv.archive import maildir, mbox

    if not path.exists():
        raise Misused("is not there", str(path), "name a Maildir, an mbox, or a directory of them")
    if path.is_file():
        if mbox.is_mbox(path):
            return "mbox"
        raise Misused("is no mbox: it does not begin with a From line", str(path), "look at it; --form mbox takes it")
    if any(maildir.folders(path)):
        return "maildir"
    if any(mbox.is_mbox(one) for one in path.iterdir()):
        return "mbox"
    raise Misused("is neither a Maildir nor a directory of mboxes", str(path), "name a folder with cur/, or mbox files")


def _empty(path: Path) -> None:
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise Misused("is there already, and not an empty directory", str(path), "name a new one")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


async def _with(path: Path, story: Callable[[Store], Awaitable[Report]]) -> Report:
    async with mailstore(path) as store:
        return await story(store)


def _progress() -> Callable[[Report], None]:
    """A word each second, for people."""
    if not sys.stderr.isatty():
        return lambda report: None
    last = time.monotonic()

    def tell(report: Report) -> None:
        nonlocal last
        if time.monotonic() - last >= TICK:
            last = time.monotonic()
            total = report.total
            click.echo(
                f"\r{total.found} messages, {total.copied} copied, {total.there} there before ", nl=False, err=True
            )

    return tell


def _tell(account: str, report: Report, as_json: bool) -> int:
    rows = [
        {"name": name, "found": one.found, "copied": one.copied, "there": one.there, "failed": one.failed}
        for name, one in report.folders.items()
    ]
    problems = [{"where": one.where, "why": one.why} for one in report.unfit]
    if as_json:
        print_json({"account": account, "mailboxes": rows, "problems": problems})
    else:
        columns = ("mailbox", "found", "copied", "there before", "failed")
        total = report.total
        sums = ["all", total.found, total.copied, total.there, total.failed]
        lines = [[printable(str(value)) for value in row.values()] for row in rows]
        print_table("", columns, [*lines, list(map(str, sums))])
        for one in report.unfit[:SHOWN]:
            click.echo(f"{printable(one.where)}: {printable(one.why)}", err=True)
        if total.failed > SHOWN:
            click.echo(f"and {total.failed - SHOWN} more (--json tells the first 100)", err=True)
    return Exit.FINDINGS if report.total.failed else Exit.OK
