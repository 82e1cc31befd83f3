"""S-BAK-04, S-BAK-05: no machine's answer to a machine, to a list, to nobody, or to somebody who did not write."""

from __future__ import annotations

import pytest

from mailsrv.auth.verdicts import Authentication, Dmarc, Result, Spf
from mailsrv.echo.rules import HOUR, Pace, why_not
from mailsrv.message.header import header

ECHOES = ("echo@ours.example",)
PROVEN = Authentication(mail=Spf(Result.PASS, "remote.example", "bob@remote.example"))
NOTHING = Authentication()
BOB = "bob@remote.example"


def asked(fields: str = "Subject: x\r\n", sender: str = BOB, known: Authentication = PROVEN, account: str = "") -> str:
    return why_not(header(fields.encode() + b"\r\nbody"), sender, ECHOES, known, account)


def test_a_person_gets_an_answer() -> None:
    assert asked() == ""
    assert asked("Auto-Submitted: no\r\nPrecedence: first-class\r\n") == ""
    assert asked(sender="postmaster@remote.example") == ""


@pytest.mark.parametrize(
    "fields",
    [
        "Auto-Submitted: auto-replied\r\n",
        "auto-submitted: Auto-Generated; owner-email=x\r\n",
        "Auto-Submitted: no\r\nAuto-Submitted: auto-notified\r\n",
        "Precedence: bulk\r\n",
        "Precedence: List\r\n",
        "Precedence: junk\r\n",
        "List-Id: <a.b>\r\n",
        "List-Unsubscribe: <https://a.example>\r\n",
        "Mailing-List: contact x\r\n",
        "X-Auto-Response-Suppress: All\r\n",
        "X-Loop: x\r\n",
        "Return-Path: <>\r\n",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n",
        "X: y\r\n" * 2000,
    ],
    ids=lambda fields: fields[:40].strip(),
)
def test_what_a_machine_sent_gets_none(fields: str) -> None:
    assert asked(fields)
    assert asked(fields, account="user1")


@pytest.mark.parametrize(
    "sender",
    [
        "", "not an address", "bob@[192.0.2.1]", "MAILER-DAEMON@remote.example", "owner-list@remote.example",
        "list-request@remote.example", "list-owner@remote.example", "list-bounces@remote.example", "bounces+17@remote.example",
        "no-reply@remote.example", "noreply@remote.example", "do-not-reply@remote.example", "echo@remote.example",
        "ECHO@ours.example", "jürgen@remote.example",
    ],
)  # fmt: skip
def test_who_is_no_person_gets_none(sender: str) -> None:
    assert asked(sender=sender)


@pytest.mark.parametrize("result", [result for result in Result if result is not Result.PASS])
def test_s_bak_04_a_sender_that_nothing_proves_gets_none(result: Result) -> None:
    known = Authentication(mail=Spf(result, "remote.example"), dmarc=Dmarc(result, "remote.example"))
    assert "nothing proves" in asked(known=known)
    assert asked(known=known, account="user1") == ""  # who logged in is known


@pytest.mark.parametrize(
    "known, proven",
    [
        (Authentication(dmarc=Dmarc(Result.PASS, "remote.example", organizational="remote.example")), True),
        (Authentication(dmarc=Dmarc(Result.PASS, "news.remote.example", organizational="remote.example")), True),
        # a good signature of their own, and somebody else's address in the envelope
        (Authentication(dmarc=Dmarc(Result.PASS, "evil.example", organizational="evil.example")), False),
        (Authentication(dmarc=Dmarc(Result.PASS, "", organizational="")), False),
        (Authentication(helo=Spf(Result.PASS, "remote.example", helo=True)), False),
        (Authentication(mail=Spf(Result.PASS, "mx.remote.example", helo=True)), False),
        (NOTHING, False),
    ],
)
def test_s_bak_04_the_proof_is_of_the_one_who_gets_the_answer(known: Authentication, proven: bool) -> None:
    assert (asked(known=known) == "") is proven


def test_one_answer_an_hour_for_each() -> None:
    pace = Pace()
    assert pace.may(BOB, 0.0)
    assert not pace.may("Bob@Remote.Example", HOUR - 1)
    assert pace.may("eve@remote.example", 10.0)
    assert pace.may(BOB, HOUR)
    assert not pace.may(BOB, HOUR + 1)
    assert not pace.may("eve@remote.example", HOUR + 1)
    assert pace.may("eve@remote.example", HOUR + 10)


def test_all_together_are_bounded_and_nobody_is_forgotten_early() -> None:
    pace = Pace(most=10)
    assert sum(pace.may(f"u{n}@remote.example", float(n)) for n in range(1000)) == 10
    assert not pace.may("u0@remote.example", 1001.0)
    assert len(pace.answered) == 10
    assert pace.may("new@remote.example", HOUR)
