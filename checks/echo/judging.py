"""A round trip judged. Pure.

    report = judge(trip)        for a report; each echo address is a host of its findings

Times are told, and judged only against `late`. Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from checks.catalogue.ourselves import ECHO_CATEGORY, ourselves
from checks.echo.marked import saw
from checks.facts.looked import Evidence
from checks.finding import Category, Finding, Report, Status, strict_verdict

SHOWN = 30  # lines of an answer
METHODS = ("spf", "dkim", "dmarc")


class End(Enum):
    """How a trip ended; the value is for people."""

    ANSWERED = "the answer is here"
    REFUSED = "our server did not take the mail"
    BOUNCED = "the mail came back as undeliverable"
    SILENT = "no answer came in time"
    BLIND = "the mailbox could not be read"


@dataclass(frozen=True, slots=True)
class Trip:
    """One mail to one echo address. took: from our server's 250 to the answer in the mailbox.  why: for what went wrong.

    junk: the answer was taken for spam.  answer: what came, as it came.  waited: how long at most.
    """

    echo: str
    sent: datetime
    end: End
    took: timedelta = timedelta(0)
    waited: timedelta = timedelta(0)
    why: str = ""
    junk: bool = False
    answer: bytes = field(default=b"", repr=False)


def judge(sender: str, now: datetime, trips: Sequence[Trip], late: timedelta) -> Report:
    """All trips of one sender."""
    found = tuple(finding for trip in trips for finding in of_trip(trip, late))
    return Report(sender, now, 0, (), beyond=Category(ECHO_CATEGORY, found, strict_verdict(found)))


def of_trip(trip: Trip, late: timedelta) -> Iterator[Finding]:
    yield _sent(trip)
    if trip.end is End.REFUSED:
        return
    yield _answered(trip, late)
    if trip.end is not End.ANSWERED:
        return
    yield _finding("inbox", trip, Status.NOTICE if trip.junk else Status.GOOD, "the answer was taken for spam" if trip.junk else "")  # fmt: skip
    seen = saw(trip.answer)
    for name in METHODS:
        yield _seen(name, trip, seen.get(name, ""))
    yield _encrypted(trip, seen.get("tls", ""))


def _sent(trip: Trip) -> Finding:
    if trip.end is End.REFUSED:
        return _finding("sent", trip, Status.FAIL, trip.why or trip.end.value)
    return _finding("sent", trip, Status.GOOD, "")


def _answered(trip: Trip, late: timedelta) -> Finding:
    if trip.end is not End.ANSWERED:
        waited = f" ({trip.waited.total_seconds():.0f} s)" if trip.end is End.SILENT else ""
        status = Status.ERROR if trip.end is End.BLIND else Status.FAIL
        return _finding("answered", trip, status, trip.end.value + waited + (f": {trip.why}" if trip.why else ""))
    told = f"after {trip.took.total_seconds():.1f} s"
    if trip.took > late:
        return _finding("answered", trip, Status.FAIL, f"late, {told}; {late.total_seconds():.0f} s are expected")
    return _finding("answered", trip, Status.GOOD, told)


def _seen(name: str, trip: Trip, said: str) -> Finding:
    if not said:
        return _finding(name, trip, Status.NOT_TESTED, "the answer does not tell")
    word = said.split()[0].strip(":;,.").lower()
    if word in ("none", "neutral", "temperror"):
        return _finding(name, trip, Status.NOTICE, said)
    return _finding(name, trip, Status.GOOD if word == "pass" else Status.FAIL, said)


def _encrypted(trip: Trip, said: str) -> Finding:
    if not said:
        return _finding("tls", trip, Status.NOT_TESTED, "the answer does not tell")
    return _finding("tls", trip, Status.NOTICE if said.lower().startswith("none") else Status.GOOD, said)


def _finding(name: str, trip: Trip, status: Status, said: str) -> Finding:
    verdict = "good" if status is Status.GOOD else "not-tested" if status is Status.NOT_TESTED else "bad"
    shown = trip.answer.decode("utf-8", "replace").splitlines()[:SHOWN] if name == "answered" else []
    evidence = [Evidence(tuple(shown), trip.sent)] if shown else []
    return ourselves(f"echo_{name}").finding(
        status, verdict, host=trip.echo, details=(said,) if said else (), strict=status, evidence=evidence
    )
