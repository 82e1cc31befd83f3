"""The ledger: counted once, kept once, bounded, by several processes at a time."""

from __future__ import annotations

import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from dnsops.base.errors import ForUser
from mailsrv.reports import ledger as room
from mailsrv.reports.ledger import LEDGER, Ledger
from mailsrv.reports.received import Published, Received
from mailsrv.reports.seen import Seen
from tests.mailsrv.reports.samples import NOON

ROOT = Path(__file__).parents[3]
DAY = date(2026, 3, 1)
LINE = Seen("dmarc", DAY, "example.org", "text", record="v=DMARC1; p=none", organizational="example.org")
REPORT = Received(
    "dmarc", "google.com", "1", "example.org", "google.com", NOON - timedelta(days=1), NOON, NOON, 10, 2
)  # fmt: skip


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "state" / LEDGER)


def test_lines_are_counted_and_the_last_policy_of_a_day_stands(ledger: Ledger) -> None:
    assert ledger.add({LINE: 2, replace(LINE, text="other"): 1}) == 0
    ledger.add({replace(LINE, record="v=DMARC1; p=reject"): 3})
    assert ledger.lines("dmarc", DAY, "example.org") == [("text", 5), ("other", 1)]
    assert ledger.published(DAY, "example.org") == Published("v=DMARC1; p=reject", "example.org")
    assert ledger.domains("dmarc", DAY) == ["example.org"]
    assert ledger.domains("tls", DAY) == []
    assert ledger.lines("dmarc", DAY + timedelta(days=1), "example.org") == []


def test_a_mail_host_hears_of_all_domains_whose_mail_it_takes(ledger: Ledger) -> None:
    one = Seen("tls", DAY, "a.org", "t", "mx.example.org")
    ledger.add({one: 1, replace(one, domain="b.org"): 2, replace(one, domain="c.org", other=""): 4})
    assert ledger.domains("tls", DAY) == ["a.org", "b.org", "c.org", "mx.example.org"]
    assert ledger.lines("tls", DAY, "mx.example.org") == [("t", 3)]
    assert ledger.lines("tls", DAY, "b.org") == [("t", 2)]


def test_there_is_room_for_so_many_different_lines(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "ROWS_OF_A_DOMAIN", 3)
    monkeypatch.setattr(room, "ROWS_OF_A_DAY", 5)
    lost = ledger.add({replace(LINE, text=f"{n}"): 2 for n in range(5)})
    assert lost == 4
    assert ledger.add({replace(LINE, text="0"): 1}) == 0, "what has its line is counted on"
    assert ledger.add({replace(LINE, domain="b.org", text=f"{n}"): 1 for n in range(5)}) == 3
    assert ledger.add({replace(LINE, day=DAY + timedelta(days=1)): 1}) == 0


def test_a_report_is_kept_once(ledger: Ledger) -> None:
    assert ledger.take(REPORT, b"<feedback/>")
    assert not ledger.take(replace(REPORT, total=99), b"other")
    assert ledger.take(replace(REPORT, report="2"), b"")
    assert ledger.take(replace(REPORT, organization="yahoo.com"), b"")
    (latest, *_) = ledger.received()
    assert len(ledger.received()) == 3
    found = ledger.document(1)
    assert found is not None
    assert found == (replace(REPORT, number=1), b"<feedback/>")
    assert ledger.document(latest.number + 1) is None


def test_s_authn_11_a_forged_report_does_not_stand_in_for_the_real_one(ledger: Ledger) -> None:
    assert ledger.take(replace(REPORT, proven=""), b"forged")
    assert ledger.take(replace(REPORT, proven="evil.example"), b"forged, too")
    assert ledger.take(REPORT, b"real")


def test_who_nobody_vouches_for_makes_room_first(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_RECEIVED", 3)
    ledger.take(REPORT, b"")
    for n in range(10):
        ledger.take(replace(REPORT, proven="", report=f"{n}"), b"")
    assert [(one.proven, one.report) for one in ledger.received()] == [("", "9"), ("", "8"), ("google.com", "1")]
    monkeypatch.setattr(room, "MOST_BYTES", 100)
    ledger.take(replace(REPORT, report="large"), bytes(range(256)) * 4)
    assert ledger.received() == []


@pytest.mark.parametrize(
    "asked, expected",
    [
        ({}, ["tls", "dmarc"]),
        ({"kind": "tls"}, ["tls"]),
        ({"domain": "example.org"}, ["dmarc"]),
        ({"since": NOON + timedelta(hours=1)}, ["tls"]),
        ({"most": 1}, ["tls"]),
    ],
)
def test_reports_are_found_by(ledger: Ledger, asked: dict[str, object], expected: list[str]) -> None:
    ledger.take(REPORT, b"")
    ledger.take(replace(REPORT, kind="tls", domain="mx.example.org", end=NOON + timedelta(days=1)), b"")
    assert [one.kind for one in ledger.received(**asked)] == expected  # type: ignore[arg-type]


def test_what_is_too_old_goes(ledger: Ledger) -> None:
    ledger.add({LINE: 1, replace(LINE, day=DAY + timedelta(days=20)): 1})
    ledger.take(REPORT, b"")
    ledger.take(replace(REPORT, report="2", arrived=NOON + timedelta(days=20)), b"")
    ledger.done(DAY, "dmarc", "example.org")
    ledger.tidy(NOON + timedelta(days=20), timedelta(days=15))
    assert ledger.domains("dmarc", DAY) == []
    assert ledger.domains("dmarc", DAY + timedelta(days=20)) == ["example.org"]
    assert [one.report for one in ledger.received()] == ["2"]
    assert ledger.tries(DAY, "dmarc", "example.org", "") == (0, False)


def test_attempts_are_counted_and_what_is_done_is_done(ledger: Ledger) -> None:
    where = (DAY, "dmarc", "example.org", "mailto:a@b.org")
    ledger.attempt(*where)
    ledger.attempt(*where)
    assert ledger.tries(*where) == (2, False)
    ledger.done(*where)
    assert ledger.tries(*where) == (2, True)
    assert ledger.tries(DAY, "tls", "example.org", "mailto:a@b.org") == (0, False)


def test_nobody_else_may_read_it(ledger: Ledger) -> None:
    ledger.add({LINE: 1})
    assert stat.S_IMODE(ledger.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(ledger.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("content", [b"SQLite format 3\0" + b"x" * 5000, b"hello" * 1000])
def test_a_file_that_is_no_ledger_is_not_touched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / LEDGER
    path.write_bytes(content)
    with pytest.raises(ForUser, match="move it away"):
        Ledger(path).add({LINE: 1})
    assert path.read_bytes() == content


PROGRAM = """
import sys
from datetime import date
from pathlib import Path
from mailsrv.reports.ledger import Ledger
from mailsrv.reports.seen import Seen
ledger = Ledger(Path(sys.argv[1]))
for n in range(50):
    assert ledger.add({Seen("dmarc", date(2026, 3, 1), "example.org", f"{n % 5}"): 1}) == 0
"""


def test_several_processes_write_and_nothing_is_lost(ledger: Ledger) -> None:
    running = [subprocess.Popen([sys.executable, "-c", PROGRAM, str(ledger.path)], cwd=ROOT) for _ in range(3)]
    while any(one.poll() is None for one in running):
        ledger.lines("dmarc", DAY, "example.org")
    assert [one.returncode for one in running] == [0, 0, 0]
    assert ledger.lines("dmarc", DAY, "example.org") == [(f"{n}", 30) for n in range(5)]


def test_moments_are_utc(ledger: Ledger) -> None:
    ledger.take(REPORT, b"")
    assert ledger.received()[0].arrived == datetime(2026, 3, 2, 12, tzinfo=UTC)
