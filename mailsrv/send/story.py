"""Mail leaves: the queue, by destination, attempt by attempt, until every recipient is delivered or its sender knows.

    due ──> a lane for each destination ──> attempt ──> settled, with the notices, in one commit
             │ up to 5 workers each            └─ nobody reached: the whole lane waits
             └ beyond 500 waiting: parked, so that one destination never fills the window

Woken by new mail (the store tells), by the next moment that is due, and every 15 seconds for what other processes change.
Held messages are never due. `stop` begins nothing new, and lets what has begun come to its end.
Standards: RFC 5321 4.5.4.1, RFC 3461, RFC 3464; promises P-03, P-06, P-07.
Fails by: waiting. When the store fails, what was done is kept in mind until it can be written, and not done again.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from dnsops.base.errors import Later
from dnsops.base.log import Log
from mailsrv.send.budget import Budget
from mailsrv.send.carrier import Carried, Load
from mailsrv.send.letter import Letter, Recipient
from mailsrv.send.schedule import Schedule
from mailsrv.send.settlement import Notice, Settlement, settle
from mailsrv.send.verdict import Fate, Verdict, failed, later
from mailsrv.store.door import NEVER, Absent, Change, Full, Message, Queued, Store

LARGE = 1 << 20  # bytes; a larger message is made ready in a thread


class Carries(Protocol):
    """Who makes attempts: `Carrier`."""

    def lane(self, domain: str) -> str: ...

    async def carry(self, domain: str, load: Load, recipients: Sequence[Recipient]) -> Carried: ...

    async def close(self) -> None: ...


class Inside(Protocol):
    """How mail comes back into the house; both read the message from the store themselves, as much as they need."""

    async def notice(self, notice: Notice, now: datetime) -> Message | None:
        """The notice composed (RFC 3464) from the null sender, with where it goes; None when its sender cannot be reached."""
        ...

    async def keep(self, queued: Queued, now: datetime) -> Message | None:
        """A queued message with places instead of a hop; None when nobody here has the address."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """window: recipients in memory. lane: of one destination. workers: of one destination; sessions: of all."""

    window: int = 2000
    lane: int = 500
    workers: int = 5
    sessions: int = 100
    memory: int = 128 << 20
    poll: float = 15.0
    patience: float = 5.0  # before a store that failed is asked again
    rest: timedelta = timedelta(seconds=60)  # of a destination where nobody was reached


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message, and those of its recipients that go to one destination."""

    lane: str
    domain: str
    queued: tuple[Queued, ...]

    @property
    def ids(self) -> list[int]:
        return [queued.id for queued in self.queued]


@dataclass(slots=True)
class Lane:
    """A destination: what waits for it, who works on it, and whether anyone there has talked to us."""

    waiting: deque[Parcel] = field(default_factory=deque)
    workers: set[asyncio.Task[None]] = field(default_factory=set)
    most: int = 1
    held: int = 0  # recipients, waiting and at work
    reached: bool = False


class Outbound:
    """The sending half of the server."""

    def __init__(
        self,
        store: Store,
        carrier: Carries,
        inside: Inside,
        log: Log,
        clock: Callable[[], datetime],
        schedule: Schedule | None = None,
        limits: Limits | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store, self._carrier, self._inside, self._log, self._clock = store, carrier, inside, log, clock
        self._schedule, self._limits, self._chance = schedule or Schedule(), limits or Limits(), chance
        self._lanes: dict[str, Lane] = {}
        self._busy: dict[int, str] = {}  # recipients in memory, and their lanes
        self._parked: dict[str, set[int]] = {}  # recipients in the queue that we leave there for now
        self._resting: dict[str, tuple[datetime, Verdict]] = {}
        self._sessions = asyncio.Semaphore(self._limits.sessions)
        self._budget = Budget(self._limits.memory)
        self._news, self._stopping = asyncio.Event(), False

    # the story

    async def run(self) -> None:
        """Until `stop`."""
        unwatch = self._store.watch("", self._told)
        try:
            while not self._stopping:
                self._news.clear()
                await self._begin()
                await self._sleep()
        finally:
            unwatch()

    async def once(self) -> None:
        """All that is due now, to its end; for tests and for a queue that is run by hand."""
        while await self._begin() or self._busy:
            await self._idle()

    async def stop(self, grace: float = 30.0) -> None:
        """Nothing new begins; what has begun may end within `grace` seconds, and is broken off then."""
        self._stopping = True
        self._news.set()
        for lane in self._lanes.values():
            lane.waiting.clear()
        workers = [worker for lane in self._lanes.values() for worker in lane.workers]
        if workers:
            _, slow = await asyncio.wait(workers, timeout=grace)
            for worker in slow:
                worker.cancel()
            await asyncio.gather(*slow, return_exceptions=True)
        await self._carrier.close()

    def wake(self) -> None:
        self._news.set()

    # what is due

    async def _begin(self) -> int:
        """Take what is due into lanes, as far as there is room; how many recipients that were."""
        begun = 0
        while not self._stopping and (room := self._limits.window - len(self._busy)) > 0:
            try:
                due = await self._store.due(self._clock(), room, self._besides())
            except Later as reason:
                self._log("send.store-failed", reason=reason.reason)
                break
            if not due:
                break
            for parcel in self._parcels(due):
                begun += self._admitted(parcel)
        return begun

    def _besides(self) -> list[int]:
        return [*self._busy, *(number for parked in self._parked.values() for number in parked)]

    def _parcels(self, due: Iterable[Queued]) -> list[Parcel]:
        """By destination and message, in the order of the first of each."""
        groups: dict[tuple[str, int, str, tuple[str, ...]], list[Queued]] = {}
        for queued in due:
            lane = self._carrier.lane(_domain(queued))
            groups.setdefault((lane, queued.blob, queued.sender, queued.options), []).append(queued)
        return [Parcel(key[0], _domain(group[0]), tuple(group)) for key, group in groups.items()]

    def _admitted(self, parcel: Parcel) -> int:
        """Into its lane; when that is full it stays in the queue, and is looked at again when half of the lane is free."""
        lane = self._lanes.get(parcel.lane)
        if lane is not None and lane.held >= self._limits.lane:
            self._parked.setdefault(parcel.lane, set()).update(parcel.ids)
            return 0
        self._enqueue(parcel)
        return len(parcel.queued)

    def _enqueue(self, parcel: Parcel) -> None:
        lane = self._lanes.setdefault(parcel.lane, Lane(most=self._limits.workers))
        lane.waiting.append(parcel)
        lane.held += len(parcel.queued)
        self._busy |= dict.fromkeys(parcel.ids, parcel.lane)
        if len(lane.workers) < lane.most:
            worker = asyncio.get_running_loop().create_task(self._work(parcel.lane, lane))
            lane.workers.add(worker)

    # a destination

    async def _work(self, name: str, lane: Lane) -> None:
        try:
            while lane.waiting and len(lane.workers) <= lane.most:
                parcel = lane.waiting.popleft()
                if verdict := self._at_rest(name):
                    await self._settled(lane, parcel, dict.fromkeys(parcel.ids, verdict))
                    continue
                async with self._sessions:
                    carried = await self._carried(parcel)
                lane.reached = lane.reached or carried.unreached is None
                if carried.unreached and lane.reached and len(lane.workers) > 1:
                    # the others are talked to: it has enough of our connections
                    lane.most = len(lane.workers) - 1
                    lane.waiting.appendleft(parcel)
                    continue
                await self._settled(lane, parcel, carried.verdicts)
                if carried.unreached:
                    await self._rest(name, lane, carried.unreached)
        finally:
            self._left(name, lane)

    def _left(self, name: str, lane: Lane) -> None:
        task = asyncio.current_task()
        if task is not None:
            lane.workers.discard(task)
        if not lane.workers:
            self._lanes.pop(name, None)
            self._parked.pop(name, None)
            self._busy = {number: other for number, other in self._busy.items() if other != name}
            self._news.set()

    async def _rest(self, name: str, lane: Lane, verdict: Verdict) -> None:
        """Nobody was reached: what waits for the same destination needs no attempt of its own to know that."""
        now = self._clock()
        self._resting = {key: value for key, value in self._resting.items() if value[0] > now}
        self._resting[name] = now + self._limits.rest, verdict
        while lane.waiting:
            parcel = lane.waiting.popleft()
            await self._settled(lane, parcel, dict.fromkeys(parcel.ids, verdict))

    def _at_rest(self, name: str) -> Verdict | None:
        until, verdict = self._resting.get(name, (None, None))
        return verdict if until is not None and self._clock() < until else None

    async def _carried(self, parcel: Parcel) -> Carried:
        """An attempt; a fault of ours in it is told and ends in "later", as nothing else would be safe."""
        attempt = asyncio.get_running_loop().create_task(self._attempt(parcel))
        try:
            await asyncio.wait({attempt})
        except asyncio.CancelledError:
            attempt.cancel()
            await asyncio.wait({attempt})
            raise
        if fault := attempt.exception():
            self._log("send.fault", kind=type(fault).__name__, to=parcel.domain)
            return Carried(dict.fromkeys(parcel.ids, later("4.3.0", "a fault of this host's own")))
        return attempt.result()

    async def _attempt(self, parcel: Parcel) -> Carried:
        recipients = [Recipient(q.id, q.hop.recipient, q.hop.options) for q in parcel.queued]
        try:
            async with AsyncExitStack() as stack:
                return await self._carrier.carry(parcel.domain, self._loader(parcel.queued[0], stack), recipients)
        except Later:
            return Carried(dict.fromkeys(parcel.ids, later("4.3.0", "the message could not be read")))
        except Absent:
            # dropped by the administrator meanwhile; whoever is left hears of it
            return Carried(dict.fromkeys(parcel.ids, failed("5.3.0", "the message is not there any more")))

    def _loader(self, first: Queued, stack: AsyncExitStack) -> Load:
        async def load() -> Letter:
            await stack.enter_async_context(self._budget.of(first.size))
            content = await self._store.content(first.blob)
            if len(content) < LARGE:
                return Letter.of(first.sender, first.options, content)
            return await asyncio.to_thread(Letter.of, first.sender, first.options, content)

        return load

    # what became of it

    async def _settled(self, lane: Lane, parcel: Parcel, verdicts: dict[int, Verdict]) -> None:
        """Written down, however long that takes: an attempt that is not on record would be made again."""
        verdicts = dict(verdicts)
        while True:
            try:
                await self._write(parcel, verdicts)
                break
            except Later as reason:
                self._log("send.store-failed", reason=reason.reason)
                await asyncio.sleep(self._limits.patience)
        lane.held -= len(parcel.queued)
        for number in parcel.ids:
            self._busy.pop(number, None)
        if lane.held * 2 < self._limits.lane and parcel.lane in self._parked:
            del self._parked[parcel.lane]
            self._news.set()

    async def _write(self, parcel: Parcel, verdicts: dict[int, Verdict]) -> None:
        """Recipients of ours become verdicts in place: what was kept is not kept twice when the rest must be written again."""
        now = self._clock()
        for queued in parcel.queued:
            if verdicts[queued.id].fate is Fate.HERE:
                verdicts[queued.id] = await self._kept(queued, now)
        settlement = settle(parcel.queued, verdicts, self._schedule, now, self._chance)
        messages = [await self._inside.notice(notice, now) for notice in settlement.notices]
        await self._commit(settlement, [message for message in messages if message])
        for queued in parcel.queued:
            self._tell(queued, verdicts[queued.id], queued.id in settlement.expired)

    async def _kept(self, queued: Queued, now: datetime) -> Verdict:
        """Into a mailbox of ours, out of the queue in the same commit."""
        try:
            message = await self._inside.keep(queued, now)
            if message is None:
                return failed("5.1.1", "nobody here has this address")
            await self._store.settle([queued.id], [], [message])
        except Full:
            return later("4.2.2", "the mailbox is full")
        except Absent:  # the directory knows the account, the store does not; or the message was dropped just now
            return later("4.2.1", "the mailbox is not there")
        return Verdict(Fate.DELIVERED, "2.0.0", "in a mailbox here")

    async def _commit(self, settlement: Settlement, notices: list[Message]) -> None:
        try:
            await self._store.settle(settlement.done, settlement.later, notices)
        except (Full, Absent) as nowhere:
            # a notice comes from the null sender: what cannot be delivered of it ends here (RFC 5321 6.1)
            self._log("send.notice-lost", account=getattr(nowhere, "account", ""), reason=str(nowhere))
            await self._store.settle(settlement.done, settlement.later)

    def _tell(self, queued: Queued, verdict: Verdict, expired: bool) -> None:
        event = "expired" if expired else verdict.fate.name.lower()
        self._log(
            f"send.{event}",
            id=queued.id,
            sender=queued.sender or "<>",
            to=queued.hop.recipient,
            host=verdict.host,
            code=verdict.code,
            said=verdict.reply or verdict.reason,
            tls=verdict.tls,
            policy=verdict.policy,
            trust=verdict.trust,
            attempts=queued.attempts + 1,
        )

    # waiting

    def _told(self, change: Change) -> None:
        if change.kind == "queue":
            self._news.set()

    async def _sleep(self) -> None:
        """Until there is news, or the next one is due, or it is time to look."""
        patience = self._limits.poll
        try:
            soonest = await self._store.due(NEVER, 1, self._besides())
        except Later:
            soonest = ()
        if soonest and len(self._busy) < self._limits.window:
            patience = min(patience, max(0.05, (soonest[0].next - self._clock()).total_seconds()))
        try:
            async with asyncio.timeout(patience):
                await self._news.wait()
        except TimeoutError:
            return

    async def _idle(self) -> None:
        workers = [worker for lane in self._lanes.values() for worker in lane.workers]
        if workers:
            await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)


def _domain(queued: Queued) -> str:
    return queued.hop.recipient.rpartition("@")[2]
