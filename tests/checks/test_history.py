"""What is remembered of checks: enough to say what changed, little enough to stay small."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from checks import history
from checks.finding import Status
from checks.history import History
from checks.report.changes import Snapshot, changes, read, snapshot
from dnsops.base.errors import ForUser
from tests.checks.report import sample

DAY = timedelta(days=1)
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def run(at: datetime, score: int = 100, domain: str = "good.test") -> Snapshot:
    return replace(snapshot(sample.good()), at=at, score=score, domain=domain)


@pytest.fixture
def kept(tmp_path: Path) -> History:
    return History(tmp_path / "state" / history.FILE)


@pytest.mark.parametrize("report", [sample.good(), sample.bad(), sample.hostile()], ids=["good", "bad", "hostile"])
def test_what_is_kept_comes_back(kept: History, report: object) -> None:
    short = snapshot(report)  # type: ignore[arg-type]
    kept.keep(short)
    assert kept.runs(short.domain) == [short]
    assert kept.domains() == [short.domain]


@pytest.mark.parametrize(
    "hours,since,expected",
    [
        ([30, 25, 1], 24, 25),  # the last one that is a day old
        ([30, 24, 1], 24, 24),
        ([5, 3, 1], 24, 5),  # all are younger: the first there is
        ([100], 24, 100),
        ([], 24, None),
    ],
)
def test_the_run_to_compare_with(kept: History, hours: list[int], since: int, expected: int | None) -> None:
    for ago in hours:
        kept.keep(run(NOW - timedelta(hours=ago)))
    found = kept.before("good.test", NOW - timedelta(hours=since))
    assert (found.at if found else None) == (NOW - timedelta(hours=expected) if expected else None)


def test_of_old_days_the_last_run_is_kept_of_new_ones_all(kept: History) -> None:
    for hour in range(30 * 24):
        kept.keep(run(NOW - 30 * DAY + timedelta(hours=hour)))
    runs = kept.runs("good.test", 10_000)
    old = [one.at for one in runs if one.at < runs[-1].at - history.RECENT]
    assert len({at.date() for at in old}) == len(old) == 16
    assert sum(one.at >= runs[-1].at - history.RECENT for one in runs) == 14 * 24 + 1


def test_it_stays_small(kept: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST", 20)
    monkeypatch.setattr(history, "MOST_OF_A_DOMAIN", 5)
    for number in range(60):
        kept.keep(run(NOW + timedelta(minutes=number), domain=f"d{number % 6}.test"))
    assert {len(kept.runs(name)) for name in kept.domains()} == {5}
    kept.tidy(NOW)
    assert sum(len(kept.runs(name)) for name in kept.domains()) == 20
    kept.tidy(NOW + history.LONG + DAY)
    assert kept.domains() == []


def test_only_we_may_read_it_and_a_strangers_file_stays(tmp_path: Path) -> None:
    with History(tmp_path / "own.sqlite") as own:
        own.keep(run(NOW))
    assert (tmp_path / "own.sqlite").stat().st_mode & 0o077 == 0
    with sqlite3.connect(tmp_path / "other.sqlite") as other:
        other.execute("CREATE TABLE theirs (x)")
    before = (tmp_path / "other.sqlite").read_bytes()
    with pytest.raises(ForUser, match="another program"):
        History(tmp_path / "other.sqlite").keep(run(NOW))
    assert (tmp_path / "other.sqlite").read_bytes() == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"percents": {}, "states": {"a": ["good"]}}',
        '{"percents": {"a": "x"}, "states": {}}',
        "[" * 100_000,
    ],
)
def test_what_is_no_snapshot_is_left_out(kept: History, text: str) -> None:
    with pytest.raises(ValueError, match="not a snapshot"):
        read("good.test", NOW, 100, text)
    kept.keep(run(NOW))
    with sqlite3.connect(kept.path) as db:
        db.execute("INSERT INTO run VALUES ('good.test', 1, 1, ?)", (text,))
    assert [one.at for one in kept.runs("good.test")] == [NOW]


G, N, F, S = Status.GOOD, Status.NOTICE, Status.FAIL, Status.NOT_TESTED


@pytest.mark.parametrize(
    "was,now,expected",
    [
        ({"a": (G, G)}, {"a": (G, G)}, []),
        ({"a": (G, G)}, {"a": (F, F)}, ["a: was success, is fail (both)"]),
        ({"a": (F, F)}, {"a": (G, G)}, ["a: was fail, is success (both)"]),
        ({"a": (G, G)}, {"a": (G, F)}, ["a: was success, is fail (ours)"]),
        ({"a": (G, N)}, {"a": (F, F)}, ["a: was success, is fail (internet.nl)", "a: was notice, is fail (ours)"]),
        ({"a": (G, G)}, {"a": (S, S)}, []),  # not tested is no news
        ({}, {"a": (F, F)}, ["a: was not there, is fail (both)"]),
        ({"a": (N, N)}, {}, ["a: was notice, is not there (both)"]),
        ({}, {"a": (G, G)}, []),
        ({"a": (F, F), "b": (G, G)}, {"a": (G, G), "b": (N, N)}, ["b: was success, is notice (both)", "a: was fail, is success (both)"]),
    ],
)  # fmt: skip
def test_what_changed(
    was: dict[str, tuple[Status, Status]], now: dict[str, tuple[Status, Status]], expected: list[str]
) -> None:
    before, after = Snapshot("a.test", NOW, None, {}, was), Snapshot("a.test", NOW + DAY, None, {}, now)
    assert [str(change) for change in changes(before, after)] == expected


def test_the_total_is_news() -> None:
    told = [str(change) for change in changes(snapshot(sample.good()), snapshot(sample.worse(sample.good())))]
    assert told[0] == "score: was 100 %, is 83 % (internet.nl)"
