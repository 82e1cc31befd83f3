"""The score: what each rule takes off ten points. Pure.

    report = score_message(content, known)         Report.score is in tenths of a point: 87 is 8.7 of 10

Limits: what `Letter` reads. Fails by: nothing.
"""

from __future__ import annotations

from checks.catalogue.letters import CATEGORY
from checks.deliverability import content as body
from checks.deliverability import heading, origin
from checks.deliverability.known import Known
from checks.deliverability.letter import Letter
from checks.finding import Category, Finding, Report, Status, Verdict

BEST = 100  # tenths
NAME = 80  # characters of a subject as the report's name


def score_message(raw: bytes, known: Known) -> Report:
    """The report about one message. raw: as it travels; bare line feeds are taken for line ends."""
    letter = Letter(raw if b"\r\n" in raw else raw.replace(b"\n", b"\r\n"))
    found = (*origin.findings(known), *heading.findings(letter, known), *body.findings(letter, known))
    score = max(0, BEST - sum(map(lost, found)))
    category = Category(CATEGORY, found, _verdict(found), percent=score, points=score, max_points=BEST)
    name = letter.value(b"subject").strip()[:NAME] or "(no subject)"
    return Report(name, known.now, score, (category,), notes=known.notes)


def lost(finding: Finding) -> int:
    """Tenths of a point."""
    if finding.max_points is None or finding.points is None:
        return 0
    return finding.max_points - finding.points


def out_of_ten(report: Report) -> str:
    """`8.7`."""
    return f"{report.score / 10:g}"


def _verdict(found: tuple[Finding, ...]) -> Verdict:
    worst = min((finding.status for finding in found), default=Status.GOOD)
    return {Status.FAIL: Verdict.FAILED, Status.NOTICE: Verdict.WARNING}.get(worst, Verdict.PASSED)
