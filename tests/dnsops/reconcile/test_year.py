"""Years in the small world: renewals, monthly DKIM rotations, authorities and providers that are down for days, servers that lag
and fall silent, reboots, kills. Two seconds each: MAILSRV_YEARS=1000 lives through as many; a seed that fails is in the message.

The oracle, at every tick: whatever a resolver may hold of the last two TTLs from any server, a TLSA record in it matches the
key that is served; mail signed within the hold verifies; the served certificate is valid; no challenge is left behind; and
whatever the other stories have in the zone, the plan of the zone's own records stays empty.
"""

from __future__ import annotations

import os
import random
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from dnsops.acme.door import Window
from dnsops.base.errors import ForUser, Later
from dnsops.base.moment import Moment
from dnsops.base.settings import Settings
from dnsops.dkim.keys import Keys
from dnsops.dkim.ring import Selector
from dnsops.plan import ownership
from dnsops.plan.difference import Zone, difference
from dnsops.plan.door import Plan
from dnsops.plan.ownership import Ledger
from dnsops.plan.safety import Limits
from dnsops.providers.door import Change
from dnsops.reconcile.wanted import gather
from dnsops.rollover.dkim_look import texts
from dnsops.wanted.union import wanted
from tests.dnsops.reconcile.certificate_parties import HOST, TTL, ZONE
from tests.dnsops.reconcile.certificate_world import LATER, Killed, World, running

YEARS = int(os.environ.get("MAILSRV_YEARS", "5"))
OUTAGE, HOLD = timedelta(days=14), timedelta(days=7)
SERVERS = ("192.0.2.1", "2001:db8::1", "192.0.2.2")
JOBS = ("certificate", "tlsa", "dkim")
SETTINGS = Settings.model_validate(
    {"hostname": HOST, "domains": [ZONE], "records": {"addresses": ["192.0.2.25"], "tlsa_ports": [25]}}
)


@dataclass
class Year:
    """One simulated year."""

    seed: int
    world: World
    rng: random.Random = field(init=False)
    provider_down: float = 0.0  # until when, in `up` seconds
    answers: dict[str, dict[frozenset[str], float]] = field(default_factory=dict)
    signed: dict[Selector, float] = field(default_factory=dict)
    due: dict[str, float] = field(default_factory=lambda: dict.fromkeys(JOBS, 0.0))  # when each job runs next
    ledger: Ledger = field(default_factory=lambda: Ledger(ZONE))
    runs: int = 0

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        first = self.rng.uniform(20, 60)
        self.outages = [(day, day + 14) for day in (first, first + self.rng.uniform(60, 110), 330 - first)]
        self.start = self.world.now
        if self.seed % 2:
            self.world.issuer.advice = lambda certificate: Window(
                certificate.not_valid_after_utc - timedelta(days=25),
                certificate.not_valid_after_utc - timedelta(days=20),
            )

    @property
    def day(self) -> float:
        return (self.world.now.up - self.start.up) / 86400

    def live(self) -> None:
        self.publish()
        while self.day < 365:
            job = min(JOBS, key=lambda name: self.due[name])
            self.world.pass_time(seconds=max(self.due[job] - self.world.now.up, 60.0))
            self.weather()
            moving = self.run(job)
            self.verifies()
            if self.runs % 3 == 0:  # most of a year's time would go into plans
                assert self.plan().changes == (), (self.seed, self.day)
            hours = self.rng.uniform(0.5, 3) if moving else self.rng.uniform(48, 150)
            self.due[job] = self.world.now.up + hours * 3600
            self.runs += 1

    def weather(self) -> None:
        world, rng = self.world, self.rng
        world.issuer.life = rng.randint(60, 90)
        world.issuer.down = LATER if any(start <= self.day < end for start, end in self.outages) else None
        if self.provider_up and rng.random() < 0.03:
            self.provider_down = world.now.up + rng.uniform(1, 72) * 3600
        for address in SERVERS:
            world.dns.follow(address) if rng.random() < 0.6 else world.dns.lag(address)
            world.dns.silence(address) if rng.random() < 0.05 else world.dns.speak(address)
        if rng.random() < 0.01:
            world.now = Moment(world.now.wall, f"boot {rng.random()}", world.now.up)

    @property
    def provider_up(self) -> bool:
        return self.world.now.up >= self.provider_down

    def run(self, job: str) -> bool:
        """One run of a job, which may die or fail at any of its steps. Whether something is under way."""
        world, rng = self.world, self.rng
        faults = {0: Killed(), 1: Later("weather"), 2: ForUser("a wall")}
        number, fault = rng.randint(1, 25), faults.get(rng.randrange(30))
        world.strike = lambda where: self.fail(where)
        if fault is not None:
            world.fail_at(number, fault)
        outcomes = None
        with suppress(Killed, Later, ForUser):
            outcomes = getattr(world, job)()
        if job == "certificate" and fault is None and self.provider_up:
            assert world.zone.challenges() == [], (self.seed, self.day)
        if getattr(outcomes, "issued", False) or getattr(outcomes, "switched", False):
            self.due["tlsa"] = world.now.up + 600  # the timer's runs in between would change nothing
        decisions = [
            getattr(outcome, "decision", None) for outcome in (outcomes if isinstance(outcomes, list) else [outcomes])
        ]
        quiet = ("NONE", "LATER", "WAIT") if job == "dkim" else ("NONE", "LATER")
        return any(decision is None or decision.action.name not in quiet for decision in decisions)

    def fail(self, where: str) -> None:
        if where.startswith("provider") and not self.provider_up:
            raise Later("the provider is down")

    def plan(self) -> Plan:
        """`dns plan` at this moment: every wish there is, TLSA's and DKIM's too, against all that stands in the zone."""
        wishes = wanted(gather(SETTINGS, self.world.directory)).wishes
        return difference(Zone(ZONE, self.world.zone.memory.read(ZONE, below=True)), wishes, self.ledger, Limits())

    def publish(self) -> None:
        """The zone's own records, once."""
        plan = self.plan()
        self.ledger = ownership.before(self.ledger, plan, plan.changes)
        self.world.zone.memory.write(Change(add=tuple(item.after for item in plan.changes if item.after)))
        assert len(plan.changes) > 10

    def verifies(self) -> None:
        """The oracle of DKIM, in the terms of tests/dnsops/reconcile/dkim_world."""
        now, dns = self.world.now.up, self.world.dns
        ring = Keys(self.world.directory / "dkim").ring(ZONE)
        for selector in ring.current.selectors if ring.current else ():
            self.signed[selector] = now
        for selector, last in self.signed.items():
            if now - last > HOLD.total_seconds():
                continue
            held = self.answers.setdefault(selector.name, {})
            for view in (dns.records, *dns._behind.values()):
                rrset = view.get((selector.owner(ZONE), "TXT"))
                held[frozenset(texts(rrset.items)) if rrset else frozenset()] = now + 2 * TTL
            for answer in [answer for answer, until in held.items() if until > now]:
                assert selector.text in answer, (self.seed, self.day, selector.name)


def test_years_without_a_moment_in_which_a_sender_is_refused() -> None:
    place = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
    renewals = rotations = runs = 0
    with running() as loop:
        for seed in range(YEARS):
            with tempfile.TemporaryDirectory(dir=place) as directory:
                year = Year(seed, World(Path(directory), loop))
                try:
                    year.live()
                except AssertionError as error:
                    pytest.fail(f"seed {seed}, day {year.day:.2f}: {error}")
                renewals, rotations, runs = renewals + settled(year), rotations + len(year.signed) - 1, runs + year.runs
    print(f"{renewals} renewals and {rotations} rotations in {YEARS} years, seeds 0 to {YEARS - 1}, {runs} runs")
    assert renewals >= 4 * YEARS
    assert rotations >= 8 * YEARS


def settled(year: Year) -> int:
    """How often the served key changed; and each record came once and went once, with nothing in between."""
    zone = year.world.zone
    came = {record: count for record, count in zone.came.items() if not record[0].startswith("_acme-challenge.")}
    assert set(came.values()) == {1}, (year.seed, {record[0] for record, count in came.items() if count > 1})
    assert all(count == 1 for record, count in zone.went.items() if record in came)
    keys = [record for record in came if record[0].startswith("_25._tcp.")]
    return len(keys) - 2
