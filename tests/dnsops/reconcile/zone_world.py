"""A zone's story in memory: provider, DNS, disk and clock, where any step may die or fail, before its effect or after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from dnsops.base.log import Log
from dnsops.base.moment import Moment
from dnsops.plan.ownership import Ledger
from dnsops.plan.safety import Limits
from dnsops.plan.saved import Saved
from dnsops.providers.door import Access, Change, Held, Mark
from dnsops.providers.memory import Memory
from dnsops.reconcile import zone
from dnsops.reconcile.zone_files import Ledgers, WaysBack
from dnsops.reconcile.zone_target import Outcome, Terms
from dnsops.reconcile.zone_world import Eyes
from dnsops.reconcile.zone_world import World as Outside
from dnsops.records.rdata import Record
from dnsops.resolve.answer import Security
from dnsops.resolve.memory import MemoryDns
from dnsops.wanted.door import Wish

ZONES = ("example.org", "example.net")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
Fault = Callable[[str], None]


class Killed(BaseException):
    """The process died here."""


class FaultyProvider:
    """A provider whose records the DNS shows. marks: whether it can tell ours from a stranger's."""

    def __init__(self, world: World, held: Iterable[Held], marks: bool) -> None:
        self._world, self.memory, self._marks = world, Memory(ZONES, held), marks
        self.reads: list[str] = []
        self.access: Callable[[Sequence[str]], tuple[Access, ...]] = self.memory.check

    def zone_of(self, name: str) -> str:
        return self.memory.zone_of(name)

    def read(self, name: str, type_name: str = "", below: bool = False) -> tuple[Held, ...]:
        self.reads.append(name)
        self._world.step("provider.read")
        found = self.memory.read(name, type_name, below)
        return found if self._marks else tuple(Held(one.record, Mark.UNKNOWN) for one in found)

    def check(self, zones: Sequence[str]) -> tuple[Access, ...]:
        self._world.step("provider.check")
        return self.access(zones)

    def write(self, change: Change) -> None:
        self._world.step("provider.write")
        self.memory.write(change)
        self._world.writes.append(change)
        self.show()
        self._world.step("provider.written")

    def show(self) -> None:
        """What the provider holds is what the DNS answers."""
        held = [one.record for apex in ZONES for one in self.memory.read(apex, below=True)]
        for name, kind in {*self._world.dns.records, *((one.name, one.type) for one in held)}:
            mine = [one for one in held if (one.name, one.type) == (name, kind)]
            self._world.dns.hold(name, kind, frozenset(one.data for one in mine), 300)


class FaultyLedgers(Ledgers):
    def __init__(self, world: World, directory: Path) -> None:
        super().__init__(directory)
        self._world = world

    def save(self, ledger: Ledger) -> None:
        self._world.step("ledger.write")
        super().save(ledger)
        self._world.step("ledger.written")


class FaultyWays(WaysBack):
    def __init__(self, world: World, directory: Path) -> None:
        super().__init__(directory)
        self._world = world

    def keep(self, way: Saved, now: datetime) -> Path:
        self._world.step("way.write")
        path = super().keep(way, now)
        self._world.step("way.written")
        return path


class World:
    """One machine and its zones."""

    def __init__(self, directory: Path, held: Iterable[Held] = (), marks: bool = True) -> None:
        self.dns = MemoryDns(dict.fromkeys(ZONES, Security.SECURE))
        self.directory, self.naps, self.steps = directory, [0.0], 0
        self.writes: list[Change] = []
        self.fault: Fault = lambda step: None
        self.provider = FaultyProvider(self, held, marks)
        self.provider.show()
        self.limits = Limits()

    def step(self, name: str) -> None:
        self.steps += 1
        self.fault(name)

    def outside(self) -> Outside:
        directory = self.directory / "dns"
        return Outside(
            self.provider,
            FaultyLedgers(self, directory),
            FaultyWays(self, directory),
            self._eyes,
            lambda: Moment(NOON, "boot", 0.0),
            Log(quiet=True),
            self.limits,
            sleep=self._sleep,
        )

    @asynccontextmanager
    async def _eyes(self) -> AsyncIterator[Eyes]:
        yield Eyes(self.dns, self.dns)

    async def _sleep(self, seconds: float) -> None:
        self.naps.append(seconds)

    def plan(self, wishes: Iterable[Wish]) -> list[Outcome]:
        outside = self.outside()
        return asyncio.run(zone.plan(wishes, outside, outside.ledgers.zones()))

    def apply(self, wishes: Iterable[Wish], terms: Terms = Terms()) -> list[Outcome]:
        outside = self.outside()
        return asyncio.run(zone.apply(wishes, outside, terms, outside.ledgers.zones()))

    def undo(self) -> list[Outcome]:
        from dnsops.reconcile.zone_files import read_saved

        outside = self.outside()
        return asyncio.run(zone.undo(read_saved(outside.ways_back.newest()), outside))

    @property
    def records(self) -> set[Record]:
        return {one.record for apex in ZONES for one in self.provider.memory.read(apex, below=True)}

    def by_hand(self, add: Iterable[Record] = (), remove: Iterable[Record] = ()) -> None:
        """A human's edit."""
        gone = set(remove)
        kept = [h for apex in ZONES for h in self.provider.memory.read(apex, below=True) if h.record not in gone]
        self.provider.memory = Memory(ZONES, [*kept, *(Held(record, Mark.FOREIGN) for record in add)])
        self.provider.show()
