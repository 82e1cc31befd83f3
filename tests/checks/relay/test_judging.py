"""What a server answered, good and bad, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from checks.catalogue.ourselves import RELAY
from checks.finding import Status
from checks.relay.facts import Cut, Facts, Tried
from checks.relay.judging import judge
from checks.relay.tricks import ENDINGS, body, tricks, unknown

NOW = datetime(2026, 11, 27, tzinfo=UTC)
ALL = tuple(tricks("example.org", "mx.example.org", "192.0.2.25"))
NO = tuple(Tried(one, 550, "550 5.7.1 no") for one in ALL)
CONTROL = Tried(unknown("example.org", "ab"), 550, "550 5.1.1 unknown")
GOOD = Facts(NOW, "mx.example.org", NO, CONTROL, tuple(Cut(one, (550,)) for one in ENDINGS))
LOCAL = next(number for number, one in enumerate(ALL) if one.local)


def taken(number: int) -> tuple[Tried, ...]:
    return (*NO[:number], Tried(ALL[number], 250, "250 ok"), *NO[number + 1 :])


def cut(replies: tuple[int, ...], arrived: bool | None = None) -> tuple[Cut, ...]:
    return (Cut(ENDINGS[0], replies, arrived=arrived), *GOOD.cuts[1:])


def test_a_good_server_has_no_finding_and_none_is_forgotten() -> None:
    found = judge(GOOD).findings
    assert {one.id for one in found} == {one.id for one in RELAY}
    assert {one.right for one in found} == {Status.GOOD}


@pytest.mark.parametrize(
    "name, change, wanted",
    [
        ("open", {"tried": taken(0)}, Status.FAIL),
        ("open", {"tried": taken(LOCAL)}, Status.FAIL),
        ("open", {"tried": taken(LOCAL), "unknown": replace(CONTROL, code=250)}, Status.NOTICE),
        ("open", {"tried": tuple(replace(one, code=0) for one in NO)}, Status.NOT_TESTED),
        ("open", {"tried": (), "unknown": None, "why": "refused"}, Status.NOT_TESTED),
        ("open", {"tried": (replace(NO[0], code=0), *NO[1:])}, Status.GOOD),
        (
            "open",
            {"tried": tuple(replace(one, code=450, said="450 4.7.1 greylisted") for one in NO)},
            Status.NOT_TESTED,
        ),
        ("open", {"tried": tuple(replace(one, code=554, outside=True) for one in NO)}, Status.NOT_TESTED),
        (
            "open",
            {"tried": tuple(replace(one, code=454, said="454 4.7.1 Relay access denied") for one in NO)},
            Status.GOOD,
        ),
        ("open", {"tried": (replace(NO[0], code=451), *NO[1:])}, Status.GOOD),
        ("open", {"tried": (*(replace(one, code=450) for one in NO[1:]), replace(NO[0], code=250))}, Status.FAIL),
        ("unknown", {"unknown": replace(CONTROL, code=250)}, Status.NOTICE),
        ("unknown", {"unknown": None}, Status.NOT_TESTED),
        ("smuggling", {"cuts": cut((250, 250, 250, 354, 250))}, Status.FAIL),
        ("smuggling", {"cuts": cut((250, 503))}, Status.FAIL),
        ("smuggling", {"cuts": cut((250,), arrived=True)}, Status.FAIL),
        ("smuggling", {"cuts": cut((250,), arrived=False)}, Status.GOOD),
        ("smuggling", {"cuts": (Cut(ENDINGS[0], why="450 later"),)}, Status.NOT_TESTED),
        ("smuggling", {"cuts": (), "untold": "no mailbox"}, Status.NOT_TESTED),
        ("bare", {"cuts": cut((250,))}, Status.INFO),
        ("bare", {"cuts": ()}, Status.NOT_TESTED),
    ],
)
def test_what_is_wrong_is_said(name: str, change: dict[str, object], wanted: Status) -> None:
    found = judge(replace(GOOD, **change)).findings  # type: ignore[arg-type]
    assert next(one.right for one in found if one.id == f"relay_{name}") is wanted


def test_what_says_nothing_about_relaying_is_told_by_its_kind() -> None:
    tried = (
        replace(NO[0], code=450, said="450 later"),
        replace(NO[1], code=0, said=""),
        replace(NO[2], outside=True),
        *NO[3:],
    )
    found = next(one for one in judge(replace(GOOD, tried=tried)).findings if one.id == "relay_open")
    assert found.details == (
        f"{len(NO) - 3} ways were refused",
        "1 ways: put off (greylisted, or too many): 450 later",
        "1 ways: turned away at EHLO, before anything was asked: 550 5.7.1 no",
        "1 ways: it hung up",
    )


def test_every_message_has_its_one_true_end_only() -> None:
    for ending in ENDINGS:
        content = body(ending, "a@b.test", "outer", "inner")
        assert content.count(b"\r\n.\r\n") == (0 if ending.data else 1), ending.name
