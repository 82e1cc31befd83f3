"""A report arrives: kept once, or left to be mail with one sentence in the log."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dnsops.base.log import Value
from mailsrv.reports.ledger import LEDGER, Ledger
from mailsrv.reports.receiving import Receiving, Taken, Verdict
from tests.mailsrv.reports.samples import NOON, OLD, RFC8460, google, gzipped, mail

ADDRESSES = {"DMARC-reports@example.org": "dmarc", "tls-reports@example.org": "tls"}
DOMAINS = ("example.org", "mx1.example.org")
OURS = RFC8460.replace(b"company-y.example", b"example.org")


@pytest.fixture
def lines() -> list[tuple[str, dict[str, Value]]]:
    return []


@pytest.fixture
def receiving(tmp_path: Path, lines: list[tuple[str, dict[str, Value]]]) -> Receiving:
    return Receiving(
        Ledger(tmp_path / LEDGER), ADDRESSES, DOMAINS, lambda event, **fields: lines.append((event, fields))
    )


def take(receiving: Receiving, content: bytes, recipient: str = "dmarc-reports@example.org", proven: str = "") -> Taken:
    return asyncio.run(receiving.take(content, recipient, NOON, proven))


VERDICTS = [
    (google(), Verdict.KEPT),
    (mail(gzipped(OLD)), Verdict.KEPT),
    (mail(gzipped(OLD.replace(b"example.org", b"sub.example.org"))), Verdict.KEPT),
    (mail(gzipped(OURS), "application/tlsrpt+gzip", "a.json.gz"), Verdict.KEPT),
    (mail(gzipped(OLD.replace(b"example.org", b"example.com"))), Verdict.NOT_OURS),
    (mail(gzipped(OLD.replace(b"example.org", b"notexample.org"))), Verdict.NOT_OURS),
    (mail(b"spam", "application/zip", "invoice.zip"), Verdict.UNREADABLE),
    (b"Subject: how are you\r\n\r\nfine\r\n", Verdict.UNREADABLE),
    (b"", Verdict.UNREADABLE),
]


@pytest.mark.parametrize("content, verdict", VERDICTS)
def test_s_authn_11_what_becomes_of_it(
    receiving: Receiving, lines: list[tuple[str, dict[str, Value]]], content: bytes, verdict: Verdict
) -> None:
    taken = take(receiving, content)
    assert (taken.verdict, taken.is_mail) == (verdict, verdict is not Verdict.KEPT)
    assert [event for event, _ in lines] == ["reports.received"]
    assert bool(lines[0][1]["why"]) is taken.is_mail


def test_the_same_report_twice_is_one(receiving: Receiving, tmp_path: Path) -> None:
    assert take(receiving, google(), proven="google.com").verdict is Verdict.KEPT
    assert take(receiving, mail(gzipped(OLD)), proven="google.com").verdict is Verdict.KNOWN
    (kept,) = Ledger(tmp_path / LEDGER).received()
    assert (kept.organization, kept.proven, kept.total, kept.failed) == ("google.com", "google.com", 2, 2)


def test_s_authn_11_a_wrong_organization_is_told_from_the_right_one(receiving: Receiving, tmp_path: Path) -> None:
    take(receiving, google(), proven="evil.example")
    assert take(receiving, google(), proven="google.com").verdict is Verdict.KEPT
    assert {one.proven for one in Ledger(tmp_path / LEDGER).received()} == {"evil.example", "google.com"}


def test_mail_to_others_is_not_looked_at(receiving: Receiving, lines: list[tuple[str, dict[str, Value]]]) -> None:
    assert take(receiving, google(), "user1@example.org").verdict is Verdict.OTHER
    assert lines == []


def test_a_ledger_in_trouble_leaves_the_report_as_mail(receiving: Receiving, tmp_path: Path) -> None:
    (tmp_path / LEDGER).mkdir()
    taken = take(receiving, google())
    assert (taken.verdict, taken.is_mail) == (Verdict.TROUBLE, True)
