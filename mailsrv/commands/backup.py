"""A copy of all mail, accounts, keys and certificates, taken while the server serves; verified; restored.

A backup holds what the server must not lose and is as secret as the server itself. Only what changed takes new room.
With --json one object: `create`: name files size new lost[] forgotten; `list`: backups[] of name files size problem;
`verify`: name problems[]; `restore`: name files state.
Exit status: 0 done · 1 the backup is damaged, the store has lost a body, or why not · 75 another backup is being taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dnsops.base.errors import Exit, ForUser
from dnsops.base.output import config_option, json_option, print_json, print_table
from dnsops.base.printable import printable

if TYPE_CHECKING:
    from mailsrv.backup.shelf import Shelf

SHOWN = 20  # problems in a text
PLACE = click.argument("directory", type=click.Path(path_type=Path))


@click.group()
def backup() -> None:
    """A copy of all mail, accounts, keys and certificates, taken while the server serves; verified; restored."""


@backup.command()
@PLACE
@click.option(
    "--also", multiple=True, type=click.Path(path_type=Path), help="Another file to keep; may be said several times."
)
@click.option("--keep", type=click.IntRange(min=1), help="Afterwards keep the newest so many backups, and no others.")
@config_option
@json_option
def create(directory: Path, also: tuple[Path, ...], keep: int | None, config_file: str | None, as_json: bool) -> int:
    """Take a backup into DIRECTORY: the state directory and the configuration.

    \b
    mailsrv backup create /var/backups/mailsrv --keep 30
    mailsrv backup create /mnt/usb/mail --also /etc/mailsrv/cloudflare-token
    """
    from dnsops.base import clock
    from mailsrv.backup.shelf import Shelf
    from mailsrv.backup.taking import take
    from mailsrv.commands.registering import named, opened

    shelf = Shelf(directory)
    with _words():
        taken = take(shelf, opened(config_file).state, (Path(named(config_file)), *also), clock.now().wall)
        gone = shelf.forget(keep) if keep and not taken.lost else 0  # an older one may have what is lost
    if as_json:
        print_json({**asdict(taken), "forgotten": gone})
    else:
        for path in taken.lost[:SHOWN]:
            click.echo(f"{printable(path)}: a message's body that the mail store has lost; an older backup may have it")
        click.echo(f"{taken.name}: {taken.files} files, {_octets(taken.size)}, of which {_octets(taken.new)} were new")
    return Exit.FINDINGS if taken.lost else Exit.OK


@backup.command(name="list")
@PLACE
@json_option
def list_(directory: Path, as_json: bool) -> int:
    """Show which backups DIRECTORY holds, the newest first.

    \b
    mailsrv backup list /var/backups/mailsrv
    """
    from mailsrv.backup.shelf import Shelf

    shelf = Shelf(directory)
    with _words():
        found = [_row(shelf, name) for name in reversed(shelf.names())]
    damaged = any(row["problem"] for row in found)
    if as_json:
        print_json({"backups": found})
    else:
        rows = [[row["name"], str(row["files"]), _octets(row["size"]), row["problem"]] for row in found]
        print_table("", ("backup", "files", "size", "problem" if damaged else ""), rows)
    return Exit.FINDINGS if damaged else Exit.OK


def _row(shelf: Shelf, name: str) -> dict[str, Any]:
    """One backup; of one whose list is damaged, why: the others are still there."""
    try:
        one = shelf.load(name)
    except ForUser as error:
        return {"name": name, "files": 0, "size": 0, "problem": error.what}
    return {"name": name, "files": len(one.entries), "size": one.size, "problem": ""}


@backup.command()
@PLACE
@click.option("--name", help="Which one; the newest unless said.")
@json_option
def verify(directory: Path, name: str | None, as_json: bool) -> int:
    """Open a backup of DIRECTORY, check its databases, and compare every body with what was written.

    \b
    mailsrv backup verify /var/backups/mailsrv
    """
    from mailsrv.backup.proving import prove
    from mailsrv.backup.shelf import Shelf

    shelf = Shelf(directory)
    with _words():
        snapshot = shelf.load(name or _newest(shelf.names(), directory))
        problems = list(prove(shelf, snapshot))
    if as_json:
        print_json({"name": snapshot.name, "problems": problems})
    else:
        for line in problems[:SHOWN]:
            click.echo(printable(line))
        verdict = f"{len(problems)} problems" if problems else "whole"
        click.echo(f"{snapshot.name}: {verdict} ({len(snapshot.entries)} files, {_octets(snapshot.size)})")
    return Exit.FINDINGS if problems else Exit.OK


@backup.command()
@PLACE
@click.option("--name", help="Which one; the newest unless said.")
@click.option(
    "--into", type=click.Path(path_type=Path), help="Beside: a state directory that is empty or not there yet."
)
@click.option("--other", type=click.Path(path_type=Path), help="Where to put the configuration and what --also named.")
@config_option
@json_option
def restore(
    directory: Path, name: str | None, into: Path | None, other: Path | None, config_file: str | None, as_json: bool
) -> int:
    """Make the server's state directory from a backup of DIRECTORY. It must be empty or not there, and no server on it.

    \b
    mailsrv backup restore /var/backups/mailsrv
    mailsrv backup restore /var/backups/mailsrv --into /srv/look --other /srv/look-etc
    """
    from mailsrv.backup.proving import restore as made
    from mailsrv.backup.shelf import Shelf
    from mailsrv.commands.registering import opened
    from mailsrv.serving.running import serving

    shelf = Shelf(directory)
    with _words():
        snapshot = shelf.load(name or _newest(shelf.names(), directory))
        state = into or opened(config_file).state
        if serving(state):
            raise ForUser("a server is running on this place", str(state), "stop it, or restore beside it with --into")
        count = made(shelf, snapshot, state, other)
    if as_json:
        print_json({"name": snapshot.name, "files": count, "state": str(state)})
    else:
        click.echo(f"{snapshot.name}: {count} files are in {printable(str(state))}; `mailsrv serve` can start on it")
    return Exit.OK


def _newest(names: list[str], directory: Path) -> str:
    if not names:
        raise ForUser("there is no backup here", str(directory), "take one with `mailsrv backup create`")
    return names[-1]


@contextmanager
def _words() -> Iterator[None]:
    """Trouble of the disk, of a database or of a piece, in words."""
    from mailsrv.backup.shelf import Damaged
    from mailsrv.store.sqlite.trouble import TROUBLE, reason

    advice = "mend that and try again"
    try:
        yield
    except Damaged as error:
        raise ForUser(f"this backup is damaged: {error}", "", "use an older one (mailsrv backup list)") from None
    except OSError as error:
        raise ForUser(f"the backup cannot go on ({error.strerror})", str(error.filename or ""), advice) from None
    except TROUBLE as error:
        raise ForUser(f"the backup cannot go on: the mail server's database: {reason(error)}", "", advice) from None


def _octets(count: int) -> str:
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} B"
