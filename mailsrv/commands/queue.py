"""Look at the queue of leaving mail and steer it: list, show, retry, hold, drop.

WHICH is ids as `list` shows them, an address, @DOMAIN, or `all`. It works beside a running server, which notices within 15 seconds.
`list --json`: an array of id sender recipient size received attempts next (null: held) reason; `show --json` adds options,
recipient_options and header; the others print {"changed": [ids]}. Exit status 1: nothing matches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from dnsops.base.errors import ForUser, Misused
from dnsops.base.output import DEFAULT_CONFIG, config_option, json_option, print_json, print_table
from dnsops.base.printable import printable
from mailsrv.store import STORE

if TYPE_CHECKING:
    from mailsrv.store.door import Queued, Store

T = TypeVar("T")
LONGEST_HEADER = 16384
COLUMNS = ("ID", "Sender", "Recipient", "Size", "Arrived", "Attempts", "Next", "Reason")

which_argument = click.argument("which", nargs=-1, required=True)


@click.group()
def queue() -> None:
    """Look at the queue of leaving mail and steer it: list, show, retry, hold, drop."""


@queue.command(name="list")
@click.argument("which", nargs=-1)
@config_option
@json_option
def list_(which: tuple[str, ...], config_file: str | None, as_json: bool) -> None:
    """List what waits, the next to be tried first."""
    found = _with_store(config_file, lambda store: _found(store, which or ("all",)))
    rows = sorted(found, key=lambda one: (one.next, one.id))
    if as_json:
        print_json([document(one) for one in rows])
    else:
        print_table("", COLUMNS, [cells(one) for one in rows])


@queue.command()
@which_argument
@config_option
@json_option
def show(which: tuple[str, ...], config_file: str | None, as_json: bool) -> None:
    """Show all that is known of WHICH, with the message's header."""

    async def look(store: Store) -> list[tuple[Queued, str]]:
        found = _some(await _found(store, which), which)
        return [(one, await _header(store, one.blob)) for one in found]

    shown = _with_store(config_file, look)
    if as_json:
        more = [{"options": one.options, "recipient_options": one.hop.options, "header": head} for one, head in shown]
        print_json([document(one) | extra for (one, _), extra in zip(shown, more, strict=True)])
        return
    for one, head in shown:
        for name, value in document(one).items():
            click.echo(f"{name}: {'held' if value is None else printable(str(value))}")
        click.echo("".join(f"    {printable(line)}\n" for line in head.splitlines()))


@queue.command()
@which_argument
@config_option
@json_option
def retry(which: tuple[str, ...], config_file: str | None, as_json: bool) -> None:
    """Try WHICH again now, also what is held."""
    from dnsops.base.clock import now

    moment = now().wall
    _steer(config_file, which, as_json, "will be tried now", lambda store, ids: store.reschedule(ids, moment))


@queue.command()
@which_argument
@config_option
@json_option
def hold(which: tuple[str, ...], config_file: str | None, as_json: bool) -> None:
    """Leave WHICH in the queue and try it no more, until `retry`. What is held does not grow too old."""
    from mailsrv.store.door import NEVER

    _steer(config_file, which, as_json, "held", lambda store, ids: store.reschedule(ids, NEVER))


@queue.command()
@which_argument
@config_option
@json_option
def drop(which: tuple[str, ...], config_file: str | None, as_json: bool) -> None:
    """Take WHICH out of the queue for good; nobody is told."""
    _steer(config_file, which, as_json, "dropped", lambda store, ids: store.settle(ids, []))


def _steer(
    config_file: str | None,
    which: tuple[str, ...],
    as_json: bool,
    done: str,
    act: Callable[[Store, Sequence[int]], Awaitable[None]],
) -> None:
    async def steer(store: Store) -> list[Queued]:
        found = _some(await _found(store, which), which)
        await act(store, [one.id for one in found])
        return found

    changed = _with_store(config_file, steer)
    if as_json:
        print_json({"changed": [one.id for one in changed]})
        return
    for one in changed:
        click.echo(f"{one.id} to {printable(one.hop.recipient)}: {done}")


def selected(queued: Sequence[Queued], which: Sequence[str]) -> list[Queued]:
    """Those that are meant: by id, recipient's or sender's address, @DOMAIN of the recipient, or all of them."""
    return [one for one in queued if any(_means(word, one) for word in which)]


def _means(word: str, one: Queued) -> bool:
    if word == "all" or word == str(one.id):
        return True
    recipient, word = one.hop.recipient.lower(), word.lower()
    if word.startswith("@"):
        return recipient.endswith(word)
    return "@" in word and word in (recipient, one.sender.lower())


def document(one: Queued) -> dict[str, object]:
    """What --json prints of a recipient."""
    return {
        "id": one.id,
        "sender": one.sender,
        "recipient": one.hop.recipient,
        "size": one.size,
        "received": one.received.isoformat(),
        "attempts": one.attempts,
        "next": None if _held(one) else one.next.isoformat(),
        "reason": one.reason,
    }


def cells(one: Queued) -> list[str]:
    """A row of the table."""
    sender, recipient, reason = (printable(text) for text in (one.sender or "<>", one.hop.recipient, one.reason))
    when = "held" if _held(one) else _short(one.next)
    return [str(one.id), sender, recipient, str(one.size), _short(one.received), str(one.attempts), when, reason]


def _held(one: Queued) -> bool:
    from mailsrv.store.door import NEVER

    return one.next >= NEVER


def _short(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


async def _found(store: Store, which: Sequence[str]) -> list[Queued]:
    return selected(await store.queue(), which)


def _some(found: list[Queued], which: Sequence[str]) -> list[Queued]:
    if not found:
        raise ForUser("nothing in the queue is meant by this", " ".join(which), "look at `mailsrv queue list`")
    return found


async def _header(store: Store, blob: int) -> str:
    head = await store.content(blob, 0, LONGEST_HEADER)
    return head.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")


def _with_store(config_file: str | None, story: Callable[[Store], Awaitable[T]]) -> T:
    """The store of the configuration, opened beside whoever has it open already."""
    from mailsrv.store.sqlite import SqliteStore

    directory = _directory(config_file)
    if not directory.is_dir():
        raise ForUser("there is no mail store", str(directory), "it is made when `mailsrv serve` starts")

    async def told() -> T:
        store = SqliteStore(directory)
        try:
            return await story(store)
        finally:
            await store.close()

    return asyncio.run(told())


def _directory(config_file: str | None) -> Path:
    from dnsops.base import places, settings
    from dnsops.records import names

    if config_file is None:
        raise Misused("no configuration named, and none at the usual place", DEFAULT_CONFIG, "say --config FILE")
    return places.state_directory(settings.load(config_file, names.host).state.directory) / STORE
