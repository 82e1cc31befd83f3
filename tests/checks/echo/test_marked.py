"""What an answer tells: known by its token, read in our own echo's form and in others'."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checks.catalogue.ourselves import ECHO
from checks.echo import marked
from checks.echo.judging import End, Trip, judge
from checks.finding import Status
from mailsrv.auth.verdicts import Authentication, Dkim, Dmarc, Result, Spf
from mailsrv.echo.reply import Seen, answer
from mailsrv.smtp.door import Client

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
MARK = marked.mark("abc123", "alice@example.org")
SENT = marked.message(MARK, "alice@example.org", "echo@example.net", NOW)
PASSED = Authentication(
    mail=Spf(Result.PASS, "example.org"), dkim=(Dkim(Result.PASS, "example.org", "s"),), dmarc=Dmarc(Result.FAIL, "example.org")
)  # fmt: skip
OURS = answer(
    Seen("echo@example.net", "mx.example.net", "alice@example.org", Client("192.0.2.1", 25), SENT, NOW, "t", PASSED)
)
OTHERS = (
    b"From: echo@other.test\r\nSubject: Re: Round trip abc123\r\nMessage-ID: <1@other.test>\r\n\r\nYou sent:\r\n\r\n"
    b"> Authentication-Results: mx.other.test;\r\n>   spf=pass smtp.mailfrom=example.org;\r\n>   dkim=fail header.d=example.org\r\n"
)
BOUNCE = b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\n\r\nabc123 could not be delivered\r\n--b--\r\n'


@pytest.mark.parametrize(
    "content, wanted", [(OURS, True), (OTHERS, True), (BOUNCE, True), (SENT, False), (b"Subject: x\r\n\r\n", False)]
)
def test_an_answer_is_known_by_its_token(content: bytes, wanted: bool) -> None:
    assert marked.is_answer(content, MARK) is wanted


def test_a_bounce_is_no_answer() -> None:
    assert marked.bounced(BOUNCE)
    assert not marked.bounced(OURS)


def test_what_the_far_side_saw_is_read_in_both_forms() -> None:
    ours = marked.saw(OURS)
    assert ours["spf"].startswith("pass for example.org")
    assert ours["dkim"].startswith("pass for example.org")
    assert ours["dmarc"].startswith("fail")
    assert ours["tls"].startswith("none")
    assert marked.saw(OTHERS) == {"spf": "pass", "dkim": "fail"}


TRIP = Trip("echo@example.net", NOW, End.ANSWERED, timedelta(seconds=3), answer=OURS)


@pytest.mark.parametrize(
    "trip, name, wanted",
    [
        (TRIP, "answered", Status.GOOD),
        (TRIP, "spf", Status.GOOD),
        (TRIP, "dmarc", Status.FAIL),
        (TRIP, "tls", Status.NOTICE),
        (Trip("e@x.test", NOW, End.ANSWERED, timedelta(hours=1), answer=OTHERS), "answered", Status.FAIL),
        (Trip("e@x.test", NOW, End.ANSWERED, answer=OTHERS), "dkim", Status.FAIL),
        (Trip("e@x.test", NOW, End.ANSWERED, answer=OTHERS), "dmarc", Status.NOT_TESTED),
        (Trip("e@x.test", NOW, End.ANSWERED, junk=True, answer=OTHERS), "inbox", Status.NOTICE),
        (Trip("e@x.test", NOW, End.REFUSED, why="550 no"), "sent", Status.FAIL),
        (Trip("e@x.test", NOW, End.SILENT), "answered", Status.FAIL),
        (Trip("e@x.test", NOW, End.BOUNCED, answer=BOUNCE), "answered", Status.FAIL),
        (Trip("e@x.test", NOW, End.BLIND, why="hung up"), "answered", Status.ERROR),
    ],
)
def test_a_trip_is_judged(trip: Trip, name: str, wanted: Status) -> None:
    found = judge("alice@example.org", NOW, [trip], timedelta(minutes=2)).findings
    assert next(one.right for one in found if one.id == f"echo_{name}") is wanted


def test_each_check_is_made() -> None:
    found = judge("alice@example.org", NOW, [TRIP], timedelta(minutes=2)).findings
    assert {one.id for one in found} == {one.id for one in ECHO}
