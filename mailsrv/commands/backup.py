"""A copy of all mail, accounts, keys and certificates, taken while the server serves; verified; restored.

A backup holds what the server must not lose and is as secret as the server itself, or is encrypted to age recipients. Only what
changed takes new room. PLACE is a directory or s3://BUCKET/PREFIX; `backup.place` of the configuration unless named.
With --json one object: `create`: name files size new lost[] unread[] forgotten; `list`: backups[] of name files size encrypted
problem; `verify`: name problems[] opened; `restore`: name files state; and what it amounts to: action.
Exit status: 0 done · 1 the backup is damaged, the store has lost a body, or why not · 75 another backup is being taken, or the S3
store does not answer.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dnsops.base.errors import Exit, ForUser, Misused
from dnsops.base.output import config_option, json_option, print_json, print_table
from dnsops.base.printable import printable

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from mailsrv.backup.shelf import Shelf
    from mailsrv.backup.taking import Taken

SHOWN = 20  # problems in a text
UNOPENED = "the encrypted files are as they were written; whether they open, and databases and bodies are whole, only --identity can prove"
place_argument = click.argument("place", required=False)
name_option = click.option("--name", help="Which one; the newest unless said.")
identity_option = click.option(
    "--identity",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The age identity that opens encrypted backups; `backup.identity` unless given.",
)
configured_option = click.option(
    "--configured", is_flag=True, help="For timers: do nothing where the configuration names no place."
)


@click.group()
def backup() -> None:
    """A copy of all mail, accounts, keys and certificates, taken while the server serves; verified; restored."""


@backup.command()
@place_argument
@click.option(
    "--also", multiple=True, type=click.Path(path_type=Path), help="Another file to keep; may be said several times."
)
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    help="Afterwards keep the newest so many backups, and no others; at `backup.place` what `backup.keep` says.",
)
@click.option(
    "--recipient",
    "recipients",
    multiple=True,
    help="Encrypt to this age recipient; may be said several times; `backup.recipients` unless given.",
)
@click.option("--plain", is_flag=True, help="Encrypt to nobody, whatever the configuration says.")
@configured_option
@config_option
@json_option
def create(
    place: str | None,
    also: tuple[Path, ...],
    keep: int | None,
    recipients: tuple[str, ...],
    plain: bool,
    configured: bool,
    config_file: str | None,
    as_json: bool,
) -> int:
    """Take a backup: the state directory, the configuration, and the secrets' files that it names.

    \b
    mailsrv backup create
    mailsrv backup create /var/backups/mailsrv --keep 30
    mailsrv backup create s3://BUCKET/mx1 --recipient age1...
    mailsrv backup create /mnt/usb/mail --also /etc/mailsrv/notes.txt
    """
    from dnsops.base import clock
    from dnsops.base.settings import references
    from mailsrv.backup.configured import named_place, place_of, writing
    from mailsrv.backup.memory import Memory, Note
    from mailsrv.backup.taking import beside, take
    from mailsrv.commands.registering import named, opened

    if plain and recipients:
        raise Misused("both --plain and --recipient", "backup create", "say one of them")
    register = opened(config_file)
    settings, state = register.settings, register.state
    if configured and not place_of(place, settings):
        return Exit.OK
    where = named_place(place, settings)
    if keep is None and place is None:
        keep = settings.backup.keep
    with _words():
        if not state.is_dir():
            raise ForUser("there is no state directory here", str(state), "start the server once: mailsrv serve")
        shelf = writing(where, settings, state, () if plain else recipients or None)
        more, away = beside(references(settings))
        files = (Path(named(config_file)), *settings.backup.also, *also)
        taken = take(shelf, state, files, clock.now().wall, more)
        Memory(state).note(Note(taken.name, where, clock.now().wall))
        gone = shelf.forget(keep) if keep and not taken.lost else 0  # an older one may have what is lost
    _told(taken, (*taken.unread, *away), gone, as_json)
    return Exit.FINDINGS if taken.lost else Exit.OK


def _told(taken: Taken, unread: tuple[str, ...], gone: int, as_json: bool) -> None:
    action = f"{taken.files} files, {_octets(taken.size)}, of which {_octets(taken.new)} were new"
    if as_json:
        lost = f"{len(taken.lost)} messages' bodies are lost" if taken.lost else ""
        print_json({**asdict(taken), "unread": list(unread), "forgotten": gone, "action": lost or action})
        return
    for path in taken.lost[:SHOWN]:
        click.echo(f"{printable(path)}: a message's body that the mail store has lost; an older backup may have it")
    if unread:
        click.echo(f"not in the backup, keep them elsewhere: {printable('; '.join(unread))}")
    click.echo(f"{taken.name}: {action}")


@backup.command(name="list")
@place_argument
@identity_option
@config_option
@json_option
def list_(place: str | None, identity: Path | None, config_file: str | None, as_json: bool) -> int:
    """Show which backups there are, the newest first.

    \b
    mailsrv backup list /var/backups/mailsrv
    """
    with _words():
        shelf, _ = _reading(place, identity, config_file)
        found = [_row(shelf, name) for name in reversed(shelf.names())]
    damaged = any(row["problem"] for row in found)
    if as_json:
        print_json({"backups": found})
    else:
        rows = [
            [row["name"], str(row["files"]), _octets(row["size"]), "age" if row["encrypted"] else "", row["problem"]]
            for row in found
        ]
        sealed = any(row["encrypted"] for row in found)
        columns = ("backup", "files", "size", "encrypted" if sealed else "", "problem" if damaged else "")
        print_table("", columns, rows)
    return Exit.FINDINGS if damaged else Exit.OK


def _row(shelf: Shelf, name: str) -> dict[str, Any]:
    """One backup; of one whose list is damaged, why: the others are still there."""
    row = {"name": name, "files": 0, "size": 0, "encrypted": shelf.sealed(name), "problem": ""}
    try:
        row["files"], row["size"] = shelf.summary(name)
    except ForUser as error:
        row["problem"] = error.what
    return row


@backup.command()
@place_argument
@name_option
@identity_option
@click.option("--restore", "drilled", is_flag=True, help="Also restore it, into a scratch directory that goes again.")
@configured_option
@config_option
@json_option
def verify(
    place: str | None,
    name: str | None,
    identity: Path | None,
    drilled: bool,
    configured: bool,
    config_file: str | None,
    as_json: bool,
) -> int:
    """Open a backup, check its databases, and compare every body with what was written.

    Of an encrypted one without its identity only that its files are as they were written; it says so.

    \b
    mailsrv backup verify /var/backups/mailsrv
    mailsrv backup verify s3://BUCKET/mx1 --identity key.txt
    """
    from mailsrv.backup.configured import place_of

    if configured and not place_of(place, _settings(config_file)):
        return Exit.OK
    with _words():
        shelf, state = _reading(place, identity, config_file)
        one = name or _newest(shelf)
        opened = bool(shelf.opener) or not shelf.sealed(one)
        problems = _problems(shelf, one, opened, state if drilled else None)
    verdict = f"{len(problems)} problems" if problems else "whole" if opened else UNOPENED
    if as_json:
        action = f"{verdict}, the first: {problems[0]}" if problems else verdict
        print_json({"name": one, "problems": problems, "opened": opened, "action": action})
    else:
        for line in problems[:SHOWN]:
            click.echo(printable(line))
        files, size = shelf.summary(one)
        click.echo(f"{one}: {verdict} ({files} files, {_octets(size)})")
    return Exit.FINDINGS if problems else Exit.OK


def _problems(shelf: Shelf, name: str, opened: bool, state: Path | None) -> list[str]:
    from mailsrv.backup.proving import drill, prove

    if not opened:
        return list(shelf.untouched(name))
    snapshot = shelf.load(name)
    return list(drill(shelf, snapshot, state) if state else prove(shelf, snapshot))


@backup.command()
@place_argument
@name_option
@identity_option
@click.option(
    "--into", type=click.Path(path_type=Path), help="Beside: a state directory that is empty or not there yet."
)
@click.option("--other", type=click.Path(path_type=Path), help="Where to put the configuration, secrets and --also.")
@config_option
@json_option
def restore(
    place: str | None,
    name: str | None,
    identity: Path | None,
    into: Path | None,
    other: Path | None,
    config_file: str | None,
    as_json: bool,
) -> int:
    """Make the server's state directory from a backup. It must be empty or not there, and no server on it.

    Run by root it belongs to the server's user (`user`, else mailsrv), or to whom an empty directory there belonged.

    \b
    mailsrv backup restore /var/backups/mailsrv
    mailsrv backup restore /var/backups/mailsrv --into /srv/look --other /srv/look-etc
    mailsrv backup restore s3://BUCKET/mx1 --identity key.txt --into /var/lib/mailsrv --other /root/etc
    """
    from mailsrv.backup.proving import restore as made
    from mailsrv.commands.registering import opened
    from mailsrv.serving.privileges import whom
    from mailsrv.serving.running import serving

    with _words():
        shelf, _ = _reading(place, identity, config_file)
        snapshot = shelf.load(name or _newest(shelf))
        state = into or opened(config_file).state
        if serving(state):
            raise ForUser("a server is running on this place", str(state), "stop it, or restore beside it with --into")
        settings = _settings(config_file)
        count = made(shelf, snapshot, state, other, whom(settings.user if settings else None))
    if as_json:
        print_json({"name": snapshot.name, "files": count, "state": str(state)})
    else:
        click.echo(f"{snapshot.name}: {count} files are in {printable(str(state))}; `mailsrv serve` can start on it")
    return Exit.OK


def _settings(config_file: str | None) -> Settings | None:
    """A host that is lost has no configuration: what is needed stands on the command line then."""
    from mailsrv.commands.registering import opened

    return opened(config_file).settings if config_file and Path(config_file).exists() else None


def _reading(place: str | None, identity: Path | None, config_file: str | None) -> tuple[Shelf, Path]:
    """What is there, and the state directory."""
    from dnsops.base.places import state_directory
    from mailsrv.backup.configured import named_place, reading

    settings = _settings(config_file)
    state = state_directory(settings.state.directory if settings else None)
    return reading(named_place(place, settings), settings, state, identity), state


def _newest(shelf: Shelf) -> str:
    if not (names := shelf.names()):
        raise ForUser("there is no backup here", shelf.where, "take one with `mailsrv backup create`")
    return names[-1]


@contextmanager
def _words() -> Iterator[None]:
    """Trouble of the disk, of a database or of a piece, in words."""
    from mailsrv.backup.place import Damaged
    from mailsrv.store.sqlite.trouble import TROUBLE, reason

    advice = "mend that and try again"
    try:
        yield
    except Damaged as error:
        raise ForUser(f"this backup is damaged: {error}", "", "use an older one (mailsrv backup list)") from None
    except OSError as error:
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            advice = "let the server's user write there (its owner; and ReadWritePaths= of the unit)"
        raise ForUser(f"the backup cannot go on ({error.strerror})", str(error.filename or ""), advice) from None
    except TROUBLE as error:
        raise ForUser(f"the backup cannot go on: the mail server's database: {reason(error)}", "", advice) from None


def _octets(count: int) -> str:
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} B"
