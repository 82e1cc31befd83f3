"""The life of keys: the transitions as a table, and thousands of rollovers in a world that lags, lies low and interferes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from dnsops.base.moment import Moment
from dnsops.rollover.machine import Life, Phase, Seen, Stage, Wanted, step

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TTL = timedelta(hours=1)
SEEDS = 10
DAYS = 30


def at(hours: float, boot: str = "one") -> Moment:
    return Moment(NOON + timedelta(hours=hours), boot, 1000 + hours * 3600)


def seen(everywhere: str | None, shown: str = "a", anywhere: str | None = None, blind: bool = False) -> Seen[str]:
    """A look; each letter is a record, each word of `shown` an address."""
    there = frozenset(anywhere if anywhere is not None else everywhere or "")
    faces = tuple(frozenset(word) for word in shown.split())
    return Seen(None if everywhere is None else frozenset(everywhere), there, there, TTL, faces, blind)


def life(**stages: tuple[Phase, float]) -> Life[str]:
    return Life({key: Stage(phase, at(hours)) for key, (phase, hours) in stages.items()}, TTL, at(0))


A = Wanted(frozenset("a"))
AB = Wanted(frozenset("a"), frozenset("b"))
B = Wanted(frozenset("b"))
KEPT = Wanted(frozenset("b"), kept=frozenset("a"))

ASKED, SPREADING, RIPE, RETIRING = Phase
TRANSITIONS = [
    # the life, what is wanted, what is seen, at hour, -> phases, published, pruned, ready
    ("the first record, its key served", life(), A, seen(""), 0, "a=ASKED", "a", "", False),
    ("the first record, another key served", life(), A, seen("", shown="x"), 0, "a=ASKED", "", "", False),
    ("the first record, one address odd", life(), A, seen("", shown="a x"), 0, "a=ASKED", "", "", False),
    ("the first record, nobody could look", life(), A, seen("", shown=""), 0, "a=ASKED", "", "", False),
    ("not the first: another key served", life(), A, seen("z", shown="x"), 0, "a=ASKED", "a", "", False),
    ("in sync at first sight", life(), A, seen("a"), 0, "a=SPREADING", "", "", False),
    ("a secondary lags", life(a=(ASKED, 0)), A, seen("", anywhere="a"), 1, "a=ASKED", "", "", False),
    ("a server is silent: additions go on", life(), A, seen(None, anywhere="z"), 0, "a=ASKED", "a", "", False),
    ("spreading, not long enough", life(a=(SPREADING, 0)), A, seen("a"), 1.9, "a=SPREADING", "", "", False),
    ("spreading for two TTLs", life(a=(SPREADING, 0)), A, seen("a"), 2, "a=RIPE", "", "", False),
    (
        "spreading while a server is silent",
        life(a=(SPREADING, 0)),
        A,
        seen(None, anywhere="a"),
        3,
        "a=SPREADING",
        "",
        "",
        False,
    ),
    ("ripe, then lost everywhere", life(a=(RIPE, 0)), A, seen("", shown="a"), 9, "a=ASKED", "a", "", False),
    ("ripe, then lost at one server", life(a=(RIPE, 0)), A, seen("", anywhere="a"), 9, "a=ASKED", "", "", False),
    ("ripe, then lost, a server silent", life(a=(RIPE, 0)), A, seen(None, anywhere="z"), 9, "a=ASKED", "a", "", False),
    (
        "somebody else's, kept",
        life(a=(RIPE, 0), b=(RIPE, 0)),
        KEPT,
        seen("ab", shown="b"),
        9,
        "a=RIPE b=RIPE",
        "",
        "",
        False,
    ),
    (
        "somebody else's, lost",
        life(a=(RIPE, 0), b=(RIPE, 0)),
        KEPT,
        seen("b", shown="b"),
        9,
        "a=RETIRING b=RIPE",
        "",
        "",
        False,
    ),
    ("the next key announced", life(a=(RIPE, 0)), AB, seen("a"), 9, "a=RIPE b=ASKED", "b", "", False),
    ("the next key ripe", life(a=(RIPE, 0), b=(SPREADING, 0)), AB, seen("ab"), 2, "a=RIPE b=RIPE", "", "", True),
    (
        "ripe, a server silent",
        life(a=(RIPE, 0), b=(RIPE, 0)),
        AB,
        seen(None, anywhere="ab"),
        9,
        "a=RIPE b=RIPE",
        "",
        "",
        False,
    ),
    ("switched", life(a=(RIPE, 0), b=(RIPE, 0)), B, seen("ab", shown="b"), 9, "a=RETIRING b=RIPE", "", "", False),
    (
        "switched, but one address shows the old",
        life(a=(RIPE, 0), b=(RIPE, 0)),
        B,
        seen("ab", shown="b a"),
        9,
        "a=RIPE b=RIPE",
        "",
        "",
        False,
    ),
    (
        "retiring, not long enough",
        life(a=(RETIRING, 0), b=(RIPE, 0)),
        B,
        seen("ab", shown="b"),
        1.9,
        "a=RETIRING b=RIPE",
        "",
        "",
        False,
    ),
    (
        "retiring for two TTLs",
        life(a=(RETIRING, 0), b=(RIPE, 0)),
        B,
        seen("ab", shown="b"),
        2,
        "a=RETIRING b=RIPE",
        "",
        "a",
        False,
    ),
    (
        "retired, a server silent",
        life(a=(RETIRING, 0), b=(RIPE, 0)),
        B,
        seen(None, shown="b", anywhere="ab"),
        9,
        "a=RETIRING b=RIPE",
        "",
        "",
        False,
    ),
    (
        "retired, an address blind",
        life(a=(RETIRING, 0), b=(RIPE, 0)),
        B,
        seen("ab", shown="b", blind=True),
        9,
        "a=RETIRING b=RIPE",
        "",
        "",
        False,
    ),
    (
        "retired, nobody could look",
        life(a=(RETIRING, 0), b=(RIPE, 0)),
        B,
        seen("ab", shown=""),
        9,
        "a=RETIRING b=RIPE",
        "",
        "",
        False,
    ),
    (
        "retired, an address shows a stranger",
        life(a=(RETIRING, 0), b=(RIPE, 0)),
        B,
        seen("ab", shown="b x"),
        9,
        "a=RETIRING b=RIPE",
        "",
        "",
        False,
    ),
    (
        "retired, the new one not ripe",
        life(a=(RETIRING, 0), b=(SPREADING, 1)),
        B,
        seen("ab", shown="b"),
        2,
        "a=RETIRING b=SPREADING",
        "",
        "",
        False,
    ),
    (
        "retired, its key is served again",
        life(a=(RETIRING, 0), b=(RIPE, 0)),
        B,
        seen("ab", shown="a"),
        9,
        "a=SPREADING b=RIPE",
        "",
        "",
        False,
    ),
    ("pruned and gone", life(a=(RETIRING, 0), b=(RIPE, 0)), B, seen("b", shown="b"), 9, "b=RIPE", "", "", False),
    (
        "a foreign renewal without warning",
        life(a=(RIPE, 0)),
        B,
        seen("a", shown="b"),
        9,
        "a=RETIRING b=ASKED",
        "b",
        "",
        False,
    ),
]


@pytest.mark.parametrize(
    "before,wanted,look,hour,phases,publish,prune,ready",
    [row[1:] for row in TRANSITIONS],
    ids=[row[0] for row in TRANSITIONS],
)
def test_every_transition(
    before: Life[str],
    wanted: Wanted[str],
    look: Seen[str],
    hour: float,
    phases: str,
    publish: str,
    prune: str,
    ready: bool,
) -> None:
    result = step(before, wanted, look, at(hour))
    assert " ".join(f"{k}={s.phase.name}" for k, s in sorted(result.life.stages.items())) == phases
    assert result.publish == frozenset(publish)
    assert result.prune == frozenset(prune)
    assert result.ready is ready


def test_a_reboot_begins_the_wait_again() -> None:
    early = Moment(NOON + timedelta(days=9), "two", 5)
    result = step(life(a=(RIPE, 0), b=(SPREADING, 0)), AB, seen("ab"), early)
    assert result.life.phase("b") is Phase.SPREADING
    assert result.life.stages["b"].since == early
    assert result.wait == 2 * TTL


def test_nobody_can_turn_the_clock() -> None:
    leap = Moment(NOON + timedelta(days=3650), "one", 1000 + 60)
    assert step(life(a=(RIPE, 0), b=(SPREADING, 0)), AB, seen("ab"), leap).life.phase("b") is Phase.SPREADING


def test_a_lowered_ttl_counts_only_after_the_old_one_ran_out() -> None:
    low = replace(seen("ab"), ttl=timedelta(seconds=60))
    soon = step(life(a=(RIPE, 0), b=(SPREADING, 0)), AB, low, at(1))
    assert soon.life.ttl == TTL
    assert step(soon.life, AB, low, at(2.1)).life.ttl == timedelta(seconds=60)


@dataclass
class Weather:
    """One simulated name: servers that lag or fall silent, caches that hold old answers, hosts that switch keys."""

    rng: random.Random
    tick: timedelta = timedelta(minutes=5)
    ttl: timedelta = TTL
    vandal: float = 0.0
    surprise: float = 0.0
    now: Moment = field(default_factory=lambda: at(0))
    zone: frozenset[str] = frozenset({"k0"})
    servers: list[frozenset[str]] = field(default_factory=lambda: [frozenset({"k0"})] * 3)
    history: list[tuple[Moment, frozenset[str]]] = field(default_factory=list)
    served: str = "k0"
    number: int = 0
    rolls: int = 0
    surprises: int = 0
    dark: timedelta = timedelta(0)
    bad: int = 0

    def pass_time(self) -> None:
        self.now = Moment(self.now.wall + self.tick, self.now.boot, self.now.up + self.tick.total_seconds())
        if self.rng.random() < 0.002:  # a reboot; somebody also turns the wall's clock
            odd = timedelta(days=self.rng.choice([-400, 0, 400]))
            self.now = Moment(self.now.wall + odd, f"boot{self.rng.random()}", self.now.up)
        for index in range(len(self.servers)):
            if self.rng.random() < 0.5:
                self.servers[index] = self.zone
        self.history += [(self.now, answer) for answer in set(self.servers)]
        # resolvers may hold any answer given in the last TTL; the boot is the observer's, so count by `up`
        self.history = [(t, answer) for t, answer in self.history if self.now.up - t.up <= self.ttl.total_seconds()]

    def check(self) -> None:
        """The oracle: whatever a resolver may hold, non-empty, matches the served key."""
        if any(answer and self.served not in answer for _, answer in self.history):
            self.dark += self.tick
            self.bad += 1

    def look(self) -> Seen[str]:
        silent = self.rng.random() < 0.1
        there = frozenset().union(*self.servers)
        shown = () if self.rng.random() < 0.1 else (frozenset({self.served}),)
        common = None if silent else frozenset.intersection(*self.servers)
        return Seen(common, there, there, self.ttl, shown, blind=not shown)


def roll(weather: Weather, days: int) -> Weather:
    """Drive the machine through `days` of weather, rolling keys now and then."""
    state: Life[str] = Life()
    upcoming: str | None = None
    for _ in range(int(timedelta(days=days) / weather.tick)):
        weather.pass_time()
        if upcoming is None and weather.rng.random() < 0.02:
            weather.number += 1
            upcoming = f"k{weather.number}"
        if weather.surprise and weather.rng.random() < weather.surprise:
            weather.number += 1
            weather.served, upcoming = f"k{weather.number}", None
            weather.surprises += 1
        if weather.vandal and weather.rng.random() < weather.vandal:
            weather.zone = frozenset()
        wanted = Wanted(frozenset({weather.served}), frozenset({upcoming} if upcoming else ()))
        result = step(state, wanted, weather.look(), weather.now)
        killed = weather.rng.random() < 0.1
        if weather.rng.random() < 0.8:  # the provider fails one time in five
            weather.zone = (weather.zone | (result.needed if result.publish else frozenset())) - result.prune
        if result.ready and upcoming and not result.publish:
            weather.served, upcoming = upcoming, None
            weather.rolls += 1
        if not killed:  # killed before the ledger was written: the next look starts from the old one
            state = result.life
        weather.check()
    return weather


def worlds(**kind: float) -> Iterator[Weather]:
    for seed in range(SEEDS):
        yield roll(Weather(random.Random(seed), **kind), days=DAYS)  # type: ignore[arg-type]


def test_no_outage_whatever_the_weather() -> None:
    results = [(seed, world) for seed, world in enumerate(worlds())]
    rolls = sum(world.rolls for _, world in results)
    print(f"{rolls} rollovers in {SEEDS} worlds of {DAYS} days, seeds 0 to {SEEDS - 1}")
    assert [(seed, world.dark) for seed, world in results if world.bad] == []
    assert rolls > 1000


def test_what_a_foreign_surprise_costs_is_one_ttl_and_no_more() -> None:
    """A key that changes without warning cannot be helped for as long as caches hold the old answer."""
    hits, dark = 0, timedelta(0)
    for world in worlds(surprise=0.001):
        hits += world.surprises
        dark += world.dark
    print(f"{dark / hits} of trouble for each of {hits} changes")
    assert timedelta(0) < dark / hits < TTL + timedelta(minutes=45)


def test_a_vandal_who_empties_the_zone_causes_no_refusal() -> None:
    """No record means no verification: the repair must never publish a record that the served key does not match."""
    assert [(seed, world.dark) for seed, world in enumerate(worlds(vandal=0.002)) if world.bad] == []


def serve_first(weather: Weather) -> None:
    """The article's order: the key first, a timer repairs DNS afterwards."""
    for _ in range(int(timedelta(days=DAYS) / weather.tick)):
        weather.pass_time()
        if weather.rng.random() < 0.005:
            weather.number += 1
            weather.served = f"k{weather.number}"
        else:
            weather.zone = frozenset({weather.served})
        weather.check()


@pytest.mark.parametrize("policy", [serve_first])
def test_the_oracle_sees_the_outage_of_the_old_order(policy: Callable[[Weather], None]) -> None:
    world = Weather(random.Random(0))
    policy(world)
    assert world.dark / world.number > TTL / 2
