"""What of a message or a session is told, and which are not told at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from mailsrv.auth.verdicts import Authentication, Dkim, Dmarc, Result, Spf, Wish
from mailsrv.reports import seen
from mailsrv.reports.aggregate import Checked, Reason, Row, Signature
from mailsrv.transport.outcome import Outcome, PolicyType, Trouble
from tests.mailsrv.reports.samples import NOON

POLICY = Dmarc(
    Result.FAIL, "a.example.org", "example.org", "example.org", Wish.REJECT, record="v=DMARC1; p=reject; rua=mailto:r@example.org",
    reports=("mailto:r@example.org",),
)  # fmt: skip
MAIL = Authentication(
    mail=Spf(Result.SOFTFAIL, "bounce.example.net", "x@bounce.example.net"),
    dkim=(
        Dkim(Result.FAIL, "a.example.org", "s1"),
        Dkim(Result.PASS, "z.example.net", "s2"),
        Dkim(Result.PASS, "example.org", "s3"),
        Dkim(Result.NONE, "nothing.example"),
    ),
    dmarc=POLICY,
)


def told(found: Authentication = MAIL, applied: Wish = Wish.REJECT, **more: object) -> Row | None:
    made = seen.of_message(found, "192.0.2.9", "bounce.example.net", applied, NOON, **more)  # type: ignore[arg-type]
    return seen.row(made.text, 1) if made else None


def test_a_row_says_what_rfc_9990_wants() -> None:
    assert told() == Row(
        "192.0.2.9", 1, "reject", "fail", "fail", "a.example.org", "bounce.example.net",
        signatures=(
            Signature("example.org", "s3", "pass"),  # of the author's organization before others that passed
            Signature("z.example.net", "s2", "pass"),
            Signature("a.example.org", "s1", "fail"),
        ),
        checks=(Checked("bounce.example.net", "softfail", "mfrom"),),
    )  # fmt: skip
    made = seen.of_message(MAIL, "192.0.2.9", "", Wish.REJECT, NOON)
    assert made is not None
    assert (made.domain, made.record, made.organizational) == ("example.org", POLICY.record, "example.org")


DISPOSITIONS = [  # what DMARC said, what it wished, testing; what was done; what is told, and why it differs
    (Result.PASS, Wish.REJECT, False, Wish.NONE, "pass", ()),
    (Result.PASS, Wish.NONE, False, Wish.NONE, "none", ()),
    (Result.PASS, Wish.REJECT, True, Wish.NONE, "none", ()),
    (Result.FAIL, Wish.REJECT, False, Wish.REJECT, "reject", ()),
    (Result.FAIL, Wish.REJECT, False, Wish.QUARANTINE, "quarantine", ("local_policy",)),
    (Result.FAIL, Wish.QUARANTINE, True, Wish.NONE, "none", ("policy_test_mode",)),
    (Result.FAIL, Wish.NONE, False, Wish.NONE, "none", ()),
]


@pytest.mark.parametrize("result, wish, testing, applied, disposition, reasons", DISPOSITIONS)
def test_dispositions(
    result: Result, wish: Wish, testing: bool, applied: Wish, disposition: str, reasons: tuple[str, ...]
) -> None:
    row = told(replace(MAIL, dmarc=replace(POLICY, result=result, wish=wish, testing=testing)), applied)
    assert row is not None
    assert (row.disposition, tuple(one.type for one in row.reasons)) == (disposition, reasons)


def test_a_reason_that_is_known_better_is_told() -> None:
    reason = Reason("mailing_list", "known list")
    row = told(applied=Wish.NONE, override=reason)
    assert row is not None
    assert row.reasons == (reason,)


@pytest.mark.parametrize(
    "changes",
    [
        {"result": Result.NONE},
        {"result": Result.TEMPERROR},
        {"result": Result.PERMERROR},
        {"reports": ()},
        {"found": ""},
    ],
)
def test_where_nobody_asks_nothing_is_noted(changes: dict[str, object]) -> None:
    assert told(replace(MAIL, dmarc=replace(POLICY, **changes))) is None  # type: ignore[arg-type]


def test_s_authn_10_a_report_is_never_the_reason_for_another() -> None:
    quiet = {"dmarc-reports@us.org", "noreply-reports@us.org"}
    assert told(recipients=["DMARC-Reports@us.org"], quiet=quiet) is None
    assert told(recipients=["user1@us.org"], quiet=quiet) is not None
    outcome = Outcome("example.org", NOON, PolicyType.NONE)
    assert seen.of_session(replace(outcome, report=True)) is None
    assert seen.of_session(outcome) is not None


def test_helo_is_not_told_and_the_null_sender_is() -> None:
    row = told(replace(MAIL, mail=Spf(Result.PASS, "mx.example.net", "mx.example.net", helo=True)))
    assert row is not None
    assert row.checks == ()
    made = seen.of_message(MAIL, "192.0.2.9", "", Wish.REJECT, NOON)
    assert made is not None
    assert seen.row(made.text, 7).envelope_from == ""


def test_days_are_utc() -> None:
    late = datetime(2026, 3, 2, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    made = seen.of_message(MAIL, "192.0.2.9", None, Wish.REJECT, late)
    assert made is not None
    assert made.day == date(2026, 3, 1)


def test_what_a_stranger_chooses_is_bounded() -> None:
    many = tuple(Dkim(Result.PASS, f"d{n}.example", "s" * 5000) for n in range(500))
    made = seen.of_message(replace(MAIL, dkim=many), "192.0.2.9", "x" * 9999, Wish.REJECT, NOON)
    long = Outcome(
        "example.org", NOON, PolicyType.STS, ("y" * 9999,) * 999, ("z" * 9999,) * 999, "m" * 999, details="d" * 9999
    )
    session = seen.of_session(long)
    assert made is not None
    assert session is not None
    assert len(made.text) < 10_000
    assert len(session.text) < 25_000


def test_sessions_come_back_as_they_were() -> None:
    outcome = Outcome(
        "example.org", NOON.astimezone(UTC), PolicyType.TLSA, ("3 1 1 ab",), (), "mx1.example.org", "mx1", "192.0.2.1",
        Trouble.TLSA_INVALID, "no record fits",
    )  # fmt: skip
    made = seen.of_session(outcome)
    assert made is not None
    session = seen.session(made.text, 5)
    assert (session.type, session.strings, session.mx, session.count, made.other) == (
        "tlsa", ("3 1 1 ab",), "mx1.example.org", 5, "mx1.example.org",
    )  # fmt: skip
    assert session.failure is not None
    assert (session.failure.type, session.failure.count, session.failure.information) == (
        "tlsa-invalid",
        5,
        "no record fits",
    )
