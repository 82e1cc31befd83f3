"""What a rule takes: tenths of a point with their reasons; made into a finding. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from checks.catalogue.letters import rule
from checks.facts.looked import Evidence
from checks.finding import Finding, Status

MOST = 12  # reasons that are told of one rule


def judged(name: str, *lost: tuple[int, str], good: str = "", evidence: Sequence[Evidence] = ()) -> Finding:
    """A finding of the rule. lost: tenths and why, added up to what the rule may take; without any it is good."""
    of = rule(name)
    most = of.max_points or 0
    total = min(sum(tenths for tenths, _ in lost), most)
    details = [why for _, why in lost] or ([good] if good else [])
    if len(details) > MOST:
        details = [*details[:MOST], f"... and {len(details) - MOST} more"]
    return of.finding(
        _status(total, most, bool(lost)), _verdict(lost), most - total, details=details, evidence=evidence
    )


def untold(name: str, why: str) -> Finding:
    """Nothing was found out: it costs nothing."""
    of = rule(name)
    return of.finding(Status.NOT_TESTED, "not-tested", None, details=(why,))


def _status(total: int, most: int, any_lost: bool) -> Status:
    if not any_lost:
        return Status.GOOD
    if not total:
        return Status.INFO
    return Status.FAIL if 2 * total > most else Status.NOTICE


def _verdict(lost: Sequence[tuple[int, str]]) -> str:
    return "bad" if lost else "good"
