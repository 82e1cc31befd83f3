"""Noting costs no disk and no waiting; what was noted arrives, is bounded, and trouble is said once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from dnsops.base.log import Value
from mailsrv.reports import notes as room
from mailsrv.reports.ledger import LEDGER, Ledger
from mailsrv.reports.notes import Notes
from mailsrv.reports.seen import Seen
from mailsrv.transport.outcome import Outcome, Outcomes, PolicyType
from tests.mailsrv.reports.samples import NOON

DAY = date(2026, 3, 2)
LINE = Seen("dmarc", DAY, "example.org", "text")
NEVER = 3600.0  # seconds: the thread writes only at the end


class Lines(list[tuple[str, dict[str, Value]]]):
    """A log."""

    def __call__(self, event: str, **fields: Value) -> None:
        self.append((event, fields))


@pytest.fixture
def log() -> Lines:
    return Lines()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / LEDGER


@pytest.fixture
def notes(path: Path, log: Lines) -> Iterator[Notes]:
    made = Notes(Ledger(path), log, NEVER)
    yield made
    made.close()


def test_what_was_noted_is_there_after_the_end(notes: Notes, path: Path, log: Lines) -> None:
    heard: Outcomes = notes
    heard.note(Outcome("example.net", NOON, PolicyType.NONE))
    for _ in range(3):
        notes.saw(LINE)
    notes.saw(None)
    assert not path.exists(), "noting touches no disk"
    notes.close()
    assert Ledger(path).lines("dmarc", DAY, "example.org") == [("text", 3)]
    assert Ledger(path).domains("tls", DAY) == ["example.net"]
    assert log == []


def test_many_threads_lose_nothing(notes: Notes, path: Path) -> None:
    threads = [threading.Thread(target=lambda: [notes.saw(LINE) for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    notes.flush()
    for thread in threads:
        thread.join()
    notes.close()
    assert Ledger(path).lines("dmarc", DAY, "example.org") == [("text", 4000)]


def test_what_waits_is_bounded_and_the_log_says_what_was_lost(
    notes: Notes, path: Path, log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_WAITING", 10)
    for n in range(25):
        notes.saw(replace(LINE, text=f"{n}"))
    notes.saw(replace(LINE, text="0"))
    notes.close()
    assert len(Ledger(path).lines("dmarc", DAY, "example.org")) == 10
    assert log == [("reports.dropped", {"count": 15})]


def test_trouble_is_said_when_it_begins_and_when_it_ends_and_nothing_is_lost(
    notes: Notes, path: Path, log: Lines
) -> None:
    path.mkdir()
    for _ in range(3):
        notes.saw(LINE)
        notes.flush()
    path.rmdir()
    notes.flush()
    assert [event for event, _ in log] == ["reports.trouble", "reports.well"]
    assert Ledger(path).lines("dmarc", DAY, "example.org") == [("text", 3)]
