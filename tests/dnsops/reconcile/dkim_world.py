"""A world small enough to hold in a test: DNS, a provider that feeds it, keys and ledgers on disk, a clock, and faults.

`World.run()` is one real run of the story. `fault` is called before and after each write, and `check()` is the oracle: whatever
a resolver may still hold, every signature of the hold verifies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dnsops.base.errors import ForUser
from dnsops.base.log import Log
from dnsops.base.moment import Moment
from dnsops.dkim.keys import Keys
from dnsops.dkim.ring import Ring, Selector
from dnsops.providers.door import Change, Held, Mark
from dnsops.providers.memory import Memory
from dnsops.reconcile import dkim
from dnsops.reconcile.dkim_report import action_of
from dnsops.reconcile.dkim_target import Outcome, Target
from dnsops.reconcile.dkim_world import Ledgers
from dnsops.reconcile.dkim_world import World as DkimWorld
from dnsops.records.rdata import Record, txt
from dnsops.resolve.answer import Security
from dnsops.resolve.memory import MemoryDns
from dnsops.rollover.dkim_ledger import Ledger
from dnsops.rollover.dkim_look import Policy, same, texts

DOMAIN = "example.org"
ZONES = (DOMAIN, "keys.example.net")
TTL = 3600
HOLD = timedelta(days=7)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Killed(BaseException):
    """The process died here."""


class FaultyProvider:
    """A provider whose records the DNS shows; every call may die or fail, before its effect or after."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.memory = Memory(ZONES)

    def zone_of(self, name: str) -> str:
        return self.memory.zone_of(name)

    def read(self, name: str, type_name: str = "", below: bool = False) -> tuple[Held, ...]:
        return self.memory.read(name, type_name, below)

    def write(self, change: Change) -> None:
        self._world.fault("provider.write")
        self.memory.write(change)
        self.show()
        self._world.fault("provider.written")

    def show(self) -> None:
        held = [one.record for zone in ZONES for one in self.memory.read(zone, "TXT", below=True)]
        for name in {name for name, kind in self._world.dns.records if kind == "TXT"} | {one.name for one in held}:
            self._world.dns.hold(name, "TXT", frozenset(one.data for one in held if one.name == name), TTL)

    def by_hand(self, name: str, *records: str) -> None:
        """A human's edit: the RRset is these now."""
        keep = [one for zone in ZONES for one in self.memory.read(zone, below=True) if one.record.name != name]
        self.memory = Memory(ZONES, [*keep, *(Held(Record(name, "TXT", TTL, txt(r)), Mark.FOREIGN) for r in records)])
        self.show()


class FaultyKeys(Keys):
    """Keys on disk; a ring's writing may die before or after."""

    world: Any = None

    @contextmanager
    def _writing(self, domain: str) -> Iterator[Path]:
        with super()._writing(domain) as home:
            yield home

    def _written(self, home: Path, ring: Ring) -> Ring:
        FaultyKeys.world.fault("ring.write")
        super()._written(home, ring)
        FaultyKeys.world.fault("ring.written")
        return ring


class FaultyLedgers(Ledgers):
    def __init__(self, directory: Path, world: World) -> None:
        super().__init__(directory, Log(quiet=True))
        self._world = world

    def save(self, ledger: Ledger) -> None:
        self._world.fault("ledger.save")
        super().save(ledger)
        self._world.fault("ledger.saved")


class World:
    """See the module."""

    def __init__(self, directory: Path) -> None:
        self.now = Moment(NOON, "boot", 1000.0)
        self.dns = MemoryDns(dict.fromkeys(ZONES, Security.INSECURE))
        for zone in ZONES:
            self.dns.put(zone, "SOA", "ns1.example.org. hostmaster.example.org. 1 3600 600 86400 1800")
        self.provider = FaultyProvider(self)
        self.directory = directory / "state" / "dkim"
        self.target = Target(DOMAIN, Policy(algorithms=("ed25519",), hold=HOLD), TTL, lambda: self.provider)
        self.promise: timedelta | None = None  # how long signatures verify; None: for the policy's hold
        self.fault: Callable[[str], None] = lambda where: None
        self.answers: dict[str, list[tuple[float, frozenset[str]]]] = {}
        self.signed: dict[Selector, float] = {}
        FaultyKeys.world = self

    @property
    def keys(self) -> Keys:
        return FaultyKeys(self.directory)

    @property
    def ring(self) -> Ring:
        return Keys(self.directory).ring(DOMAIN)

    def policy(self, **changes: object) -> None:
        self.target = replace(self.target, policy=replace(self.target.policy, **changes))  # type: ignore[arg-type]

    def run(self, dry_run: bool = False) -> Outcome:
        """One run of the story, as a process of its own would do it: nothing but the disk is remembered."""
        ledgers = FaultyLedgers(self.directory, self)
        world = DkimWorld(self.dns, self.dns, self.keys, ledgers, lambda: self.now, Log(quiet=True))
        (outcome,) = asyncio.run(dkim.reconcile([self.target], world, dry_run))
        return outcome

    def action(self, dry_run: bool = False) -> str:
        return action_of(self.run(dry_run), dry_run).name.lower()

    def pass_time(self, **delta: float) -> None:
        """Time goes by, in which mail is signed and resolvers ask."""
        later = timedelta(**delta)
        self.now = Moment(self.now.wall + later, self.now.boot, self.now.up + later.total_seconds())
        self.check()

    def check(self) -> None:
        """Mail that was signed within the hold verifies, for who asks now and for who asked within two TTLs."""
        for selector in self.ring.current.selectors if self.ring.current else ():
            self.signed[selector] = self.now.up
        for selector, last in self.signed.items():
            rrset = self.dns.records.get((selector.owner(DOMAIN), "TXT"))
            answers = self.answers.setdefault(selector.name, [])
            answers.append((self.now.up, texts(rrset.items) if rrset else frozenset()))
            promise = self.target.policy.hold if self.promise is None else self.promise
            if self.now.up - last <= promise.total_seconds():
                held = [answer for when, answer in answers if self.now.up - when <= 2 * TTL]
                assert all(len(answer) == 1 and same(selector.text, *answer) for answer in held), selector

    def live(self, days: float, step: float = 1) -> list[str]:
        """Run each hour; the actions in their order, without repetitions."""
        actions: list[str] = []
        for _ in range(int(days * 24 / step)):
            action = self.action()
            actions += [action] if actions[-1:] != [action] else []
            self.pass_time(hours=step)
        return actions

    def published(self, zone: str = DOMAIN) -> dict[str, set[str]]:
        """Texts by name, as the DNS shows them."""
        records = ((name, rrset) for (name, kind), rrset in self.dns.records.items() if kind == "TXT")
        return {name: set(texts(rrset.items)) for name, rrset in records if name.endswith(zone)}


def owners(selectors: Iterable[Selector]) -> set[str]:
    return {selector.owner(DOMAIN) for selector in selectors}


def refused(where: str) -> None:
    if where == "provider.write":
        raise ForUser("the token may not write", DOMAIN, "give it DNS:Edit")
