"""Who vouches for a message: verdicts, lists and scanners in, points out; nobody asked, nothing judged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checks.deliverability.judging import lost
from checks.deliverability.known import Known, Page
from checks.finding import Status
from mailsrv.auth.verdicts import Authentication, Dkim, Dmarc, Iprev, Result, Spf, Wish
from mailsrv.spam.hints import Hint, Says
from tests.checks.deliverability.letters import GOOD, NOW, field, finding, scored

FIELDS = ("from", "to", "subject", "date", "list-unsubscribe", "list-unsubscribe-post")
SIGNED = Dkim(Result.PASS, "example.org", "s", algorithm="rsa-sha256", bits=2048, fields=FIELDS)
WELL = Authentication(
    Iprev(Result.PASS, "mx.example.org"),
    mail=Spf(Result.PASS, "example.org"),
    dkim=(SIGNED,),
    dmarc=Dmarc(Result.PASS, "example.org", wish=Wish.REJECT, by_dkim=True),
)
KNOWN = Known(NOW, address="192.0.2.25", sender="news@example.org", authentication=WELL)
LISTED = Hint("dnsbl bl.test", Says.JUNK, "192.0.2.25 is on the list bl.test")
SILENT = Hint("dnsbl bl.test", Says.NOTHING, "bl.test did not answer")


@pytest.mark.parametrize(
    "name, change, cost",
    [
        ("spf", {"mail": Spf(Result.FAIL, "example.org")}, 15),
        ("spf", {"mail": Spf(Result.SOFTFAIL, "example.org")}, 10),
        ("spf", {"mail": Spf(Result.NONE, "example.org")}, 7),
        ("dkim", {"dkim": ()}, 15),
        ("dkim", {"dkim": (replace(SIGNED, result=Result.FAIL, why="the body was altered"),)}, 15),
        ("dkim", {"dkim": (SIGNED, replace(SIGNED, result=Result.FAIL))}, 2),
        ("dkim_key", {"dkim": (replace(SIGNED, bits=1024),)}, 1),
        ("dkim_key", {"dkim": (replace(SIGNED, bits=768, testing=True),)}, 3),
        ("dkim_key", {"dkim": (replace(SIGNED, bits=1024), replace(SIGNED, bits=0, algorithm="ed25519-sha256"))}, 0),
        ("dmarc", {"dmarc": Dmarc(Result.FAIL, "example.org")}, 15),
        ("dmarc", {"dmarc": Dmarc(Result.NONE, "example.org")}, 10),
        ("dmarc", {"dmarc": Dmarc(Result.PASS, "example.org")}, 2),
        ("iprev", {"iprev": Iprev(Result.FAIL)}, 10),
    ],
)
def test_a_verdict_costs_what_it_costs(name: str, change: dict[str, object], cost: int) -> None:
    known = replace(KNOWN, authentication=replace(WELL, **change))  # type: ignore[arg-type]
    assert lost(finding(scored(GOOD, known), name)) == cost


@pytest.mark.parametrize(
    "name, hints, cost",
    [
        ("lists", (LISTED,), 10),
        ("lists", (replace(LISTED, says=Says.REFUSE), SILENT), 20),
        ("lists", (replace(SILENT, why=""),), 0),
        ("scanners", (Hint("spamd", Says.NOTHING, "2.5 points", 2.5),), 10),
        ("scanners", (Hint("rspamd", Says.JUNK, "9 points", 9.0), Hint("spamd", Says.JUNK, "", 7.0)), 30),
        ("scanners", (Hint("spamd", Says.ACCEPT, "", -1.0),), 0),
    ],
)
def test_the_word_of_lists_and_scanners_costs(name: str, hints: tuple[Hint, ...], cost: int) -> None:
    found = finding(scored(GOOD, replace(KNOWN, hints=hints)), name)
    assert lost(found) == cost
    assert found.status is not Status.NOT_TESTED


def test_a_list_that_did_not_tell_says_nothing() -> None:
    assert finding(scored(GOOD, replace(KNOWN, hints=(SILENT,))), "lists").status is Status.NOT_TESTED


def test_what_is_well_has_ten_points() -> None:
    assert scored(GOOD, KNOWN).score == 100


def test_a_message_whose_way_is_not_known_is_not_judged_by_it() -> None:
    known = replace(KNOWN, address="", authentication=replace(WELL, mail=Spf(Result.FAIL), iprev=Iprev(Result.FAIL)))
    for name in ("spf", "iprev"):
        assert finding(scored(GOOD, known), name).status is Status.NOT_TESTED


def test_one_click_must_be_signed() -> None:
    """RFC 8058 4."""
    bulk = field(b"List-Unsubscribe: <https://example.org/u>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click")
    bare = replace(WELL, dkim=(replace(SIGNED, fields=("from", "to", "subject", "date")),))
    assert lost(finding(scored(bulk, KNOWN), "one_click")) == 0
    assert lost(finding(scored(bulk, replace(KNOWN, authentication=bare)), "one_click")) == 3


def test_a_page_that_does_not_answer_costs() -> None:
    pages = (Page("https://example.org/", 200), Page("https://example.org/gone", 404))
    assert lost(finding(scored(GOOD, replace(KNOWN, pages=pages)), "reach")) == 2
    assert finding(scored(GOOD, KNOWN), "reach").status is Status.NOT_TESTED
