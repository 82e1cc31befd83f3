"""Archives come in, mailboxes go out; both are read again and compared before it is said that all is there.

    report = await take(store, digest, "user1", maildir.read(path))
    report = await give(store, "user1", maildir.Writer(path), lambda: maildir.read(path))

A message that is there already, the same octets with the same date, is not taken twice: a second run goes on where a first one ended.
Fails by: `Full`, `Later` of the store; what one message or folder does wrong is in the report.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from mailsrv.archive.kept import Kept, Numbers, Unfit
from mailsrv.imap.grammar.cursor import Unreadable
from mailsrv.imap.grammar.names import mailbox_name
from mailsrv.store.door import Cannot, Digest, Mailbox, Message, Place, Row, Store

AT_ONCE, WEIGHT = 200, 8 << 20  # messages and octets in one commit
MOST_TOLD = 100


@dataclass
class Folder:
    """One mailbox: messages found, copied, there before, and not to be copied."""

    found: int = 0
    copied: int = 0
    there: int = 0
    failed: int = 0
    numbered: bool = False  # it has the UIDVALIDITY that it had elsewhere


@dataclass
class Report:
    """What happened, by mailbox, and what went wrong, each with its place."""

    folders: dict[str, Folder] = field(default_factory=dict)
    unfit: list[Unfit] = field(default_factory=list)

    def folder(self, name: str) -> Folder:
        return self.folders.setdefault(name, Folder())

    def wrong(self, unfit: Unfit) -> None:
        self.folder(unfit.mailbox).failed += 1
        if len(self.unfit) < MOST_TOLD:
            self.unfit.append(unfit)

    @property
    def total(self) -> Folder:
        every = self.folders.values()
        return Folder(*(sum(getattr(one, name) for one in every) for name in ("found", "copied", "there", "failed")))


class Writer(Protocol):
    def folder(self, mailbox: str, numbers: Numbers | None = None) -> object: ...

    def add(self, kept: Kept, unique: int) -> None: ...

    def close(self) -> None: ...


Tell = Callable[[Report], None]


async def take(
    store: Store,
    digest: Callable[[bytes], Digest],
    account: str,
    source: Iterable[Kept | Unfit],
    into: str = "",
    tell: Tell = lambda report: None,
    numbers: Mapping[str, Numbers] = MappingProxyType({}),
) -> Report:
    """All of the source into the account's mailboxes, below `into` if given.

    numbers: of mailboxes that shall keep UIDVALIDITY and UIDs, where they never held a message.
    """
    taking = Taking(store, digest, account, Report(), {_named(name, into): each for name, each in numbers.items()})
    for batch in _batches(source, taking.report, into):
        await taking.batch(batch)
        tell(taking.report)
    await taking.finish()
    return taking.report


def _batches(source: Iterable[Kept | Unfit], report: Report, into: str) -> Iterator[list[Kept]]:
    batch: list[Kept] = []
    weight = 0
    for one in source:
        name = _named(one.mailbox, into)
        report.folder(name or one.mailbox).found += 1
        if isinstance(one, Unfit):
            report.wrong(Unfit(one.where, one.why, name or one.mailbox))
        elif not name:
            report.wrong(Unfit(one.where, "its folder's name cannot be a mailbox's", one.mailbox))
        else:
            if batch and (name != batch[0].mailbox or len(batch) >= AT_ONCE or weight + len(one.content) > WEIGHT):
                yield batch
                batch, weight = [], 0
            batch.append(replace(one, mailbox=name))
            weight += len(one.content)
    if batch:
        yield batch


def _named(name: str, into: str) -> str:
    """As a mailbox may be called; empty when it may not."""
    if into:
        name = into if name == "INBOX" else f"{into}/{name}"
    try:
        return mailbox_name(name)
    except Unreadable:
        return ""


@dataclass
class Taking:
    """One import under way. since: of a mailbox, the UID from which on what is there may be what an ended run brought."""

    store: Store
    digest: Callable[[bytes], Digest]
    account: str
    report: Report
    numbers: dict[str, Numbers] = field(default_factory=dict)
    since: dict[str, int] = field(default_factory=dict)
    boxes: dict[str, Mailbox] = field(default_factory=dict)
    known: dict[str, dict[tuple[int, datetime], list[Row]]] = field(default_factory=dict)

    async def batch(self, batch: list[Kept]) -> None:
        """Of one mailbox: those that are new, in one commit; then they are read again."""
        name = batch[0].mailbox
        folder = self.report.folder(name)
        try:
            box = await self.box(name)
        except Cannot as error:
            for one in batch:
                self.report.wrong(Unfit(one.where, str(error), name))
            return
        fresh = [one for one in batch if not await self._there(name, one)]
        folder.there += len(batch) - len(fresh)
        if fresh:
            modseq = (await self.store.mailbox(self.account, box.name)).highestmodseq
            await self.store.accept(*(self._message(one) for one in fresh))
            await self._compare(box, modseq, fresh)

    async def box(self, name: str) -> Mailbox:
        """The mailbox, made if it is not there, with the numbers it shall have if it may still get them."""
        if name not in self.boxes:
            boxes = {box.name: box for box in await self.store.mailboxes(self.account) if box.selectable}
            box = boxes.get(name) or await self.store.create(self.account, name)
            self.boxes[name] = await self._numbered(box)
            rows: dict[tuple[int, datetime], list[Row]] = {}
            for row in await self.store.rows(self.boxes[name].id):
                if row.uid >= self.since.get(name, 0):
                    rows.setdefault((row.size, row.received), []).append(row)
            self.known[name] = rows
        return self.boxes[name]

    async def _numbered(self, box: Mailbox) -> Mailbox:
        wanted = self.numbers.get(box.name)
        if wanted is not None:
            with suppress(Cannot):
                box = await self.store.adopt(self.account, box.name, wanted.uidvalidity)
                self.report.folder(box.name).numbered = True
        return box

    async def finish(self) -> None:
        """UIDs that were used elsewhere, and whose messages went, are not used again here either."""
        for name, wanted in self.numbers.items():
            if name in self.report.folders and self.report.folders[name].numbered:
                with suppress(Cannot):
                    await self.store.adopt(self.account, name, wanted.uidvalidity, wanted.uidnext)

    async def _there(self, name: str, one: Kept) -> bool:
        """Whether it was in the mailbox before we began; each message there stands for one of the archive."""
        alike = self.known[name].get((len(one.content), one.received), [])
        for row in alike:
            if await self.store.content(row.blob) == one.content:
                alike.remove(row)
                return True
        return False

    def _message(self, one: Kept) -> Message:
        uid = one.uid if self.report.folder(one.mailbox).numbered else 0
        place = Place(self.account, one.mailbox, one.flags, uid=uid)
        return Message(one.content, self.digest(one.content), one.received, (place,))

    async def _compare(self, box: Mailbox, modseq: int, fresh: list[Kept]) -> None:
        """Counted only when the mailbox gives back what the archive had."""
        rows = await self.store.rows(box.id, modseq)
        want = Counter(_mark(one.content, one.received, one.flags) for one in fresh)
        for row in rows:
            want[_mark(await self.store.content(row.blob), row.received, row.flags)] -= 1
        missing = sum(count for count in want.values() if count > 0)
        self.report.folder(box.name).copied += len(fresh) - missing
        for one in fresh:
            if want[mark := _mark(one.content, one.received, one.flags)] > 0:
                want[mark] -= 1
                self.report.wrong(Unfit(one.where, "the mailbox gives it back otherwise than it was", box.name))


async def give(
    store: Store,
    account: str,
    writer: Writer,
    again: Callable[[], Iterable[Kept | Unfit]],
    only: Iterable[str] = (),
    tell: Tell = lambda report: None,
) -> Report:
    """All mailboxes of the account, or `only` these; `again` reads what the writer wrote."""
    report, wanted = Report(), Counter[bytes]()
    names = set(only)
    for box in await store.mailboxes(account):
        if box.selectable and (not names or box.name in names):
            writer.folder(box.name, Numbers(box.uidvalidity, box.uidnext))
            async for kept, uid in _contents(store, box):
                report.folder(box.name).found += 1
                writer.add(kept, uid)
                wanted[_mark(kept.content, kept.received, kept.flags, kept.mailbox)] += 1
                tell(report)
    writer.close()
    _verify(report, wanted, again())
    return report


async def _contents(store: Store, box: Mailbox) -> AsyncIterator[tuple[Kept, int]]:
    for row in await store.rows(box.id):
        content = await store.content(row.blob)
        yield Kept(box.name, content, row.received, row.flags), row.uid


def _verify(report: Report, wanted: Counter[bytes], found: Iterable[Kept | Unfit]) -> None:
    """What was written is read again: each message that differs is one that is missing."""
    for one in found:
        if isinstance(one, Unfit):
            report.wrong(one)
            continue
        mark = _mark(one.content, one.received, one.flags, one.mailbox)
        if wanted[mark] > 0:
            wanted[mark] -= 1
            report.folder(one.mailbox).copied += 1
        else:
            report.wrong(Unfit(one.where, "this form of archive cannot keep it as it is", one.mailbox))


def _mark(content: bytes, received: datetime, flags: frozenset[str], mailbox: str = "") -> bytes:
    """One message with all that is kept of it; flags of IMAP have no case."""
    about = f"{mailbox}\0{int(received.timestamp())}\0{sorted(flag.lower() for flag in flags)}\0".encode()
    return hashlib.sha256(about + content).digest()
