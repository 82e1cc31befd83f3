"""What STARTTLS at one address shows, told in order: versions, the jobs that may break, suites, order, hashes, chains, and beyond.

As the site does it (reference internet.nl 5.4), with its two clients; then what a wide client finds, for the strict column.
Standards: those of `checks.facts.tls`.
Limits: one connection at a time, `Limits` for their number, each one's time and all time.
Fails by: a `Tls` that says why; `late` when time was over.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from checks.facts import Evidence, Tls
from checks.probe.tls.gathered import Gathered
from checks.probe.tls.questions import beyond, jobs_break, of_certificates, of_hashes, of_order, of_suites, of_versions
from checks.probe.tls.trust import Roots
from checks.probe.tls.visit import Gate, Limits, Place, Visitor

USUAL = Limits()


async def look(
    place: Place, roots: Roots, now: datetime, limits: Limits = USUAL, gate: Gate | None = None, wide: bool = True
) -> Tls:
    """Everything about one address; `now` is when certificates are to be valid.

    gate: shared by all who look at the same time.  wide: also what the site does not look for.
    """
    visitor = Visitor(place, limits, gate)
    seen = Gathered(place.host, place.address)
    try:
        async with asyncio.timeout(limits.whole):
            await _tell(visitor, seen, roots, now, wide)
    except TimeoutError:
        seen.late = True
        seen.say(f"the time of {limits.whole:g} s was over")
    seen.say(f"{visitor.visits} connections")
    return seen.facts(visitor.banner, visitor.offered, Evidence(tuple(seen.lines), now))


async def _tell(visitor: Visitor, seen: Gathered, roots: Roots, now: datetime, wide: bool) -> None:
    """The story: first what the site sees, then the rest."""
    await of_versions(visitor, seen)
    if visitor.offered and not await jobs_break(visitor, seen):
        await of_suites(visitor, seen)
        await of_order(visitor, seen)
        await of_hashes(visitor, seen)
        await of_certificates(visitor, seen, roots, now)
        seen.reachable = not seen.broken
    if visitor.offered and wide:
        await beyond(visitor, seen)
