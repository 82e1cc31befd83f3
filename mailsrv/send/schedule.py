"""When a recipient is tried again, when its sender hears of the delay, and when we give up. Pure: a table and a machine.

    attempt   1     2      3      4      5       6     7, 8, ...
    then     5 min 10 min 20 min 40 min 80 min  3 h   4 h          each up to a fifth longer, by chance

Standards: RFC 5321 4.5.4.1 (give up after 4-5 days; a report of a delay), RFC 3461 5.2.5.
An attempt is never planned beyond the moment of a warning or the end of the lifetime, so the attempt that was planned for
such a moment is known by its plan: nothing else must be remembered for a warning to be sent once.
Fails by: nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mailsrv.store.door import NEVER

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """delays: after the first attempt, the second ...; the last one goes on. spread: how much longer by chance, a fraction."""

    delays: tuple[timedelta, ...] = (
        5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 40 * MINUTE, 80 * MINUTE, 3 * HOUR, 4 * HOUR,
    )  # fmt: skip
    spread: float = 0.2
    lifetime: timedelta = 5 * DAY
    notice_lifetime: timedelta = 2 * DAY  # of messages from the null sender
    warnings: tuple[timedelta, ...] = (4 * HOUR, 2 * DAY)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A recipient whose attempt ended in "later": `attempts` with this one, `planned` the moment it was planned for."""

    received: datetime
    planned: datetime
    attempts: int
    notice: bool = False  # the null sender's


@dataclass(frozen=True, slots=True)
class Again:
    """Try at `when`; `warn`: the sender should hear of the delay now. `until`: when we shall give up."""

    when: datetime
    warn: bool
    until: datetime


@dataclass(frozen=True, slots=True)
class Expired:
    """Its lifetime is over."""

    since: datetime


def step(schedule: Schedule, waiting: Waiting, now: datetime, chance: float) -> Again | Expired:
    """One failed attempt looked at; `chance` is in [0, 1)."""
    until = waiting.received + (schedule.notice_lifetime if waiting.notice else schedule.lifetime)
    if now >= until:
        return Expired(until)
    moments = [waiting.received + after for after in schedule.warnings]
    delay = schedule.delays[min(max(waiting.attempts, 1), len(schedule.delays)) - 1]
    wanted = now + delay * (1 + schedule.spread * chance)
    when = min([wanted, until, *(moment for moment in moments if moment > now)])
    warn = not waiting.notice and any(waiting.planned <= moment <= now for moment in moments)
    return Again(when, warn, until)


def held(when: datetime) -> bool:
    return when == NEVER
