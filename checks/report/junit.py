"""Reports as JUnit XML, as CI servers read it. Pure.

A category is a suite, a subtest a case: failed is `failure`, error is `error`, not tested is `skipped`; warnings and infos pass and
are told in `system-out`. Our column is a suite of its own for each domain (`DOMAIN ours`), with the findings where we have an opinion.
Text is escaped, and holds no character that XML 1.0 (2.2) does not know. Written piece by piece: `OPENING`, a `suites` each, `CLOSING`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from checks.finding import Finding, Report, Status
from checks.report import words

OPENING = '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="mailsrv check">\n'
CLOSING = "</testsuites>\n"


def suites(report: Report) -> Iterator[str]:
    """The suites of one domain, each ending with a line end."""
    for category in words.groups(report):
        if category is not report.beyond:
            yield _suite(report, category.id, category.findings, ours=False)
    opinions = [finding for finding in report.findings if finding.strict is not None]
    if opinions:
        yield _suite(report, "ours", opinions, ours=True)


def _suite(report: Report, name: str, findings: Sequence[Finding], ours: bool) -> str:
    statuses = [finding.right if ours else finding.status for finding in findings]
    counts = {
        "tests": len(findings),
        "failures": statuses.count(Status.FAIL),
        "errors": statuses.count(Status.ERROR),
        "skipped": statuses.count(Status.NOT_TESTED),
    }
    numbers = " ".join(f'{key}="{value}"' for key, value in counts.items())
    label = _attribute(f"{report.domain} {name}")
    cases = "".join(_case(report, name, finding, status) for finding, status in zip(findings, statuses, strict=True))
    when = report.at.strftime("%Y-%m-%dT%H:%M:%S")
    return f'<testsuite name={label} timestamp="{when}" {numbers}>\n{cases}</testsuite>\n'


def _case(report: Report, suite: str, finding: Finding, status: Status) -> str:
    host = f" at {finding.host}" if finding.host else ""
    name = _attribute(f"{finding.id}: {finding.title or finding.id}{host}")
    return f"<testcase classname={_attribute(f'{report.domain}.{suite}')} name={name}>{_outcome(finding, status)}</testcase>\n"


def _outcome(finding: Finding, status: Status) -> str:
    said = [*words.details(finding), *words.strict_details(finding)]
    message = _attribute(said[0] if said else words.STATUSES[status])
    fix = [f"fix: {words.clean(line)}" for line in finding.fix.splitlines()] if status <= Status.INFO else []
    body = escape("\n".join([*said, *fix, *words.evidence(finding)]))
    match status:
        case Status.FAIL:
            return f"<failure message={message} type={_attribute(finding.verdict)}>{body}</failure>"
        case Status.ERROR:
            return f"<error message={message} type={_attribute(finding.verdict)}>{body}</error>"
        case Status.NOT_TESTED:
            return f"<skipped message={message}/>"
    return f"<system-out>{body}</system-out>" if body else ""


def _attribute(text: str) -> str:
    return quoteattr(words.clean(text))
