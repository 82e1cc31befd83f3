"""A report as a Nagios plugin says it: one line with figures, more lines below it, and a status. Pure.

    MAIL WARNING - good.test 93 %: 1 failed | score=93%;100;;0;100 ipv6=100%;;;0;100

Standard: the Monitoring Plugins' guidelines: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN; `|` only before the figures. CRITICAL: something
failed that mail suffers from; WARNING: less than 100 % by other things, or warnings; UNKNOWN: it could not be looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum

from checks.finding import Report, Status
from checks.report import words

MOST_LINES = 20


class State(IntEnum):
    """The exit status. The worst of several is the first in `GRAVITY`."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


GRAVITY = (State.CRITICAL, State.WARNING, State.UNKNOWN, State.OK)


def state(report: Report, strict: bool = False) -> State:
    """What a watchman should think of it."""
    statuses = [finding.right if strict or not report.categories else finding.status for finding in report.findings]
    if not statuses:
        return State.UNKNOWN
    if min(statuses) <= Status.FAIL:
        return State.CRITICAL
    low = bool(report.categories) and not report.all_good
    return State.WARNING if low or min(statuses) == Status.NOTICE else State.OK


def worst(states: Sequence[State]) -> State:
    """Of several; of none it is unknown."""
    return min(states, key=GRAVITY.index, default=State.UNKNOWN)


def text(
    reports: Sequence[Report], service: str = "MAIL", strict: bool = False, missed: bool = False
) -> tuple[str, State]:
    """What is printed, and the status. missed: there was something that could not be looked at."""
    found = worst([*(state(report, strict) for report in reports), *([State.UNKNOWN] if missed else [])])
    told = (
        "; ".join(f"{words.clean(report.domain)} {words.sentence(report)}" for report in reports)
        or "nothing was looked at"
    )
    figures = " ".join(figure for report in reports for figure in _figures(report, len(reports) > 1))
    first = f"{service} {found.name} - {_plain(told)}" + (f" | {figures}" if figures else "")
    return "\n".join([first, *list(_more(reports))[:MOST_LINES]]), found


def _figures(report: Report, several: bool) -> Iterator[str]:
    prefix = f"{_label(report.domain)}_" if several else ""
    if report.categories:
        yield f"{prefix}score={report.score}%;100:;;0;100"
    for category in report.categories:
        if category.run and category.max_points:
            yield f"{prefix}{_label(category.id)}={category.percent}%;;;0;100"


def _more(reports: Sequence[Report]) -> Iterator[str]:
    for report in reports:
        for finding in words.worst_first(report.findings):
            if words.worst(finding) <= Status.NOTICE:
                said = [*words.details(finding), *words.strict_details(finding), ""][0]
                where = finding.host or report.domain
                yield _plain(
                    f"{words.STATUSES[words.worst(finding)]}: {words.clean(where)}: {words.title(finding)}: {said}"
                )


def _label(name: str) -> str:
    """A figure's name: no quote, blank or equals sign."""
    return "".join(c if c.isascii() and (c.isalnum() or c in ".-") else "_" for c in name)


def _plain(text: str) -> str:
    """Without the one character that begins the figures."""
    return text.replace("|", "/")
