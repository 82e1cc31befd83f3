"""A world small enough to hold in a test: DNS, a provider that feeds it, ports, ledgers, a clock that we turn, and faults.

`World.run()` is one real run of the story. `fail_at(n)` lets the n-th write die (as kill -9 would) or fail (as a provider
does), and `check()` is the oracle: whatever a resolver may still hold, a usable record of it matches what each port shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dnsops.base.log import Log
from dnsops.base.moment import Moment
from dnsops.certs.chain import Chain, association, matches
from dnsops.providers.door import Change, Held, Mark
from dnsops.providers.memory import Memory
from dnsops.reconcile import tlsa
from dnsops.reconcile.ledgers import Ledgers
from dnsops.reconcile.looking import Eyes
from dnsops.reconcile.report import action_of
from dnsops.reconcile.target import Outcome, Target
from dnsops.reconcile.world import World as TlsaWorld
from dnsops.records.rdata import Record
from dnsops.records.tlsa import Tlsa
from dnsops.resolve.answer import Security
from dnsops.resolve.memory import MemoryDns
from dnsops.rollover.ledger import Ledger
from dnsops.rollover.look import Policy, Shown

HOST, OWNER = "mx1.example.org", "_25._tcp.mx1.example.org"
ADDRESSES = ("192.0.2.25", "2001:db8::25")
TTL = 3600
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

Fault = Callable[[str], None]


class Killed(BaseException):
    """The process died here."""


class FixedSource:
    """A source whose certificate a test changes."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain

    def read(self, host: str) -> Chain:
        return self.chain


class FaultyProvider:
    """A provider whose records the DNS shows; every call may die or fail, before its effect or after."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.memory = Memory(["example.org"])
        self.calls: list[str] = []

    def zone_of(self, name: str) -> str:
        return self.memory.zone_of(name)

    def read(self, name: str, type_name: str = "", below: bool = False) -> tuple[Held, ...]:
        self.calls.append("read")
        self._world.step("provider.read")
        return self.memory.read(name, type_name, below)

    def write(self, change: Change) -> None:
        self.calls.append("write")
        self._world.step("provider.write")
        self.memory.write(change)
        self.show()
        self._world.step("provider.written")

    def show(self) -> None:
        """What the provider holds is what the DNS answers."""
        held = self.memory.read("example.org", "TLSA", below=True)
        there = {name for name, kind in self._world.dns.records if kind == "TLSA"}
        for name in there | {one.record.name for one in held}:
            mine = [one.record for one in held if one.record.name == name]
            self._world.dns.hold(name, "TLSA", frozenset(r.data for r in mine), min((r.ttl for r in mine), default=TTL))

    def by_hand(self, name: str, *records: Tlsa, mark: Mark = Mark.FOREIGN) -> None:
        """A human's edit: the RRset is these now."""
        keep = [held for held in self.memory.read("example.org", below=True) if held.record.name != name]
        self.memory = Memory(["example.org"], [*keep, *(Held(Record(name, "TLSA", TTL, r), mark) for r in records)])
        self.show()


class FaultyLedgers(Ledgers):
    """Ledgers on disk; saving may die before or after."""

    def __init__(self, directory: Path, world: World) -> None:
        super().__init__(directory, Log(quiet=True))
        self._world = world

    def save(self, ledger: Ledger) -> None:
        self._world.step("ledger.save")
        super().save(ledger)
        self._world.step("ledger.saved")


class World:
    """See the module."""

    def __init__(self, directory: Path, served: Chain) -> None:
        self.now = Moment(NOON, "boot", 1000.0)
        self.dns = MemoryDns({"example.org": Security.SECURE})
        self.resolver: Any = self.dns
        self.dns.put(HOST, "A", ADDRESSES[0])
        self.dns.put(HOST, "AAAA", ADDRESSES[1])
        self.ports: dict[tuple[str, int], Chain | None] = {(address, 25): served for address in ADDRESSES}
        self.provider = FaultyProvider(self)
        self.source = FixedSource(served)
        self.directory = directory
        self.targets = [self.target()]
        self.commands: list[Sequence[str]] = []
        self.on_command: Callable[[Sequence[str]], str] = lambda command: ""
        self.fault: Fault = lambda where: None
        self.steps: list[str] = []
        self.cached: list[tuple[Moment, frozenset[Tlsa]]] = []

    def target(self, **changes: object) -> Target:
        base = Target(HOST, 25, (self.source,), ttl=TTL, provider=lambda: self.provider)
        return replace(base, **changes)  # type: ignore[arg-type]

    def policy(self, **changes: object) -> None:
        self.targets = [replace(target, policy=replace(target.policy, **changes)) for target in self.targets]  # type: ignore[arg-type]

    def step(self, where: str) -> None:
        """A point at which things may go wrong."""
        self.steps.append(where)
        self.fault(where)

    def fail_at(self, number: int, error: BaseException) -> None:
        """The number-th step from now raises; every later one works."""
        start = len(self.steps)

        def fault(where: str) -> None:
            if len(self.steps) - start == number:
                raise error

        self.fault = fault

    def pass_time(self, **delta: float) -> None:
        later = timedelta(**delta)
        self.now = Moment(self.now.wall + later, self.now.boot, self.now.up + later.total_seconds())
        self.remember()

    def remember(self) -> None:
        """Resolvers ask all the time, and may keep what they got for a TTL, and twice over through forwarders."""
        rrset = self.dns.records.get((OWNER, "TLSA"))
        answer = frozenset(item for item in rrset.items if isinstance(item, Tlsa)) if rrset else frozenset()
        self.cached.append((self.now, answer))
        self.cached = [(t, a) for t, a in self.cached if self.now.up - t.up <= 2 * TTL]

    def check(self) -> None:
        """No sender with any cached answer is refused by any address."""
        self.remember()
        for (address, port), chain in self.ports.items():
            if chain is None or port != 25:
                continue
            for when, answer in self.cached:
                assert not answer or any(matches(record, chain) for record in answer), (address, when, answer)

    async def probe(self, target: Target, address: str, thorough: bool) -> tuple[Shown, ...]:
        chain = self.ports.get((address, target.port))
        return (Shown(address, chain) if chain else Shown(address, error="connection refused"),)

    async def run_command(self, command: Sequence[str]) -> str:
        self.step("command")
        self.commands.append(command)
        problem = self.on_command(command)
        self.step("commanded")
        return problem

    def run(self, dry_run: bool = False) -> list[Outcome]:
        """One run of the story, as a process of its own would do it: nothing but the disk is remembered."""
        ledgers = FaultyLedgers(self.directory / "tlsa", self)
        eyes = Eyes(self.resolver, self.dns, self.probe, ledgers.unsettled)
        world = TlsaWorld(eyes, ledgers, lambda: self.now, Log(quiet=True), self.run_command, patience=0)
        return asyncio.run(tlsa.reconcile(self.targets, world, dry_run))

    def action(self, dry_run: bool = False) -> str:
        """The one word of a run over one place."""
        (outcome,) = self.run(dry_run)
        return action_of(outcome, dry_run).name.lower()

    def published(self, name: str = OWNER) -> set[str]:
        rrset = self.dns.records.get((name, "TLSA"))
        return {str(item) for item in rrset.items} if rrset else set()

    def serve(self, chain: Chain) -> None:
        """The server was reloaded with another certificate."""
        self.ports = dict.fromkeys(self.ports, chain)


def record(chain: Chain, usage: int = 3, selector: int = 1, matching: int = 1) -> Tlsa:
    der = chain.certificates[0 if usage == 3 else 1]
    return association(der, usage, selector, matching)


def texts(*chains: Chain) -> set[str]:
    return {str(record(chain)) for chain in chains}


def policy(**changes: object) -> Policy:
    return replace(Policy(), **changes)  # type: ignore[arg-type]
