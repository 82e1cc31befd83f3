"""Is the server well? Facts in, findings out, each with the sentence that helps at night. Pure.

Fails by: nothing; what could not be measured is a finding of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

LITTLE_SPACE = 512 << 20  # bytes left
LONG = timedelta(hours=4)  # that mail has waited in the queue
SOON = timedelta(days=14)  # that a certificate ends
SLOW = 5.0  # seconds that the store may take


@dataclass(frozen=True, slots=True)
class Facts:
    """What was measured. None: it could not be."""

    now: datetime
    draining: bool
    store_seconds: float | None  # until the writer answered
    waiting: int | None  # recipients in the queue
    oldest: datetime | None  # of those
    free: int | None  # bytes on the disk of the state directory
    not_after: datetime | None  # of the certificate
    signed: bool  # by an authority, or at least not by ourselves at start
    sessions: dict[str, int]
    lag: float  # seconds that the event loop was late, at most, since the last look


@dataclass(frozen=True, slots=True)
class Finding:
    """`well` is False for what makes the server unhealthy; a warning is well."""

    what: str
    well: bool
    text: str


def findings(facts: Facts) -> list[Finding]:
    """Everything, good and bad."""
    return [*_serving(facts), *_store(facts), *_queue(facts), *_disk(facts), *_certificate(facts)]


def _serving(facts: Facts) -> Iterator[Finding]:
    people = ", ".join(f"{count} {kind}" for kind, count in sorted(facts.sessions.items()))
    if facts.draining:
        yield Finding("serving", False, "it is going down and takes nobody in any more")
    else:
        yield Finding(
            "serving", True, f"sessions: {people or 'none'}; the event loop was {facts.lag:.3f} s late at most"
        )


def _store(facts: Facts) -> Iterator[Finding]:
    if facts.store_seconds is None:
        yield Finding(
            "store", False, "the mail store does not answer: look for store.failed in the log, and at the disk"
        )
    elif facts.store_seconds > SLOW:
        yield Finding(
            "store", False, f"the mail store took {facts.store_seconds:.1f} s to answer: the disk is too slow"
        )
    else:
        yield Finding("store", True, f"the mail store answered in {facts.store_seconds * 1000:.0f} ms")


def _queue(facts: Facts) -> Iterator[Finding]:
    if facts.waiting is None:
        yield Finding("queue", False, "the queue could not be read")
        return
    age = facts.now - facts.oldest if facts.oldest else timedelta(0)
    late = age > LONG
    hint = ": `mailsrv queue list` says why" if late else ""
    yield Finding("queue", True, f"{facts.waiting} recipients wait, the oldest for {_hours(age)}{hint}")


def _disk(facts: Facts) -> Iterator[Finding]:
    if facts.free is None:
        yield Finding("disk", False, "the state directory could not be looked at")
    else:
        well = facts.free >= LITTLE_SPACE
        hint = "" if well else ": mail is refused for now when it is full; make room"
        yield Finding("disk", well, f"{facts.free / (1 << 30):.1f} GiB are free{hint}")


def _certificate(facts: Facts) -> Iterator[Finding]:
    if facts.not_after is None:
        yield Finding("certificate", False, "there is none to serve")
        return
    left = facts.not_after - facts.now
    if left <= timedelta(0):
        yield Finding(
            "certificate", False, f"it ended {_hours(-left)} ago: have it renewed, then `systemctl reload mailsrv`"
        )
    elif not facts.signed:
        yield Finding("certificate", True, "nobody signed it: made at start, until `mailsrv cert show` has a real one")
    else:
        hint = ": it should have been renewed by now" if left < SOON else ""
        yield Finding("certificate", True, f"valid for {left.days} days more{hint}")


def _hours(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} h"
