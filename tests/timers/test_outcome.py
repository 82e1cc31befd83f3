"""An outcome says what became of a run, survives the disk, and decides when the next one is due."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from timers import outcome
from timers.outcome import Outcome, State, due, in_one_line, state_of
from timers.table import Job

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
JOB = Job("j", "does", ("x",), every=timedelta(minutes=5), after_boot=timedelta(minutes=2))


def ran(started: datetime = NOON, state: State = State.OK, failures: int = 0) -> Outcome:
    return Outcome("j", started, started + timedelta(seconds=2), 2.0, 0, state, "fine", failures)


STATUSES = [
    (0, "OK"),
    (1, "FINDINGS"),
    (2, "FINDINGS"),
    (64, "FAILED"),
    (70, "BUG"),
    (75, "LATER"),
    (78, "FAILED"),
    (-9, "FAILED"),
]


@pytest.mark.parametrize("status, state", STATUSES)
def test_statuses(status: int, state: str) -> None:
    assert state_of(status).name == state


def reconciled(action: str, **result: object) -> str:
    return json.dumps(
        {"action": action, "results": [{"name": "_25._tcp.a", "action": action, "why": "because", **result}]}
    )


TEXTS = [
    # status, stdout, stderr, text
    (0, "", "", ""),
    (9, "", "", "it ended with status 9"),
    (1, "a\nb\n\n", "", "b"),
    (1, "a", "mailsrv: what - now", "what - now"),
    (75, '{"error": "busy", "where": "x", "advice": "y"}', "log line", "x: busy"),
    (0, reconciled("none"), "log", "none: because"),
    (
        1,
        reconciled("refuse", findings=[{"what": "small", "trouble": False}, {"what": "big", "trouble": True}]),
        "",
        "_25._tcp.a: big",
    ),
    (
        1,
        reconciled("x", findings=[{"what": "1", "trouble": True}, {"what": "2", "trouble": True}]),
        "",
        "_25._tcp.a: 1 (and 1 more)",
    ),
    (0, '{"results": [1, {"findings": 7}]}', "last", "last"),
    (0, "[" * 100_000, "", "[" * 497 + "..."),
    (1, "evil\x1b[2J\u202e", "", "evil\\x1b[2J\\u202e"),
]


@pytest.mark.parametrize("status, stdout, stderr, text", TEXTS, ids=range(len(TEXTS)))
def test_a_run_in_one_line(status: int, stdout: str, stderr: str, text: str) -> None:
    assert in_one_line(status, stdout, stderr) == text


def test_json_and_back() -> None:
    value = ran(state=State.LATER, failures=3)
    assert outcome.from_json(json.dumps(value.as_json()).encode()) == value


def test_damage_is_a_value_error_wherever_it_is() -> None:
    whole = json.dumps(ran().as_json()).encode()
    for end in range(len(whole)):
        with pytest.raises(ValueError, match="not an outcome"):
            outcome.from_json(whole[:end])
    for wrong in (
        b"[]",
        b"1",
        b"null",
        b"\xff",
        b"[" * 100_000,
        whole.replace(b"+00:00", b""),
        whole.replace(b"ok", b"okay"),
    ):
        with pytest.raises(ValueError, match="not an outcome"):
            outcome.from_json(wrong)


HOUR = timedelta(hours=1)
DUE = [
    # last start, uptime, due after now
    (None, HOUR, timedelta(0)),
    (None, timedelta(0), timedelta(minutes=2)),
    (NOON - timedelta(minutes=1), HOUR, timedelta(minutes=4)),
    (NOON - timedelta(days=9), HOUR, timedelta(0)),  # many missed: one, now
    (NOON - timedelta(days=9), timedelta(minutes=1), timedelta(minutes=1)),
    (NOON + timedelta(days=9), HOUR, timedelta(minutes=5)),  # the clock was set back
]


@pytest.mark.parametrize("started, up, wait", DUE)
def test_due(started: datetime | None, up: timedelta, wait: timedelta) -> None:
    assert due(JOB, ran(started) if started else None, NOON, up) - NOON == wait
