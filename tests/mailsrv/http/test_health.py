"""What is well and what is not, by tables of facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailsrv.http.health import Facts, findings
from mailsrv.http.management import gauges, page

NOW = datetime(2026, 11, 23, tzinfo=UTC)
WELL = Facts(NOW, False, 0.002, 3, NOW - timedelta(hours=1), 10 << 30, NOW + timedelta(days=60), True, {"imap": 2}, 0.0)


def test_a_well_server_is_well() -> None:
    told = {finding.what: finding.text for finding in findings(WELL) if finding.well}
    assert told.keys() == {"serving", "store", "queue", "disk", "certificate"}
    assert told["queue"] == "3 recipients wait, the oldest for 1.0 h"


@pytest.mark.parametrize(
    "changes,what,words",
    [
        ({"draining": True}, "serving", "going down"),
        ({"store_seconds": None}, "store", "does not answer"),
        ({"store_seconds": 6.0}, "store", "6.0 s"),
        ({"waiting": None}, "queue", "could not be read"),
        ({"free": 1 << 20}, "disk", "make room"),
        ({"free": None}, "disk", "could not"),
        ({"not_after": None}, "certificate", "none to serve"),
        ({"not_after": NOW - timedelta(days=3)}, "certificate", "3.0 days ago"),
    ],
)
def test_what_is_not_well_is_said(changes: dict[str, object], what: str, words: str) -> None:
    told = findings(replace(WELL, **changes))  # type: ignore[arg-type]
    assert [(finding.what, words in finding.text) for finding in told if not finding.well] == [(what, True)]
    assert "NOT WELL" in page(told)


@pytest.mark.parametrize(
    "changes,words",
    [
        ({"not_after": NOW + timedelta(days=9)}, "should have been renewed"),
        ({"signed": False}, "nobody signed it"),
        ({"oldest": NOW - timedelta(days=3)}, "mailsrv queue list"),
    ],
)
def test_a_warning_is_well(changes: dict[str, object], words: str) -> None:
    told = findings(replace(WELL, **changes))  # type: ignore[arg-type]
    assert all(finding.well for finding in told)
    assert any(words in finding.text for finding in told)


def test_facts_that_are_missing_are_no_figures() -> None:
    names = {gauge.name for gauge in gauges(WELL)}
    nothing = replace(WELL, store_seconds=None, waiting=None, oldest=None, free=None, not_after=None, sessions={})
    assert {gauge.name for gauge in gauges(nothing)} < names
    assert len(names) == 8
