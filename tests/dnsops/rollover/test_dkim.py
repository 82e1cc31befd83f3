"""DKIM's selectors: what one look allows, as tables; and years of rotations in a world that lags, reboots and forgets."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from dnsops.base.moment import Moment
from dnsops.dkim.ring import Generation, Ring, Role, Selector
from dnsops.records import rdata
from dnsops.records.rdata import Rdata, parse
from dnsops.records.txt.dkim import DkimKey
from dnsops.resolve.answer import Answer, Consensus, Security, Server, Told
from dnsops.rollover.dkim import MOST_GENERATIONS, Action, Decision, decide, due
from dnsops.rollover.dkim_ledger import Ledger, Wait, read, write
from dnsops.rollover.dkim_look import Look, Policy, Sight, same, texts
from dnsops.rollover.machine import Life, Phase, Stage

DOMAIN = "example.org"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TTL, HOLD = timedelta(hours=1), timedelta(hours=24)
POLICY = Policy(algorithms=("rsa",), every=timedelta(days=10), hold=HOLD)
SERVERS = (Server("ns1.example.org", "192.0.2.1"), Server("ns2.example.org", "192.0.2.2"))
NEXT, CURRENT, RETIRED, GONE = Role
ASKED, SPREADING, RIPE, RETIRING = Phase


def at(hours: float, boot: str = "one") -> Moment:
    return Moment(NOON + timedelta(hours=hours), boot, 1000 + hours * 3600)


txt = cache(rdata.txt)


@cache
def selector(name: str) -> Selector:
    return Selector(name, "rsa", str(DkimKey(name.encode())))


A, B, C = map(selector, "abc")


def ring(**roles: Role) -> Ring:
    made = (Generation(name, role, NOON, (selector(name),)) for name, role in roles.items())
    return Ring(DOMAIN, tuple(made))


def ledger(now: float = 0, **stages: tuple[Phase, float]) -> Ledger:
    """Life stages by selector, each since an hour; waits begin at `now`."""
    life = Life({selector(key): Stage(phase, at(hours)) for key, (phase, hours) in stages.items()}, TTL, at(now))
    return Ledger(DOMAIN, life)


def sight(name: str, *servers: str | None, answer: str | None = None, **changes: object) -> Sight:
    """What two servers show at a selector, one word each: texts by letter, "-" for none, None for silence."""
    told = [
        Told(server, items(word), 3600, "silent" if word is None else "")
        for server, word in zip(SERVERS, servers, strict=True)
    ]
    owner = f"{name}._domainkey.{DOMAIN}"
    seen = answer if answer is not None else next((word for word in servers if word), "-")
    base = Answer(owner, "TXT", Security.INSECURE, items=items(seen) or frozenset(), ttl=3600, canonical=owner)
    return Sight(name, replace(base, **changes), Consensus(tuple(told)), DOMAIN)  # type: ignore[arg-type]


def items(word: str | None) -> frozenset[Rdata] | None:
    """`a` is that selector's record, `!` its revocation, `?` a stranger's."""
    if word is None:
        return None
    odd = {"?": "v=DKIM1; p=c3RyYW5nZXI=", "!": A.revoked.text}
    return frozenset(txt(odd.get(letter) or selector(letter).text) for letter in word if letter != "-")


def look(*sights: Sight) -> Look:
    return Look(DOMAIN, sights, 1800)


def both(**words: str) -> Look:
    """Both servers show the same."""
    return look(*(sight(name, word, word) for name, word in words.items()))


def names(selectors: frozenset[Selector]) -> str:
    return "".join(sorted(one.name + ("!" if one.text.endswith("p=") else "") for one in selectors))


TABLE = [
    # the ring, its ledger, the look, at hour -> action, phases, published, pruned, ready
    ("the first keys", ring(a=NEXT), ledger(), both(a="-"), 0, "PUBLISH", "a=ASKED", "a", "", False),
    ("the first, seen", ring(a=NEXT), ledger(a=(ASKED, 0)), both(a="a"), 1, "WAIT", "a=SPREADING", "", "", False),
    ("the first, ripe", ring(a=NEXT), ledger(a=(SPREADING, 0)), both(a="a"), 2, "SWITCH", "a=RIPE", "", "", True),
    ("not long enough", ring(a=NEXT), ledger(a=(SPREADING, 0)), both(a="a"), 1.9, "WAIT", "a=SPREADING", "", "", False),
    ("one server lags", ring(a=NEXT), ledger(a=(ASKED, 0)), look(sight("a", "a", "-")), 9, "WAIT", "a=ASKED", "", "", False),
    ("one is silent", ring(a=NEXT), ledger(a=(SPREADING, 0)), look(sight("a", "a", None)), 9, "WAIT", "a=SPREADING", "", "", False),
    ("our own resolver lags", ring(a=NEXT), ledger(a=(ASKED, 0)), look(sight("a", "a", "a", answer="-")), 9, "WAIT", "a=ASKED", "", "", False),
    ("not alone at its name", ring(a=NEXT), ledger(a=(ASKED, 0)), both(a="a?"), 9, "WAIT", "a=ASKED", "", "", False),
    ("in sync", ring(a=CURRENT), ledger(a=(RIPE, 0)), both(a="a"), 9, "NONE", "a=RIPE", "", "", False),
    ("a lost ledger", ring(a=CURRENT), ledger(), both(a="a"), 9, "NONE", "a=SPREADING", "", "", False),
    ("the record was lost", ring(a=CURRENT), ledger(a=(RIPE, 0)), both(a="-"), 9, "PUBLISH", "a=ASKED", "a", "", False),
    ("lost, a server silent", ring(a=CURRENT), ledger(a=(RIPE, 0)), look(sight("a", "-", None)), 9, "PUBLISH", "a=ASKED", "a", "", False),
    ("the next keys", ring(a=CURRENT, b=NEXT), ledger(a=(RIPE, 0)), both(a="a", b="-"), 9, "PUBLISH", "a=RIPE b=ASKED", "b", "", False),
    ("the next, ripe", ring(a=CURRENT, b=NEXT), ledger(a=(RIPE, 0), b=(SPREADING, 0)), both(a="a", b="b"), 2, "SWITCH", "a=RIPE b=RIPE", "", "", True),
    ("the next ripe, the old one's server silent", ring(a=CURRENT, b=NEXT), ledger(a=(RIPE, 0), b=(RIPE, 0)), look(sight("a", "a", None), sight("b", "b", "b")), 9, "WAIT", "a=RIPE b=RIPE", "", "", False),
    ("mail on its way", ring(a=RETIRED, b=CURRENT), ledger(a=(RIPE, 0), b=(RIPE, 0)), both(a="a", b="b"), 9, "WAIT", "a=RIPE b=RIPE", "", "", False),
    ("mail on its way, its record lost", ring(a=RETIRED, b=CURRENT), ledger(a=(RIPE, 0), b=(RIPE, 0)), both(a="-", b="b"), 9, "PUBLISH", "a=ASKED b=RIPE", "a", "", False),
    ("a record typed with other blanks", ring(a=NEXT), ledger(a=(SPREADING, 0)), look(replace(sight("a", "a", "a"), consensus=Consensus((Told(SERVERS[0], frozenset({txt(A.text.replace("; ", " ;") + ";")}), 60),)))), 2, "SWITCH", "a=RIPE", "", "", True),
    ("a wildcard's text is nobody's", ring(a=NEXT), ledger(), look(sight("a", "-", "-", answer="?", wildcard="*.example.org")), 0, "PUBLISH", "a=ASKED", "a", "", False),
    ("keys that are lost keep their records", ring(b=CURRENT), ledger(a=(RIPE, 0), b=(RIPE, 0)), both(a="a", b="b"), 99, "NONE", "a=RIPE b=RIPE", "", "", False),
]  # fmt: skip


@pytest.mark.parametrize("keys,before,seen,hour,action,phases,publish,prune,ready", [r[1:] for r in TABLE], ids=[r[0] for r in TABLE])  # fmt: skip
def test_what_one_look_allows(
    keys: Ring, before: Ledger, seen: Look, hour: float, action: str, phases: str, publish: str, prune: str, ready: bool
) -> None:
    found = decide(keys, before, seen, POLICY, at(hour))
    stages = sorted(found.ledger.life.stages.items())
    assert " ".join(f"{key.name}={stage.phase.name}" for key, stage in stages) == phases
    assert (names(found.publish), names(found.prune), found.ready) == (publish, prune, ready)
    assert found.action.name == action
    assert read(write(found.ledger)) == found.ledger


def held(waited: float, **stages: tuple[Phase, float]) -> Ledger:
    """A ledger in which `a` has had its role for some hours at hour 9."""
    return replace(ledger(9, **stages), waits={"a": Wait(RETIRED, timedelta(hours=waited), at(9))})


LEAVING = [
    # what the ledger says of `a`, the look, at hour -> phases, pruned, gone
    ("held not long enough", held(23, a=(RIPE, 0), b=(RIPE, 0)), both(a="a", b="b"), 9.9, "a=RIPE b=RIPE", "", ()),
    ("held long enough", held(24, a=(RIPE, 0), b=(RIPE, 0)), both(a="a", b="b"), 9.9, "a=RETIRING b=RIPE", "", ()),
    ("in caches", held(24, a=(RETIRING, 9), b=(RIPE, 0)), both(a="a", b="b"), 10.9, "a=RETIRING b=RIPE", "", ()),
    ("in no cache", held(24, a=(RETIRING, 9), b=(RIPE, 0)), both(a="a", b="b"), 11, "a=RETIRING b=RIPE", "a", ()),
    ("its successor lost", held(24, a=(RETIRING, 9), b=(RIPE, 0)), both(a="a", b="-"), 11, "a=RETIRING b=ASKED", "", ()),
    ("a server silent", held(24, a=(RETIRING, 9), b=(RIPE, 0)), look(sight("a", "a", None), sight("b", "b", "b")), 11, "a=RETIRING b=RIPE", "", ()),
    ("gone", held(24, a=(RETIRING, 9), b=(RIPE, 0)), both(a="-", b="b"), 12, "b=RIPE", "", ("a",)),
    ("gone, as far as one server says", held(24, a=(RETIRING, 9), b=(RIPE, 0)), look(sight("a", "-", None), sight("b", "b", "b")), 12, "a=RETIRING b=RIPE", "", ()),
]  # fmt: skip


@pytest.mark.parametrize("before,seen,hour,phases,prune,gone", [r[1:] for r in LEAVING], ids=[r[0] for r in LEAVING])
def test_a_record_leaves_after_its_last_mail_and_the_last_cache(
    before: Ledger, seen: Look, hour: float, phases: str, prune: str, gone: tuple[str, ...]
) -> None:
    found = decide(ring(a=RETIRED, b=CURRENT), before, seen, POLICY, at(hour))
    stages = sorted(found.ledger.life.stages.items())
    assert " ".join(f"{key.name}={stage.phase.name}" for key, stage in stages) == phases
    assert (names(found.prune), found.gone) == (prune, gone)


@pytest.mark.parametrize(
    "hours,shown,publish,over",
    [(0, "-", "a!", False), (47, "!", "", False), (48, "!", "", False), (99, "-", "", True)],
)
def test_a_key_may_stay_revoked_for_a_while(hours: float, shown: str, publish: str, over: bool) -> None:
    """RFC 6376 3.6.1: an empty p= says that the key was withdrawn."""
    keys, before = ring(a=GONE, b=CURRENT), ledger(b=(RIPE, 0))
    before = replace(before, waits={"a": Wait(GONE, timedelta(hours=hours), at(0))})
    found = decide(keys, before, both(a=shown, b="b"), replace(POLICY, revoked=timedelta(hours=48)), at(0))
    assert (names(found.publish), bool(found.over)) == (publish, over)
    retiring = found.ledger.life.phase(A.revoked) is RETIRING
    assert retiring is (hours == 48)


def test_without_revocation_a_generation_is_over_when_no_cache_can_hold_its_record() -> None:
    for waited, over in ((1.9, ()), (2, ("a",))):
        before = replace(ledger(b=(RIPE, 0)), waits={"a": Wait(GONE, timedelta(hours=waited), at(0))})
        assert decide(ring(a=GONE, b=CURRENT), before, both(a="-", b="b"), POLICY, at(0)).over == over


UNTRUSTED = [
    ("bogus", {"security": Security.BOGUS, "rcode": "SERVFAIL"}),
    ("failed", {"security": Security.FAILED, "rcode": ""}),
    ("an insecure SERVFAIL", {"rcode": "SERVFAIL"}),
]


@pytest.mark.parametrize("changes", [row[1] for row in UNTRUSTED], ids=[row[0] for row in UNTRUSTED])
def test_what_cannot_be_trusted_touches_nothing(changes: dict[str, object]) -> None:
    before = ledger(a=(RIPE, 0), b=(SPREADING, 0))
    found = decide(
        ring(a=CURRENT, b=NEXT), before, look(sight("a", "a", "a"), sight("b", "b", "b", **changes)), POLICY, at(9)
    )
    assert (found.action, found.ledger, found.ready) == (Action.LATER, before, False)


def test_two_selectors_that_lead_to_one_name_are_refused() -> None:
    seen = [sight(name, "-", "-", canonical="dkim.example.net") for name in "ab"]
    found = decide(ring(a=CURRENT, b=NEXT), ledger(), look(*seen), POLICY, at(0))
    assert found.action is Action.REFUSE
    assert "an alias leads it and the selector a to dkim.example.net" in str(found.findings[0])


def test_a_stranger_at_our_name_is_told_and_a_persons_revocation_is_not_undone() -> None:
    for text in ("a?", "!"):
        found = decide(ring(a=CURRENT), ledger(a=(RIPE, 0)), both(a=text), POLICY, at(9))
        assert any("another record stands there" in one.what and one.trouble for one in found.findings)
        assert not found.prune


AGE = timedelta(days=10)
DUE = [
    ("the first", ring(), POLICY, 0, "no keys yet"),
    ("on their way", ring(a=NEXT), POLICY, 999, ""),
    ("young", ring(a=CURRENT), POLICY, 8.9, ""),
    ("old", ring(a=CURRENT), POLICY, 10, "10 days"),
    ("old, not by itself", ring(a=CURRENT), replace(POLICY, every=timedelta(0)), 999, ""),
    ("asked for", ring(a=CURRENT), replace(POLICY, rotate=True), 0, "asks"),
    ("asked for twice", ring(a=CURRENT, b=NEXT), replace(POLICY, rotate=True), 0, ""),
    ("other algorithms", ring(a=CURRENT), replace(POLICY, algorithms=("rsa", "ed25519")), 0, "algorithms"),
    ("a clock turned back", ring(a=CURRENT), POLICY, -999, ""),
    ("too many", ring(a=CURRENT, **{f"x{n}": RETIRED for n in range(MOST_GENERATIONS)}), POLICY, 99, ""),
]


@pytest.mark.parametrize("keys,policy,days,why", [row[1:] for row in DUE], ids=[row[0] for row in DUE])
def test_when_new_keys_are_due(keys: Ring, policy: Policy, days: float, why: str) -> None:
    found = due(keys, policy, NOON + timedelta(days=days))
    assert why in found
    assert bool(found) is bool(why)


def test_rotations_of_many_domains_do_not_fall_on_one_day() -> None:
    """Somewhere in the last tenth of the time, and the same at every look."""
    rings = [Ring(DOMAIN, (Generation(f"g{n}", CURRENT, NOON, (A,)),)) for n in range(200)]
    hours = [sum(not due(one, POLICY, NOON + timedelta(days=9, hours=h)) for h in range(24)) for one in rings]
    assert len(set(hours)) > 20
    assert min(hours) < 3
    assert max(hours) > 20


def test_a_reboot_each_day_does_not_make_a_hold_endless() -> None:
    known = replace(ledger(0, a=(RIPE, 0), b=(RIPE, 0)), waits={"a": Wait(RETIRED, timedelta(0), at(0))})
    keys = ring(a=RETIRED, b=CURRENT)
    for day in range(10):
        for hour in range(4):
            now = Moment(NOON + timedelta(days=day, hours=hour), f"boot{day}", 60 + hour * 3600)
            known = decide(keys, known, both(a="a", b="b"), POLICY, now).ledger
            if day == 6:
                assert known.life.phase(A) is RIPE
    assert known.life.phase(A) is RETIRING


def test_texts_are_read_however_they_are_cut() -> None:
    long = "v=DKIM1; p=" + "A" * 400
    assert texts([txt(long)]) == {long}
    assert texts([parse("TXT", '"v=DKIM1; " "p=QUFB"')]) == {"v=DKIM1; p=QUFB"}
    assert same("v=DKIM1; k=rsa; p=QUFB", "v=DKIM1;p=QU FB")
    assert not same("v=DKIM1; k=rsa; p=QUFB", "v=DKIM1; p=QUFC")
    assert not same("v=DKIM1; k=rsa; p=QUFB", "v=spf1 -all")


# years of rotations


@dataclass
class World:
    """A zone on lagging servers, a server that signs, mail on its way, caches; times in hours, the hold is `HOLD`."""

    rng: random.Random
    careless: bool = False
    tick: timedelta = timedelta(minutes=30)
    now: Moment = field(default_factory=lambda: at(0))
    zone: dict[str, str] = field(default_factory=dict)
    servers: list[dict[str, str]] = field(default_factory=lambda: [{}, {}, {}])
    ring: Ring = field(default_factory=lambda: Ring(DOMAIN))
    ledger: Ledger = field(default_factory=lambda: Ledger(DOMAIN))
    signing: str = ""
    signed: dict[str, float] = field(default_factory=dict)  # when each selector signed last
    absent: dict[str, float] = field(default_factory=dict)  # when a server last said that there is none
    number: int = 0
    looked: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    broken: list[tuple[str, float]] = field(default_factory=list)

    def pass_time(self) -> None:
        self.now = Moment(self.now.wall + self.tick, self.now.boot, self.now.up + self.tick.total_seconds())
        if self.rng.random() < 0.002:
            self.now = replace(self.now, boot=f"boot{self.rng.random()}")
        for index in range(len(self.servers)):
            if self.rng.random() < 0.4:
                self.servers[index] = dict(self.zone)
        self.looked = self.rng.choice([0, self.looked + 1]) if self.looked < 3 else 0
        if self.looked == 0:  # the server takes up the change some ticks later, within 2 x TTL
            self.signing = self.ring.current.name if self.ring.current else ""
        if self.signing:
            self.signed[self.signing] = self.now.up

    def check(self) -> None:
        """Whatever a cache may hold of a selector that signed within the hold, it holds the key."""
        for name in [one.name for one in self.ring.generations] + list(self.signed):
            if any(server.get(name) != selector(name).text for server in self.servers):
                self.absent[name] = self.now.up
        for name, last in self.signed.items():
            young = self.now.up - last <= HOLD.total_seconds()
            if young and self.now.up - self.absent.get(name, -1e9) <= 2 * TTL.total_seconds():
                self.broken.append((name, self.now.up))

    def look(self) -> Look:
        silent = self.rng.randrange(3) if self.rng.random() < 0.1 else None
        sights = []
        for name in {one.name for one in (*self.ring.selectors, *self.ledger.life.stages)}:
            shown = [server.get(name) for server in self.servers]
            found = [frozenset({txt(text)}) if text else frozenset() for text in shown]
            told = [
                Told(Server(f"ns{n}", str(n)), None if n == silent else answer, 3600) for n, answer in enumerate(found)
            ]
            answer = Answer(
                f"{name}.x", "TXT", Security.SECURE, items=self.rng.choice(found), ttl=3600, canonical=f"{name}.x"
            )
            sights.append(Sight(name, answer, Consensus(tuple(told)), DOMAIN))
        return Look(DOMAIN, tuple(sights), 3600)

    def run(self) -> None:
        """One run of the job: it may be killed before or after each write, and the provider fails one time in five."""
        if due(self.ring, POLICY, self.now.wall) or (not self.ring.next and self.rng.random() < 0.01):
            self.number += 1
            new = f"k{self.number}"
            self.ring = self.ring.added(Generation(new, NEXT, self.now.wall, (selector(new),)))
        if self.rng.random() < 0.002:  # the ledger is lost
            self.ledger = Ledger(DOMAIN)
        found = decide(self.ring, self.ledger, self.look(), POLICY, self.now)
        for act in (self.remember, self.write, self.turn):
            if self.rng.random() < 0.03:
                return
            act(found)

    def remember(self, found: Decision) -> None:
        self.ledger = found.ledger

    def write(self, found: Decision) -> None:
        if found.action is not Action.LATER and self.rng.random() < 0.8:
            self.zone |= {one.name: one.text for one in found.needed if one in found.publish}
            for one in found.prune if not found.publish else ():
                self.zone.pop(one.name, None)
                self.seen["pruned"] += 1

    def turn(self, found: Decision) -> None:
        if found.ready or (self.careless and self.ring.next):
            self.ring = self.ring.promoted(self.now.wall)
            self.seen["rotated"] += 1
        for name in found.gone:
            self.ring = self.ring.gone(name, self.now.wall)
        for name in found.over:
            assert not any(name in server for server in self.servers)
            self.ring = self.ring.without(name)
            self.seen["over"] += 1

    def live(self, days: int) -> World:
        for _ in range(int(timedelta(days=days) / self.tick)):
            self.pass_time()
            self.run()
            self.check()
        return self


SEEDS, DAYS = 4, 45


def worlds(**kind: bool) -> Iterator[World]:
    for seed in range(SEEDS):
        yield World(random.Random(seed), **kind).live(DAYS)


def test_every_signature_of_the_hold_verifies_whatever_the_weather_and_the_cache() -> None:
    seen: Counter[str] = Counter()
    for seed, world in enumerate(worlds()):
        assert world.broken == [], f"seed {seed}"
        seen += world.seen
        assert len(world.zone) <= 6, "what is pruned is really gone"
    print(f"{seen} in {SEEDS} worlds of {DAYS} days")
    assert seen["rotated"] > 60
    assert seen["over"] > 50


def test_the_oracle_sees_what_happens_to_who_signs_at_once() -> None:
    world = World(random.Random(0), careless=True).live(20)
    assert world.broken
