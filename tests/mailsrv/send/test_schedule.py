"""When a recipient is tried again, and when its sender hears."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from mailsrv.send.schedule import DAY, HOUR, MINUTE, Again, Expired, Schedule, Waiting, step

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TABLE = Schedule()


@pytest.mark.parametrize(
    "attempts,after",
    [(1, 5 * MINUTE), (2, 10 * MINUTE), (3, 20 * MINUTE), (4, 40 * MINUTE), (5, 80 * MINUTE), (6, 3 * HOUR), (7, 4 * HOUR), (99, 4 * HOUR)],
)  # fmt: skip
def test_the_delays_grow_as_the_table_says(attempts: int, after: timedelta) -> None:
    now = NOON + 5 * HOUR
    again = step(TABLE, Waiting(NOON, now, attempts), now, 0.0)
    assert isinstance(again, Again)
    assert again.when == now + after


def test_chance_makes_them_longer_and_never_shorter() -> None:
    now = NOON + 5 * HOUR
    whens = [step(TABLE, Waiting(NOON, now, 7), now, chance) for chance in (0.0, 0.5, 0.99)]
    assert [w.when - now for w in whens if isinstance(w, Again)] == sorted(
        w.when - now for w in whens if isinstance(w, Again)
    )
    assert all(isinstance(w, Again) and 4 * HOUR <= w.when - now <= 4.8 * HOUR for w in whens)


@pytest.mark.parametrize(
    "planned,now,warn",
    [
        (4 * HOUR, 4 * HOUR, True),  # planned for the moment, and in time
        (4 * HOUR, 9 * HOUR, True),  # the server was down at that moment
        (3 * HOUR, 4 * HOUR, True),  # due before, tried only then
        (3 * HOUR, 3 * HOUR, False),
        (5 * HOUR, 5 * HOUR, False),  # the warning was an earlier attempt's
        (2 * DAY, 2 * DAY, True),
    ],
)
def test_the_attempt_that_was_planned_across_a_moment_warns(planned: timedelta, now: timedelta, warn: bool) -> None:
    again = step(TABLE, Waiting(NOON, NOON + planned, 9), NOON + now, 0.3)
    assert isinstance(again, Again)
    assert again.warn is warn


@pytest.mark.parametrize("notice,lifetime", [(False, 5 * DAY), (True, 2 * DAY)])
def test_a_life_whatever_the_weather(notice: bool, lifetime: timedelta) -> None:
    """Warnings once each and never for the null sender; the last attempt is at the end of the lifetime, none after it."""
    for seed in range(50):
        rng = random.Random(seed)
        planned, now, attempts, warnings = NOON, NOON, 0, 0
        while True:
            attempts += 1
            after = step(TABLE, Waiting(NOON, planned, attempts, notice), now, rng.random())
            if isinstance(after, Expired):
                break
            assert now < after.when <= NOON + lifetime
            warnings += after.warn
            planned = after.when
            now = after.when + (timedelta(seconds=rng.choice([0, 0, 1, 30, 4000])))
        assert warnings == (0 if notice else 2)
        assert NOON + lifetime <= now <= NOON + lifetime + timedelta(seconds=4000)
