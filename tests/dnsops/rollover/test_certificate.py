"""When a certificate is due and what is done about it, as tables; and the journal of tries, there and back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from dnsops.acme.door import Window
from dnsops.base.errors import Deliberate, ForUser, Later
from dnsops.certs.chain import Chain
from dnsops.rollover.certificate import Action, Look, Policy, decide, due, patience, renewal, share
from dnsops.rollover.certificate_journal import Journal, read, write
from tests.dnsops.certificates import chain

HOST = "mx1.example.org"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
NONE = Journal(HOST)


def issued(age: float, days: int = 90, *names: str, key: str = "old") -> Chain:
    """A chain that is `age` days old."""
    return chain(key, HOST, *names, start=NOW - age * DAY, days=days)


def window(start: float, end: float) -> Window:
    """In days from now."""
    return Window(NOW + start * DAY, NOW + end * DAY)


def look(current: Chain | None = None, upcoming: Chain | None = None, *names: str, **changes: object) -> Look:
    base = Look(HOST, (HOST, *names), current, upcoming, served=current is not None)
    return replace(base, **changes)  # type: ignore[arg-type]


DUE = [
    ("nothing there", look(), "no certificate yet"),
    ("fresh", look(issued(1)), ""),
    ("two thirds of 90 days, less the spread", look(issued(56.5)), ""),
    ("30 days before its end", look(issued(60)), "it ends on"),
    ("a 6-day certificate, young", look(issued(3, 6)), ""),
    ("a 6-day certificate in its last third", look(issued(4.1, 6)), "it ends on"),
    ("a 45-day certificate is not renewed 30 days before", look(issued(20, 45)), ""),
    ("ended", look(issued(91)), "it ended on"),
    ("a name is missing", look(issued(1), None, "www.example.org"), "not for www.example.org"),
    ("two names are missing", look(issued(1), None, "a.example.org", "b.example.org"), "and 1 more"),
    ("a wildcard stands for it", look(issued(1, 90, "*.example.org"), None, "www.example.org"), ""),
    ("a name less is no reason", look(issued(1, 90, "www.example.org")), ""),
    ("the next one has it already", look(issued(80), issued(1, 90, "x.example.org"), "x.example.org"), ""),
    ("the next one is old as well", look(issued(80), issued(61)), "it ends on"),
    ("the authority says: not yet", look(issued(70), window=window(1, 2)), ""),
    ("the authority says: long ago", look(issued(2), window=window(-2, -1)), "the authority says"),
    ("long ago, but it is of today", look(issued(0.5), window=window(-2, -1)), ""),
    ("a window that is none", look(issued(70), window=window(2, 1)), "it ends on"),
    ("a window after the end", look(issued(70), window=window(30, 40)), "it ends on"),
    ("a window up to the end does not make us late", look(issued(80), window=window(9, 9.9)), "it ends on"),
]


@pytest.mark.parametrize("seen,why", [row[1:] for row in DUE], ids=[row[0] for row in DUE])
def test_when_a_certificate_is_due(seen: Look, why: str) -> None:
    told = due(seen, Policy(), NOW)
    assert why in told if why else told == ""


def test_force_is_a_reason() -> None:
    assert due(look(issued(1)), Policy(force=True), NOW) == "somebody asks for it"


def test_hosts_differ_and_each_is_the_same_at_every_look() -> None:
    hosts = [f"mx{number}.example.org" for number in range(200)]
    points = sorted(share(host) for host in hosts)
    assert points == sorted(share(host) for host in hosts)
    assert max(b - a for a, b in pairwise(points)) < 0.05
    renewals = {renewal(replace(look(issued(0)), host=host), Policy()) for host in hosts}
    assert len(renewals) == len(hosts)
    ends = issued(0).not_after
    assert all(when and 30 * DAY <= ends - when <= 33 * DAY for when in renewals), (
        "never less than 30 days before (P-20)"
    )


def test_the_point_in_the_authoritys_window_stays() -> None:
    seen = look(issued(50), window=window(3, 6))
    point = renewal(seen, Policy())
    assert point is not None
    assert NOW + 3 * DAY <= point <= NOW + 6 * DAY
    assert decide(seen, NONE, Policy(), point - MINUTE).action is Action.NONE
    assert decide(seen, NONE, Policy(), point).action is Action.ORDER


def tried(*minutes: float, failures: int = 0, **changes: object) -> Journal:
    """Tries so many minutes ago; the last one failed when `failures` is not 0."""
    journal = Journal(HOST, tuple(NOW - m * MINUTE for m in sorted(minutes, reverse=True)))
    if failures:
        journal = replace(journal, failures=failures, failed=NOW - min(minutes) * MINUTE, why="unreachable")
    return replace(journal, **changes)  # type: ignore[arg-type]


DECISIONS = [
    ("the first one", look(), NONE, Action.ORDER, False),
    ("in order", look(issued(1)), NONE, Action.NONE, False),
    ("renewal", look(issued(61)), NONE, Action.ORDER, False),
    ("the next waits", look(issued(61), issued(1, key="new")), NONE, Action.WAIT, False),
    ("the first may be served at once", look(None, issued(0, key="new")), NONE, Action.SWITCH, False),
    ("its turn does not come", look(issued(84), issued(20, key="new")), NONE, Action.ORDER, True),
    ("a failure just now", look(issued(61)), tried(1, failures=1), Action.LATER, False),
    ("a failure a while ago", look(issued(61)), tried(7, failures=1), Action.ORDER, False),
    ("many failures, hours ago", look(issued(61)), tried(300, failures=9), Action.LATER, False),
    ("many failures, eight hours ago", look(issued(61)), tried(480, failures=9), Action.ORDER, False),
    ("the authority asked for two hours", look(issued(61)), tried(60, failures=1, not_before=NOW + HOUR), Action.LATER, False),
    ("killed five times", look(), tried(1, 2, 3, 4, 5), Action.LATER, False),
    ("killed four times", look(), tried(1, 2, 3, 4), Action.ORDER, False),
    ("killed five times, long ago", look(), tried(61, 62, 63, 64, 65), Action.ORDER, False),
    ("the clock was set back", look(), tried(-600, failures=3), Action.ORDER, False),
]  # fmt: skip


@pytest.mark.parametrize("seen,journal,action,reuse", [r[1:] for r in DECISIONS], ids=[r[0] for r in DECISIONS])
def test_what_is_done_about_it(seen: Look, journal: Journal, action: Action, reuse: bool) -> None:
    decision = decide(seen, journal, Policy(), NOW)
    assert (decision.action, decision.reuse) == (action, reuse)
    assert (decision.wait is not None) == (action in (Action.NONE, Action.LATER))


def test_force_does_not_wait_for_the_gap_but_for_the_hour_and_the_authority() -> None:
    force = Policy(force=True)
    assert decide(look(issued(1)), tried(1, failures=4), force, NOW).action is Action.ORDER
    assert decide(look(issued(1)), tried(1, 2, 3, 4, 5, failures=5), force, NOW).action is Action.LATER
    asked = tried(1, failures=1, not_before=NOW + HOUR)
    assert decide(look(issued(1)), asked, force, NOW).action is Action.LATER


def test_never_more_than_five_failures_in_any_hour_and_gaps_that_grow() -> None:
    for force in (False, True):
        journal, now, failed = NONE, NOW, []
        while now < NOW + 3 * DAY:
            if not patience(look(), journal, Policy(force=force), now):
                journal = journal.begun(now).failing(now, Later("unreachable"))
                failed.append(now)
            now += MINUTE
        assert max(sum(1 for when in failed if start <= when < start + HOUR) for start in failed) <= 5
        if not force:
            gaps = [b - a for a, b in pairwise(failed)]
            assert all(later >= earlier * 0.8 for earlier, later in pairwise(gaps))
            assert 6 * HOUR <= gaps[-1] <= 8 * HOUR


ALARMS = [
    (90, 60, ""),
    (90, 75.5, ""),
    (90, 76.1, "less than 14 days"),
    (90, 83.1, "less than 7 days"),
    (90, 87.1, "less than 3 days"),
    (90, 90.5, "ended on"),
    (6, 4, ""),
    (6, 4.6, "less than 36 hours"),
    (6, 5.3, "less than 18 hours"),
]


@pytest.mark.parametrize("days,age,says", ALARMS)
def test_a_person_is_told_at_14_7_and_3_days_and_earlier_in_proportion_of_a_short_life(
    days: int, age: float, says: str
) -> None:
    told = decide(look(issued(age, days)), NONE, Policy(), NOW).findings
    assert [says in finding.what and finding.trouble for finding in told] == ([True] if says else [])


@pytest.mark.parametrize("error,trouble", [(Later("unreachable"), False), (ForUser("CAA forbids it", "x"), True)])
def test_a_failure_is_told_and_needs_a_person_only_when_it_does(error: Deliberate, trouble: bool) -> None:
    (finding,) = decide(look(issued(61)), NONE.begun(NOW).failing(NOW, error), Policy(), NOW).findings
    assert finding.trouble is trouble
    assert "failed once" in finding.what


def test_the_journal_there_and_back_and_what_is_none() -> None:
    full = tried(1, 2, failures=2, not_before=NOW, window=window(1, 2), window_of="ab", ask_after=NOW, installed="cd")
    full = full.begun(NOW).failing(NOW, Later("x\x1b[0m" * 900, 9 * DAY))
    assert full.not_before == NOW + DAY, "nobody makes us wait longer"
    for journal in (NONE, full, full.succeeded(), tried(*range(100))):
        assert read(write(journal)) == replace(journal, tries=journal.tries[-20:])
    text = write(full)
    for cut in range(0, len(text), 7):
        with pytest.raises(ValueError, match=r"."):
            read(text[:cut])
    for odd in (
        b"[]",
        b'{"version":1}',
        text.replace(b'"failures": 3', b'"failures": -1'),
        text.replace(b"+00:00", b""),
    ):
        with pytest.raises(ValueError, match=r"."):
            read(odd)
