"""Changes and who wants to know of them.

One `Change` a mailbox and commit, in commit order, told in the event loop of whoever watches.
Fails by: nothing; a watcher that raises is the event loop's to report, and the others are told all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from mailsrv.store.door import Change, Row

Tell = Callable[[Change], None]


@dataclass(frozen=True, slots=True, eq=False)
class Watcher:
    """Someone who watches an account from a loop."""

    account: str
    tell: Tell
    loop: asyncio.AbstractEventLoop


class Watchers:
    """Everyone who watches. Added and removed in event loops, told from any thread."""

    def __init__(self) -> None:
        self._all: tuple[Watcher, ...] = ()
        self._accounts: frozenset[str] = frozenset()

    def add(self, account: str, tell: Tell) -> Callable[[], None]:
        watcher = Watcher(account, tell, asyncio.get_running_loop())
        self._set((*self._all, watcher))

        def stop() -> None:
            self._set(tuple(other for other in self._all if other is not watcher))

        return stop

    def accounts(self) -> frozenset[str]:
        """Who is watched."""
        return self._accounts

    def _set(self, watchers: tuple[Watcher, ...]) -> None:
        self._all, self._accounts = watchers, frozenset(watcher.account for watcher in watchers)

    def tell(self, changes: Iterable[Change]) -> None:
        """Call who watches, each in its loop; a loop that is closed wants no news."""
        for change in changes:
            for watcher in self._all:
                if watcher.account == change.account:
                    with suppress(RuntimeError):
                        watcher.loop.call_soon_threadsafe(self._call, watcher, change)

    def _call(self, watcher: Watcher, change: Change) -> None:
        if watcher in self._all:  # it may have stopped meanwhile
            watcher.tell(change)


def coalesce(changes: Iterable[Change]) -> list[Change]:
    """One change a mailbox, at the place of its first; those of a mailbox itself stay as they are."""
    merged: dict[tuple[str, int, str], list[Change]] = {}
    for change in changes:
        merged.setdefault((change.account, change.mailbox, change.kind), []).append(change)
    return [each[0] if len(each) == 1 else _one(each) for each in merged.values()]


def _one(changes: list[Change]) -> Change:
    first = changes[0]
    rows: dict[int, Row] = {}
    gone: set[int] = set()
    for change in changes:
        rows |= {row.uid: row for row in change.rows}
        gone.update(change.gone)
    kept = tuple(rows[uid] for uid in sorted(rows.keys() - gone))
    return Change(first.account, first.mailbox, kept, tuple(sorted(gone)), first.kind)
