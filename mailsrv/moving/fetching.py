"""Mail of another IMAP server into an account of ours: every mailbox, message by message, as often as it takes.

    moving = Moving(taking, source, password, journal, tell)
    told = await moving.run(only, skip)

What came over is remembered after each commit, so that a kill costs nothing twice; what a kill left in doubt is compared octet by
octet. A lost session is begun anew with patience that doubles, up to TRIES without a message more. A message that ends the session
three times alone is left out, and told. At the end each mailbox is counted against the source's STATUS.
Fails by: `Later` when patience ends; `Full` of the store; `ForUser` for a login.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

from dnsops.base.errors import Later
from dnsops.base.secrets import Secret
from mailsrv.archive.kept import LARGEST, Kept, Numbers, Unfit
from mailsrv.archive.taking import AT_ONCE, WEIGHT, Taking
from mailsrv.moving.imap import Box, Denied, Fetched, Lost, Session, Slow, Source, connected
from mailsrv.moving.journal import Entry, Journal
from mailsrv.moving.listed import Planned, planned
from mailsrv.store.door import Cannot, Mailbox
from mailsrv.store.flags import CANONICAL, LONGEST, MOST_KEYWORDS
from mailsrv.store.names import HIGHEST_UID

T = TypeVar("T")
TRIES, FIRST_WAIT, LONGEST_WAIT = 8, 1.0, 60.0
ALONE = 3  # times that one message may end the session
EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass
class Told:
    """A mailbox at the end. messages: at the source, by STATUS; here: in ours; missing: that should be here and are not."""

    plan: Planned
    messages: int = 0
    waiting: int = 0
    here: int = 0
    missing: int = 0


@dataclass
class Moving:
    """One move under way."""

    taking: Taking
    source: Source
    password: Secret
    journal: Journal
    tell: Callable[[], None] = lambda: None
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep
    log: Callable[[str], None] = lambda text: None
    session: Session | None = None
    told: list[Told] = field(default_factory=list)
    _news: int = 0
    _keywords: dict[str, set[str]] = field(default_factory=dict)
    _opened: Planned | None = None

    async def run(self, only: Iterable[str] = (), skip: Iterable[str] = (), dry: bool = False) -> list[Told]:
        """All of it, or only those mailboxes; dry: looks, and brings nothing."""
        try:
            plans, subscribed = await self._patiently(lambda session: self._plans(session, skip))
            wanted = {name.casefold() for name in only}
            for plan in plans:
                if not wanted or {plan.shown.casefold(), plan.target.casefold()} & wanted:
                    self.told.append(Told(plan))
                    if not plan.why:
                        await self._mailbox(self.told[-1], dry)
            if not dry:
                await self._subscribe([one.plan for one in self.told], subscribed)
            return self.told
        finally:
            await self._hang_up()

    async def _plans(self, session: Session, skip: Iterable[str]) -> tuple[list[Planned], set[bytes]]:
        found, prefix, subscribed = await session.mailboxes()
        ours = {box.special: box.name for box in await self._boxes() if box.special}
        return planned(found, prefix, ours, skip), {one.name for one in subscribed}

    async def _boxes(self) -> tuple[Mailbox, ...]:
        return await self.taking.store.mailboxes(self.taking.account)

    async def _mailbox(self, told: Told, dry: bool) -> None:
        plan, folder = told.plan, self.taking.report.folder(told.plan.target)
        try:
            uids, sizes, entry, box = await self._patiently(lambda session: self._look(session, plan))
            await self._believed(plan, entry)
            todo = [
                (uid, size) for uid, size in zip(uids, sizes, strict=True) if uid > entry.done or uid in entry.failed
            ]
            folder.found, folder.there = len(uids), len(uids) - len(todo)
            told.messages, told.waiting = len(uids), len(todo)
            if dry:
                return
            await self._bring(plan, entry, box, todo)
            told.messages = await self._patiently(lambda session: session.status(plan.source))
        except (Denied, Cannot) as error:
            self.taking.report.wrong(Unfit(plan.shown, str(error), plan.target))
            return
        told.waiting = folder.failed
        told.here = (await self.taking.store.mailbox(self.taking.account, plan.target)).messages
        told.missing = max(0, told.messages - folder.copied - folder.there)

    async def _believed(self, plan: Planned, entry: Entry) -> None:
        """What the journal says was brought into this mailbox; one that was made anew since has nothing of it."""
        boxes = {box.name: box for box in await self._boxes()}
        if plan.target not in boxes or boxes[plan.target].uidnext < entry.after:
            entry.done, entry.after, entry.failed = 0, 0, []

    async def _look(self, session: Session, plan: Planned) -> tuple[Sequence[int], Sequence[int], Entry, Box]:
        box = await session.examine(plan.source)
        uids, sizes = await session.sizes(box)
        return uids, sizes, self.journal.entry(plan.source, box.uidvalidity), box

    async def _bring(self, plan: Planned, entry: Entry, box: Box, todo: list[tuple[int, int]]) -> None:
        taking, highest = self.taking, todo[-1][0] if todo else 0
        taking.since[plan.target] = entry.after
        if box.uidvalidity and max(box.uidnext - 1, highest) <= HIGHEST_UID:
            taking.numbers[plan.target] = Numbers(box.uidvalidity, max(box.uidnext, highest + 1))
        await taking.box(plan.target)
        again, entry.failed = set(entry.failed), []
        for batch in _batches([one for one in todo if one[0] in again]) if again else ():
            await self._batch(plan, entry, [uid for uid, _ in batch])
        for batch in _batches([one for one in todo if one[0] not in again]):
            await self._batch(plan, entry, [uid for uid, _ in batch])

    async def _batch(self, plan: Planned, entry: Entry, uids: list[int]) -> None:
        """Those of a batch; when it ends the session, one after the other."""
        try:
            fetched = await self._patiently(lambda session: self._fetch(session, plan, uids), ALONE)
        except Later as error:
            if len(uids) == 1 and await self._alive(plan):
                self._fails(plan, entry, uids[0], error.reason)
                fetched = []
            elif len(uids) > 1 and await self._alive(plan):
                for uid in uids:
                    await self._batch(plan, entry, [uid])
                return
            else:
                raise
        kept = [self._kept(plan, one) for one in fetched if self._whole(plan, entry, one)]
        if kept:
            await self._flags(plan, kept)
            failed = self.taking.report.folder(plan.target).failed
            await self.taking.batch(kept)
            if self.taking.report.folder(plan.target).failed > failed:
                entry.failed += [one.uid for one in kept]
        entry.done = max(entry.done, *uids)
        entry.after = (await self.taking.store.mailbox(self.taking.account, plan.target)).uidnext
        self.journal.keep()
        self._news += 1
        self.tell()

    async def _alive(self, plan: Planned) -> bool:
        """Whether the server does anything for us still."""
        await self._patiently(lambda session: session.examine(plan.source))
        return True

    async def _fetch(self, session: Session, plan: Planned, uids: list[int]) -> list[Fetched]:
        if self._opened is not plan:
            await session.examine(plan.source)
            self._opened = plan
        return await session.fetch(uids)

    def _whole(self, plan: Planned, entry: Entry, one: Fetched) -> bool:
        if one.content is None:
            self._fails(plan, entry, one.uid, "the server has no octets for it")
        elif len(one.content) > LARGEST:
            self._fails(plan, entry, one.uid, f"larger than {LARGEST >> 20} MiB")
        else:
            return True
        return False

    def _fails(self, plan: Planned, entry: Entry, uid: int, why: str) -> None:
        entry.failed.append(uid)
        self.taking.report.wrong(Unfit(f"{plan.shown}, UID {uid}", why, plan.target))

    def _kept(self, plan: Planned, one: Fetched) -> Kept:
        received = (one.received or EPOCH).replace(microsecond=0)
        where = f"{plan.shown}, UID {one.uid}"
        return Kept(plan.target, one.content or b"", received, _proper(one.flags), where, one.uid)

    async def _flags(self, plan: Planned, kept: list[Kept]) -> None:
        """A mailbox has room for so many keywords; the rest is told and goes."""
        box = await self.taking.box(plan.target)
        known = self._keywords.setdefault(plan.target, set())
        if not known:
            for row in await self.taking.store.rows(box.id):
                known |= {flag.lower() for flag in row.flags if flag.lower() not in CANONICAL}
        for at, one in enumerate(kept):
            words = sorted(flag for flag in one.flags if flag.lower() not in CANONICAL)
            for word in words:
                if word.lower() in known or len(known) < MOST_KEYWORDS:
                    known.add(word.lower())
                else:
                    self.log(f"{plan.target}: {one.where} loses the keyword {word}, for a mailbox has {MOST_KEYWORDS}")
                    kept[at] = replace(kept[at], flags=kept[at].flags - {word})

    async def _subscribe(self, plans: Iterable[Planned], subscribed: set[bytes]) -> None:
        for plan in plans:
            if not plan.why and plan.source in subscribed:
                await self.taking.store.subscribe(self.taking.account, plan.target, True)

    async def _patiently(self, act: Callable[[Session], Awaitable[T]], tries: int = TRIES) -> T:
        """As often as it takes, while there is hope; any news begins the patience anew."""
        failures, news, pause = 0, self._news, FIRST_WAIT
        while True:
            try:
                return await act(await self._connected())
            except (Lost, Slow) as error:
                await self._hang_up()
                failures = 1 if self._news > news else failures + 1
                news = self._news
                if failures >= tries:
                    raise Later(f"{error}; what came over is kept, the same command goes on from there") from None
                self.log(f"{error}; again in {pause:.0f} s")
                await self.wait(pause)
                pause = min(pause * 2, LONGEST_WAIT)

    async def _connected(self) -> Session:
        if self.session is None:
            session = await connected(self.source)
            try:
                await session.login(self.password)
            except BaseException:
                await session.close()
                raise
            self.session, self._opened = session, None
        return self.session

    async def _hang_up(self) -> None:
        session, self.session, self._opened = self.session, None, None
        if session is not None:
            await session.close()


def _batches(todo: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """As many as go into one commit."""
    batch: list[tuple[int, int]] = []
    weight = 0
    for uid, size in todo:
        if batch and (len(batch) >= AT_ONCE or weight + size > WEIGHT):
            yield batch
            batch, weight = [], 0
        batch.append((uid, size))
        weight += size
    if batch:
        yield batch


def _proper(flags: frozenset[str]) -> frozenset[str]:
    """Those that a client of ours could set."""
    found = set()
    for flag in flags:
        if flag.lower() in CANONICAL:
            found.add(CANONICAL[flag.lower()])
        elif not flag.startswith("\\") and flag.isascii() and flag.isprintable() and len(flag) <= LONGEST:
            found.add(flag)
    return frozenset(found)
