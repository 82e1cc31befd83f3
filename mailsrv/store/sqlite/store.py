"""The Store on SQLite: what it promises is in mailsrv.store.door, how each promise is kept in the files beside this one.

Writes go to the one writer thread (writer.py), reads to a few reader threads; large bodies are files (bodies.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import apsw

from dnsops.base.log import Log
from mailsrv.store.door import Change, Copied, Flagged, Mailbox, Message, Op, Placed, Queued, Row, Usage
from mailsrv.store.sqlite import delivery, hops, mailboxes, messages, reading
from mailsrv.store.sqlite.bodies import Bodies
from mailsrv.store.sqlite.connect import BODIES, connection, for_user, prepare
from mailsrv.store.sqlite.delivery import Incoming
from mailsrv.store.sqlite.readers import Readers
from mailsrv.store.sqlite.trouble import TROUBLE
from mailsrv.store.sqlite.work import Work
from mailsrv.store.sqlite.writer import Writer

INLINE = 65_536  # bytes; larger bodies are files


def _wall() -> datetime:
    return datetime.now(UTC)


class SqliteStore:
    """Opened by making one; `ForUser` says why it cannot be."""

    def __init__(
        self, directory: Path, log: Log | None = None, now: Callable[[], datetime] = _wall, inline: int = INLINE
    ) -> None:
        log = log or Log()
        path = prepare(directory)
        self._inline = inline
        self._bodies = Bodies(directory / BODIES)
        self._writer = Writer(partial(connection, path), now, self._bodies.remove, log)
        self._readers = Readers(partial(connection, path, reader=True), log)
        self._rows = reading.Rows()
        try:
            self._bodies.open(partial(_files, path))
            self._writer.start()
        except TROUBLE as error:
            raise for_user(path, error) from None

    # mail comes in

    async def accept(self, message: Message, *more: Message) -> tuple[Placed, ...]:
        incoming = await self._incoming((message, *more))
        weight = sum(len(each.message.content) for each in incoming if not each.file)
        return await self._writer.do(partial(delivery.accept, incoming=incoming), self._undo(incoming), weight)

    async def _incoming(self, arrived: Sequence[Message]) -> list[Incoming]:
        """Large bodies onto disk, before the writer hears of them."""
        incoming: list[Incoming] = []
        try:
            for message in arrived:
                large = len(message.content) > self._inline and (message.places or message.hops)
                write = partial(self._bodies.write, message.content)
                incoming.append(Incoming(message, await self._readers.touch(write) if large else None))
        except BaseException:
            self._undo(incoming)()
            raise
        return incoming

    def _undo(self, incoming: Sequence[Incoming]) -> Callable[[], None]:
        def undo() -> None:
            for each in incoming:
                if each.file:
                    self._bodies.remove(each.file)

        return undo

    # mailboxes

    async def account(self, name: str, size_limit: int | None = None, message_limit: int | None = None) -> None:
        await self._writer.do(lambda work: mailboxes.account(work, name, size_limit, message_limit))

    async def forget(self, account: str) -> None:
        await self._writer.do(lambda work: mailboxes.forget(work, account))

    async def mailboxes(self, account: str) -> tuple[Mailbox, ...]:
        return await self._readers.do(lambda db: reading.mailboxes(db, account))

    async def mailbox(self, account: str, name: str) -> Mailbox:
        return await self._readers.do(lambda db: reading.mailbox(db, account, name))

    async def create(self, account: str, name: str, special: str = "") -> Mailbox:
        def job(work: Work) -> Mailbox:
            mailboxes.create(work, account, name, special)
            return reading.mailbox(work.db, account, name)

        return await self._writer.do(job)

    async def adopt(self, account: str, name: str, uidvalidity: int, uidnext: int = 1) -> Mailbox:
        def job(work: Work) -> Mailbox:
            mailboxes.adopt(work, account, name, uidvalidity, uidnext)
            return reading.mailbox(work.db, account, name)

        return await self._writer.do(job)

    async def rename(self, account: str, old: str, new: str) -> None:
        await self._writer.do(lambda work: mailboxes.rename(work, account, old, new))

    async def delete(self, account: str, name: str) -> None:
        await self._writer.do(lambda work: mailboxes.delete(work, account, name))

    async def subscribe(self, account: str, name: str, subscribed: bool) -> None:
        await self._writer.do(lambda work: mailboxes.subscribe(work, account, name, subscribed))

    async def subscriptions(self, account: str) -> frozenset[str]:
        return await self._readers.do(lambda db: reading.subscriptions(db, account))

    async def metadata(self, account: str, name: str, changes: dict[str, bytes | None]) -> dict[str, bytes]:
        return await self._writer.do(lambda work: mailboxes.metadata(work, account, name, changes))

    # messages

    async def rows(self, mailbox: int, since: int = 0) -> tuple[Row, ...]:
        return await self._readers.do(lambda db: self._rows.read(db, mailbox, since))

    async def vanished(self, mailbox: int, since: int) -> tuple[int, ...]:
        return await self._readers.do(lambda db: reading.vanished(db, mailbox, since))

    async def digests(self, mailbox: int, uids: Sequence[int], fields: Collection[str]) -> list[tuple[object, ...]]:
        return await self._readers.do(lambda db: reading.digests(db, mailbox, uids, tuple(fields)))

    async def content(self, blob: int, start: int = 0, length: int | None = None) -> bytes:
        return await self._readers.do(lambda db: self._content(db, blob, start, length))

    async def contents(self, blobs: Sequence[int]) -> list[bytes]:
        return await self._readers.do(lambda db: [self._content(db, blob, 0, None) for blob in blobs])

    def _content(self, db: apsw.Connection, blob: int, start: int, length: int | None) -> bytes:
        small = reading.inline(db, blob, start, length)
        if small is not None:
            return small
        size, file = reading.file(db, blob)
        start = min(start, size)
        length = size - start if length is None else min(length, size - start)
        return self._bodies.read(file, start, length)

    async def flag(
        self, mailbox: int, uids: Sequence[int], op: Op, flags: frozenset[str], unchanged_since: int | None = None
    ) -> Flagged:
        return await self._writer.do(lambda work: messages.flag(work, mailbox, uids, op, flags, unchanged_since))

    async def copy(self, mailbox: int, uids: Sequence[int], target: int) -> Copied:
        return await self._writer.do(lambda work: messages.copy(work, mailbox, uids, target))

    async def move(self, mailbox: int, uids: Sequence[int], target: int) -> Copied:
        return await self._writer.do(lambda work: messages.move(work, mailbox, uids, target))

    async def expunge(self, mailbox: int, uids: Sequence[int]) -> tuple[int, ...]:
        return await self._writer.do(lambda work: messages.expunge(work, mailbox, uids))

    async def search(self, mailbox: int, words: str, field: str = "") -> frozenset[int]:
        await self._writer.indexed()
        return await self._readers.do(lambda db: reading.search(db, mailbox, words, field))

    async def usage(self, account: str) -> Usage:
        return await self._readers.do(lambda db: reading.usage(db, account))

    # the queue

    async def due(self, now: datetime, limit: int, besides: Collection[int] = ()) -> tuple[Queued, ...]:
        return await self._readers.do(lambda db: hops.due(db, now, limit, besides))

    async def queue(self) -> tuple[Queued, ...]:
        return await self._readers.do(hops.queue)

    async def settle(
        self, done: Sequence[int], later: Sequence[tuple[int, datetime, str]], notices: Sequence[Message] = ()
    ) -> None:
        incoming = await self._incoming(notices)
        job = partial(hops.settle, done=done, later=later, notices=incoming)
        await self._writer.do(job, self._undo(incoming))

    async def reschedule(self, hops_: Sequence[int], when: datetime) -> None:
        await self._writer.do(lambda work: hops.reschedule(work, hops_, when))

    # news

    def watch(self, account: str, tell: Callable[[Change], None]) -> Callable[[], None]:
        return self._writer.watchers.add(account, tell)

    async def close(self) -> None:
        await self._readers.close()
        await self._writer.close()
        self._bodies.close()


def _files(path: Path) -> set[str]:
    """The files that rows refer to."""
    db = connection(path, reader=True)
    try:
        return {str(file) for (file,) in db.execute("SELECT file FROM blob WHERE file IS NOT NULL")}
    finally:
        db.close()
