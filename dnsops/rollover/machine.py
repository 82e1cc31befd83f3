"""The life of keys whose public halves are in DNS: publish before use, use before forgetting.

Every record has a life of its own, so that any number of keys (current and next, RSA and ECDSA, one an address) and any
surprise in mid-air (a foreign renewal, a human's hand, a lost answer, a reboot) meet the same few rules:

              asked for        every server shows it       2 x TTL later          not wanted, not served    2 x TTL later
    (nothing) ---------> ASKED -------------------> SPREADING ---------> RIPE -------------------> RETIRING -----> (gone)
                           ^------ lost somewhere ------'-----------------'                           |
                                              '<----------- wanted or served again ------------------'

- An addition is never held up: a served key whose record is missing fails senders every minute.
  One exception: the first usable record of a name, while the port shows a key that it would not match.
- A key is served only when all its records are RIPE and every server answers right now.
- A record goes only when RETIRING for 2 x TTL, every server and every address of the port answers, and each key shown
  there is matched by another record that is RIPE.

Standards: RFC 7671 8 (publish before deploying, withdraw after), RFC 7672 2.1 (what a sender does with a mismatch).
Fails by: waiting. When in doubt about what the world sees, a step allows additions only.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum
from typing import Generic, TypeVar

from dnsops.base.moment import Moment

K = TypeVar("K", bound=Hashable)

NOTHING = timedelta(0)
SHORTEST_TTL = timedelta(seconds=1)  # who answers with TTL 0 is still believed for the length of a connection


class Phase(Enum):
    """Where a record stands; the value is for people."""

    ASKED = "publication asked for, not yet on every server"
    SPREADING = "on every server; resolvers may still hold older answers"
    RIPE = "everybody who asks sees it"
    RETIRING = "no longer needed; resolvers and senders may still hold answers from before"


@dataclass(frozen=True, slots=True)
class Stage:
    phase: Phase
    since: Moment


@dataclass(frozen=True, slots=True)
class Life(Generic[K]):
    """All records of one name that are in our care. `ttl`: the largest that may still sit in a cache, last seen then."""

    stages: Mapping[K, Stage] = field(default_factory=dict)
    ttl: timedelta = NOTHING
    ttl_seen: Moment | None = None

    @property
    def hold(self) -> timedelta:
        """How long every wait is: twice the largest TTL."""
        return 2 * max(self.ttl, SHORTEST_TTL)

    def phase(self, key: K) -> Phase | None:
        stage = self.stages.get(key)
        return stage.phase if stage else None


@dataclass(frozen=True, slots=True)
class Wanted(Generic[K]):
    """Records of the keys in use, and of the key announced for later (empty without one).

    kept: records that somebody wants who is not part of this look: not asked for here, and not removed here.
    """

    current: frozenset[K]
    next: frozenset[K] = frozenset()
    kept: frozenset[K] = frozenset()

    @property
    def all(self) -> frozenset[K]:
        return self.current | self.next


@dataclass(frozen=True, slots=True)
class Seen(Generic[K]):
    """One look at the world.

    everywhere: what all authoritative servers and the validated answer show; None when one is silent or unproven.
    anywhere: what at least one of them shows.
    usable: those in `anywhere` that a sender would act on; none while some server shows nothing of the kind.
    shown: for each address of the port that answered, which records its key satisfies.
    blind: addresses that did not answer, so that nobody knows what they show.
    """

    everywhere: frozenset[K] | None
    anywhere: frozenset[K]
    usable: frozenset[K]
    ttl: timedelta
    shown: tuple[frozenset[K], ...] = ()
    blind: bool = False

    @property
    def served(self) -> frozenset[K]:
        return frozenset().union(*self.shown)


@dataclass(frozen=True, slots=True)
class Step(Generic[K]):
    """The life afterwards, what may be done now, and what is being waited for.

    publish: records that no server shows.  needed: all that must stand there once they are published - at the primary a
    record may be gone that secondaries still show, and must not be left out there when another is added.
    withheld: wanted records whose publication would break what works.  ready: the next key may be served from now on.
    wait: how long until time alone allows the next act; None when nothing waits for time.
    """

    life: Life[K]
    publish: frozenset[K] = frozenset()
    needed: frozenset[K] = frozenset()
    withheld: frozenset[K] = frozenset()
    prune: frozenset[K] = frozenset()
    ready: bool = False
    wait: timedelta | None = None


def step(life: Life[K], wanted: Wanted[K], seen: Seen[K], now: Moment) -> Step[K]:
    """One look, one step: pure, and safe to take as often as anyone likes."""
    life = _remember_ttl(life, seen, now)
    needed = wanted.all | (seen.served & frozenset(life.stages))
    alive = needed | (wanted.kept & seen.anywhere & frozenset(life.stages))
    life = replace(life, stages=_aged(life, alive, seen, now))
    missing = frozenset(key for key in needed if life.phase(key) is Phase.ASKED and key not in seen.anywhere)
    publish = missing if _harmless(needed, seen) else frozenset()
    return Step(
        life,
        publish=publish,
        needed=needed,
        withheld=missing - publish,
        prune=_prunable(life, wanted, seen, now),
        ready=_ready(life, wanted, seen),
        wait=_wait(life, now),
    )


def _remember_ttl(life: Life[K], seen: Seen[K], now: Moment) -> Life[K]:
    """A TTL that was lowered still lives in caches: the largest counts until it has run out there as well."""
    aged = now.after(life.ttl_seen) if life.ttl_seen else None
    if life.ttl_seen is None or seen.ttl >= life.ttl or (aged is not None and aged >= life.hold and seen.ttl):
        return replace(life, ttl=seen.ttl, ttl_seen=now)
    return life if aged is not None else replace(life, ttl_seen=now)


def _aged(life: Life[K], needed: frozenset[K], seen: Seen[K], now: Moment) -> dict[K, Stage]:
    """Every record's stage after this look. Needed: wanted, or once ours and served (again)."""
    stages: dict[K, Stage] = {}
    for key in [*life.stages, *(needed - frozenset(life.stages))]:
        old = life.stages.get(key, Stage(Phase.ASKED, now))
        phase = _next_phase(key, old, key in needed, seen, life.hold, now)
        if phase is not None:
            restarted = phase is not old.phase or now.after(old.since) is None
            stages[key] = Stage(phase, now) if restarted else old
    return stages


def _next_phase(key: K, stage: Stage, needed: bool, seen: Seen[K], hold: timedelta, now: Moment) -> Phase | None:
    """The transitions of the picture above; None when the record is gone."""
    known = seen.everywhere is not None
    on_all = seen.everywhere is not None and key in seen.everywhere
    match stage.phase:
        case Phase.RETIRING if not needed:
            return None if known and key not in seen.anywhere else Phase.RETIRING
        case _ if not needed:
            return Phase.RETIRING
        case Phase.ASKED | Phase.RETIRING:
            return Phase.SPREADING if on_all else Phase.ASKED
        case Phase.SPREADING | Phase.RIPE if (known and not on_all) or key not in seen.anywhere:
            return Phase.ASKED  # lost: a server that is silent does not hide that the others lack it
        case Phase.SPREADING if on_all and (now.after(stage.since) or NOTHING) >= hold:
            return Phase.RIPE
    return stage.phase


def _harmless(needed: frozenset[K], seen: Seen[K]) -> bool:
    """Whether publishing breaks nothing that works: a name without usable records is not verified by anyone."""
    if seen.usable:
        return True  # senders verify already; one more record can only help
    return bool(seen.shown) and all(address & needed for address in seen.shown)


def _prunable(life: Life[K], wanted: Wanted[K], seen: Seen[K], now: Moment) -> frozenset[K]:
    """Records whose time has come, if everything that is shown stays matched without them."""
    if seen.everywhere is None or seen.blind or not seen.shown:
        return frozenset()
    ripe = frozenset(key for key, stage in life.stages.items() if stage.phase is Phase.RIPE) & seen.everywhere
    if not wanted.current <= ripe or not all(address & ripe for address in seen.shown):
        return frozenset()
    return frozenset(key for key in life.stages if key in seen.anywhere and _ran_out(life, key, now))


def _ran_out(life: Life[K], key: K, now: Moment) -> bool:
    stage = life.stages[key]
    return stage.phase is Phase.RETIRING and (now.after(stage.since) or NOTHING) >= life.hold


def _ready(life: Life[K], wanted: Wanted[K], seen: Seen[K]) -> bool:
    if seen.everywhere is None or not wanted.next:
        return False
    return wanted.next <= seen.everywhere and all(life.phase(key) is Phase.RIPE for key in wanted.next)


def _wait(life: Life[K], now: Moment) -> timedelta | None:
    waiting = [s for s in life.stages.values() if s.phase in (Phase.SPREADING, Phase.RETIRING)]
    if not waiting:
        return None
    return max(max(life.hold - (now.after(stage.since) or NOTHING), NOTHING) for stage in waiting)
