"""Waiting counts on the clock that nobody can set; another boot begins it anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dnsops.base import clock
from dnsops.base.moment import Moment

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
THEN = Moment(NOON, "boot-a", 1000.0)


@pytest.mark.parametrize(
    "later, waited",
    [
        (Moment(NOON, "boot-a", 1060.0), timedelta(minutes=1)),  # the wall clock stood still
        (Moment(NOON + timedelta(days=3650), "boot-a", 1060.0), timedelta(minutes=1)),  # it jumped ahead
        (Moment(NOON - timedelta(days=3650), "boot-a", 1060.0), timedelta(minutes=1)),  # it jumped back
        (Moment(NOON, "boot-a", 1000.0), timedelta(0)),
        (Moment(NOON + timedelta(days=1), "boot-b", 5000.0), None),  # a reboot: nobody can tell
        (Moment(NOON + timedelta(days=1), "boot-a", 999.0), None),  # a clock that ran back is another clock
    ],
)
def test_how_long_ago_it_was(later: Moment, waited: timedelta | None) -> None:
    assert later.after(THEN) == waited


def test_it_survives_the_disk() -> None:
    assert Moment.from_json(THEN.as_json()) == THEN


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"wall": "x", "boot": "a", "up": 1},
        {"wall": "2026-01-01T12:00:00", "boot": "a", "up": 1},
        {"wall": NOON.isoformat(), "boot": "a", "up": "x"},
    ],
)
def test_what_is_no_moment_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Moment.from_json(data)


def test_the_clock_goes_forward() -> None:
    first, second = clock.now(), clock.now()
    waited = second.after(first)
    assert waited is not None
    assert waited >= timedelta(0)
    assert first.wall.tzinfo is UTC
    assert first.boot != "unknown"
