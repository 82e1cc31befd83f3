"""The indexes of mailboxes that are in use or were lately, one for all sessions, kept true by the store's news.

The account is watched before its rows are read, and what is told meanwhile is applied afterwards, so that nothing falls between.
Fails by: whatever the store says; then nothing is kept.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from mailsrv.imap.index import Index
from mailsrv.imap.view import View
from mailsrv.store.door import Absent, Change, Mailbox, Store

MOST_ROWS = 2_000_000  # of mailboxes that nobody has selected; about 45 bytes each
MOST_MAILBOXES = 2000


class Indexes:
    """By the mailbox's number in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[int, tuple[str, Index]] = OrderedDict()
        self._loading: dict[int, asyncio.Future[Index]] = {}
        self._missed: dict[int, list[Change]] = {}
        self._watched: dict[str, Callable[[], None]] = {}

    async def open(self, mailbox: Mailbox) -> Index:
        """The index of this mailbox, loaded if nobody has it."""
        known = self._kept.get(mailbox.id)
        if known is not None:
            self._kept.move_to_end(mailbox.id)
            return known[1]
        return await asyncio.shield(self._loading.get(mailbox.id) or self._start(mailbox))

    def close(self) -> None:
        """Nobody watches any more."""
        for stop in self._watched.values():
            stop()
        self._watched.clear()
        self._kept.clear()

    def _start(self, mailbox: Mailbox) -> asyncio.Future[Index]:
        loading = asyncio.ensure_future(self._load(mailbox))
        self._loading[mailbox.id] = loading
        loading.add_done_callback(lambda _: self._loading.pop(mailbox.id, None))
        return loading

    async def _load(self, mailbox: Mailbox) -> Index:
        if mailbox.account not in self._watched:
            self._watched[mailbox.account] = self._store.watch(mailbox.account, self._tell)
        self._missed[mailbox.id] = []
        try:
            rows = await self._store.rows(mailbox.id)
            index = await asyncio.to_thread(Index, rows) if len(rows) > 2000 else Index(rows)
            for change in self._missed[mailbox.id]:
                if change.kind == "deleted":
                    raise Absent("this mailbox was deleted just now")
                index.tell(change)
        finally:
            del self._missed[mailbox.id]
        self._kept[mailbox.id] = (mailbox.account, index)
        self._shrink()
        return index

    def _tell(self, change: Change) -> None:
        if change.mailbox in self._missed:
            self._missed[change.mailbox].append(change)
        known = self._kept.get(change.mailbox)
        if known is None:
            return
        known[1].tell(change)
        if change.kind == "deleted":
            self._kept.pop(change.mailbox)
            self._deleted(known[1])

    def _deleted(self, index: Index) -> None:
        for view in list(index.views):
            if isinstance(view, View):
                view.vanish()

    def _shrink(self) -> None:
        """The longest unused go first; those that someone looks at stay."""
        rows = sum(len(index) for _, index in self._kept.values())
        for number, (_, index) in list(self._kept.items())[:-1]:
            if rows <= MOST_ROWS and len(self._kept) <= MOST_MAILBOXES:
                break
            if not index.views:
                rows -= len(index)
                del self._kept[number]
        self._unwatch()

    def _unwatch(self) -> None:
        used = {account for account, _ in self._kept.values()}
        if self._loading:
            return  # someone is about to need it
        for account in self._watched.keys() - used:
            self._watched.pop(account)()
