"""Percentages, verdicts and the total: internet.nl's arithmetic (reference internet.nl 1.4 to 1.7). Pure.

    category maximum   points of the subtests whose worst is FAIL and that have points       20 10 50 140 45, or less
    percentage         int(100.0 / maximum * points)
    total              int(mean of the percentages of categories whose maximum is more than 0), 0 to 100

Several mail hosts: the report shows each subtest at its worst; the category gets the fewest points that any host has.
Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from checks.finding import Category, Finding, Status, Verdict

HostFindings = tuple[str, tuple[Finding, ...]]

_TLS_SHOWN = {
    Status.ERROR: Verdict.ERROR,
    Status.FAIL: Verdict.FAILED,
    Status.NOTICE: Verdict.WARNING,
    Status.INFO: Verdict.INFO,
    Status.NOT_TESTED: Verdict.INFO,
    Status.GOOD_NOT_TESTED: Verdict.INFO,
    Status.GOOD: Verdict.PASSED,
}


def of_hosts(name: str, hosts: Sequence[HostFindings]) -> Category:
    """A category of what each host has (TLS). hosts: at least one, each with the same subtests in the same order."""
    findings = worst_of([found for _, found in hosts])
    counted = {finding.id for finding in findings if finding.counts}
    fewest = min(sum(finding.points or 0 for finding in found if finding.id in counted) for _, found in hosts)
    category = single(name, findings, fewest)
    return replace(category, by_host=tuple(hosts)) if len(hosts) > 1 else category


def single(name: str, findings: Sequence[Finding], points: int | None = None) -> Category:
    """A category of findings as they are shown. points: of the category, else the sum of theirs that count."""
    maximum = sum(finding.max_points or 0 for finding in findings if finding.counts)
    reached = sum(finding.points or 0 for finding in findings if finding.counts) if points is None else points
    verdict = verdict_of(findings, mandatory=name != "rpki", tls=name == "tls")
    return Category(name, tuple(findings), verdict, percentage(reached, maximum), reached, maximum)


def worst_of(hosts: Sequence[Sequence[Finding]]) -> list[Finding]:
    """Each subtest as at the host where it is worst, the later of equals; how bad it can get: the worst of all hosts."""
    return [_worst([found[place] for found in hosts]) for place in range(len(hosts[0]))] if hosts else []


def _worst(same: Sequence[Finding]) -> Finding:
    chosen = same[0]
    for finding in same[1:]:
        if finding.status <= chosen.status:
            chosen = finding
    stricter = min(same, key=lambda finding: finding.right)
    return replace(
        chosen,
        worst=min(finding.worst for finding in same),
        strict=None if stricter.right == chosen.status else stricter.right,
        strict_details=stricter.strict_details if stricter.right != chosen.status else chosen.strict_details,
        fix=chosen.fix or stricter.fix,
    )


def percentage(points: int, maximum: int) -> int:
    """0..100; of nothing it is 0."""
    return min(100, max(0, int(100.0 / maximum * points))) if maximum else 0


def total(categories: Iterable[Category]) -> int:
    """0..100: every category that was run and has a maximum weighs the same."""
    counted = [category.percent for category in categories if category.run and category.max_points > 0]
    return min(100, max(0, int(sum(counted) / len(counted)))) if counted else 0


def verdict_of(findings: Sequence[Finding], mandatory: bool = True, tls: bool = False) -> Verdict:
    """mandatory: False for RPKI, where a subtest that was not tested says nothing and notices show.

    tls: when all but at most one subtest were not tested, the verdict is that of the first, whether there is STARTTLS.
    """
    tested = [finding for finding in findings if finding.status not in (Status.NOT_TESTED, Status.GOOD_NOT_TESTED)]
    if tls and len(tested) <= 1:
        return _TLS_SHOWN[findings[0].status]
    seen = {finding.status for finding in findings}
    if mandatory:
        seen |= {finding.worst for finding in findings if finding not in tested}
    limits = {finding.worst for finding in findings} if mandatory else set()
    return _verdict(seen, limits)


def _verdict(seen: set[Status], limits: set[Status]) -> Verdict:
    if Status.ERROR in seen:
        return Verdict.ERROR
    if Status.FAIL in seen:
        return Verdict.FAILED
    if Status.NOTICE in seen and Status.FAIL not in limits:
        return Verdict.WARNING
    if Status.INFO in seen and not limits & {Status.FAIL, Status.NOTICE}:
        return Verdict.INFO
    return Verdict.PASSED
