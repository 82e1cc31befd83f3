"""A stranger's mail as it stands after the verdict: for each account, and for an alias that sends it on; and mail that is not judged."""

from __future__ import annotations

import pytest

from mailsrv.auth.decide import Action, Rules
from mailsrv.auth.verdicts import Authentication, Result, Spf
from mailsrv.receive.judging import Judged
from mailsrv.receive.standing import Standing
from mailsrv.receive.told import read
from tests.mailsrv.receive.judges import HOST, NOON, judge, judged, mail_from
from tests.mailsrv.receive.trusting import outgoing

WORDS = {"user1": {"reject.test": Action.ACCEPT}, "user2": {"proven.test": Action.JUNK}}


def standing(domain: str, *accounts: str) -> Standing:
    return Standing(outgoing(), NOON, judged(judge(Rules(account_senders=WORDS)), domain, accounts))


def test_each_account_reads_its_own_decision() -> None:
    stands = standing("reject.test", "user1", "user2")
    told = {account: read(stands.fields(account) + b"\r\n") for account in ("user1", "user2")}
    assert {account: one.action for account, one in told.items() if one} == {"user1": "accept", "user2": "junk"}
    assert {account: stands.in_junk(account) for account in told} == {"user1": False, "user2": True}


def test_what_was_found_stands_above_what_was_decided() -> None:
    lines = standing("proven.test", "user1").fields("user1").split(b"\r\n")
    assert [line.partition(b":")[0] for line in lines if line and not line.startswith(b" ")] == [
        b"Authentication-Results",
        b"Mailsrv-Decision",
    ]
    assert lines[0].startswith(f"Authentication-Results: {HOST};".encode())


@pytest.mark.parametrize(("domain", "junk"), [("proven.test", False), ("quarantine.test", True)])
def test_an_account_that_comes_later_has_what_whoever_is_elsewhere_has(domain: str, junk: bool) -> None:
    """Postmaster, for what is no report: user2's own word is not everybody's."""
    stands = standing(domain, "user2", "")
    assert stands.in_junk("postmaster") == junk
    told = read(stands.fields("postmaster") + b"\r\n")
    assert told is not None
    assert told.action == ("junk" if junk else "accept")


def test_without_any_decision_there_is_what_was_found() -> None:
    found = standing("proven.test", "user1")
    assert found.judged is not None
    alone = Standing(outgoing(), NOON, Judged(found.judged.found, found.judged.results))
    assert not alone.in_junk("user1")
    assert alone.fields("user1") == found.judged.results.field


def test_mail_that_is_not_judged_is_forwarded_and_not_sealed() -> None:
    trusted = Standing(outgoing(), NOON)
    assert (trusted.in_junk("user1"), trusted.fields("user1")) == (False, b"")
    assert trusted.seal("away@mail.test", mail_from("plain.test")) == b""
    assert trusted.sender("away@mail.test", "ann@plain.test").endswith("=plain.test=ann@mail.test")


def test_the_null_sender_stays_the_null_sender() -> None:
    stands = standing("proven.test", "user1")
    assert stands.sender("away@mail.test", "") == ""
    assert stands.sender("away@mail.test", "user2@mail.test") == "user2@mail.test"


@pytest.mark.parametrize("result", list(Result))
def test_a_borrowed_sender_is_one_that_its_domain_forbids(result: Result) -> None:
    found = Authentication(mail=Spf(result))
    results = standing("proven.test", "user1").judged
    assert results is not None
    assert Judged(found, results.results).borrowed == (result in (Result.FAIL, Result.SOFTFAIL))
