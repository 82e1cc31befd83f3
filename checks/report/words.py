"""The words of every report: statuses, verdicts and categories for people; what is worse than what. Pure.

Everything that came from outside - a banner, a record, a host's name - goes through `clean` before a person sees it: control
characters become escapes, lines that do not end are cut. Each form escapes for itself what means something there.
Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checks.finding import Category, Finding, Report, Status, Verdict
from dnsops.base.printable import printable

DANE = "dane"  # every port: asked for, so it counts, though internet.nl has no points for it
LONGEST_LINE = 600  # characters of one line of details or evidence
MOST_LINES = 60  # of one finding's evidence
STATUSES = {
    Status.ERROR: "error",
    Status.FAIL: "failed",
    Status.NOTICE: "warning",
    Status.INFO: "info",
    Status.NOT_TESTED: "not tested",
    Status.GOOD_NOT_TESTED: "good, not tested",
    Status.GOOD: "good",
}
CATEGORIES = {
    "ipv6": "IPv6",
    "dnssec": "DNSSEC",
    "auth": "DMARC, DKIM and SPF",
    "tls": "STARTTLS and DANE",
    "rpki": "RPKI",
    "beyond": "Beyond internet.nl",
    "dane": "DANE on every port",
    "deliverability": "Deliverability",
    "echo": "Echo",
    "health": "Health of this host",
    "relay": "Relay and smuggling",
    "mailbox": "Mailbox over IMAP",
}
WORDS = {Verdict.ERROR: "error", Verdict.FAILED: "failed", Verdict.WARNING: "warning", Verdict.INFO: "info"}
WORDS |= {Verdict.PASSED: "passed"}


def clean(text: str) -> str:
    """One line that is harmless anywhere, and not longer than anybody reads."""
    line = printable(text)
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 3] + "..."


def category(name: str) -> str:
    """A category's title."""
    return CATEGORIES.get(name, clean(name))


def title(finding: Finding) -> str:
    """What the finding is about."""
    return clean(finding.title or finding.id)


def groups(report: Report) -> Iterator[Category]:
    """The categories, and what is beyond them."""
    yield from report.categories
    if report.beyond is not None:
        yield report.beyond


def worst(finding: Finding) -> Status:
    """The worse of the two columns."""
    return min(finding.status, finding.right)


def wrong(finding: Finding) -> bool:
    """Whether a person has something to do here."""
    return worst(finding) <= Status.INFO


def trouble(finding: Finding) -> bool:
    """Whether mail or its safety suffers: failed in either column."""
    return worst(finding) <= Status.FAIL


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """For reading: what is worst at the top, otherwise as they were."""
    return sorted(findings, key=worst)


def good(report: Report, strict: bool = False) -> bool:
    """Whether all is as wanted: 100 %, and nothing failed of what has no score; with `strict` in our column of all the others too."""
    wanted = report.all_good or not report.categories
    unscored = (finding for finding in report.findings if strict or not report.categories or finding.category == DANE)
    return wanted and not any(finding.right <= Status.FAIL for finding in unscored)


def evidence(finding: Finding) -> list[str]:
    """Its lines, each harmless; what is too much is counted."""
    lines = [clean(line) for piece in finding.evidence for text in piece.lines for line in text.splitlines() or [""]]
    if len(lines) <= MOST_LINES:
        return lines
    return [*lines[:MOST_LINES], f"... and {len(lines) - MOST_LINES} lines more"]


def details(finding: Finding) -> list[str]:
    """What exactly is wrong, a line each."""
    return [clean(line) for line in finding.details]


def strict_details(finding: Finding) -> list[str]:
    """Why we think otherwise, a line each."""
    return [clean(line) for line in finding.strict_details]


def points(finding: Finding) -> str:
    """`10/10`, or nothing where it has no points of its own."""
    if finding.max_points is None:
        return ""
    return f"{0 if finding.points is None else finding.points}/{finding.max_points}"


def score(report: Report) -> str:
    """The total, where there is one."""
    return f"{report.score} %" if report.categories else ""


def sentence(report: Report) -> str:
    """The report in one line: total, and how much there is to do in each column."""
    return ": ".join(part for part in (score(report), summary(report)) if part)


def summary(report: Report) -> str:
    """How much there is to do in each column."""
    counts = [
        (sum(finding.status <= Status.FAIL for finding in report.findings), "failed"),
        (sum(finding.status == Status.NOTICE for finding in report.findings), "with a warning"),
        (
            sum(finding.right <= Status.FAIL < finding.status for finding in report.findings),
            "failed in our column only",
        ),
    ]
    return ", ".join(f"{count} {what}" for count, what in counts if count) or "nothing failed"
