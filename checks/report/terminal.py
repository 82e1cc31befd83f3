"""A report for a terminal: the scoreboard, then what is wrong, the worst first, each with its fix. Pure.

    good.test   93 %   2026-11-26 03:00 UTC   mx.good.test

    IPv6                  100 %   20/20   passed    ours: passed
    ...
    FAILED   STARTTLS and DANE · Ciphers   mx.good.test
             TLS_RSA_WITH_AES_128_CBC_SHA accepted
             fix: ...

Two columns: internet.nl's verdict, and ours where it differs. Colours are SGR sequences (ECMA-48 8.3.117), only when asked for;
what came from outside is `clean`ed before, so no sequence but ours reaches a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

from checks.finding import Category, Finding, Report, Status, Verdict
from checks.report import words
from checks.report.changes import Change

RED, YELLOW, CYAN, GREEN, DIM, BOLD = "31;1", "33", "36", "32", "2", "1"
COLOURS = {
    Status.ERROR: RED,
    Status.FAIL: RED,
    Status.NOTICE: YELLOW,
    Status.INFO: CYAN,
    Status.NOT_TESTED: DIM,
    Status.GOOD_NOT_TESTED: DIM,
    Status.GOOD: GREEN,
}
VERDICTS = {Verdict.ERROR: RED, Verdict.FAILED: RED, Verdict.WARNING: YELLOW, Verdict.INFO: CYAN, Verdict.PASSED: GREEN}
INDENT = 13
WIDTH = 100


class Pen:
    """Writes in colour, or not."""

    def __init__(self, colour: bool = False, width: int = WIDTH) -> None:
        self.colour, self.width = colour, max(width, 40)

    def __call__(self, text: str, *codes: str) -> str:
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self.colour and codes else text

    def indented(self, text: str, label: str = "") -> Iterator[str]:
        """Lines under a finding, folded at the width; what has no blank is not cut, so that it can be copied."""
        lines = wrap(label + text, self.width - INDENT, break_long_words=False, break_on_hyphens=False)
        yield from (" " * INDENT + line for line in lines)


def lines(report: Report, pen: Pen, whole: bool = False) -> Iterator[str]:
    """All of it. whole: also what is good, and the evidence."""
    yield from heading(report, pen)
    yield from scoreboard(report, pen)
    wrong = [finding for finding in report.findings if words.wrong(finding)]
    for finding in words.worst_first(wrong):
        yield ""
        yield from told(finding, pen, whole)
    yield from _good(report, pen, whole)


def heading(report: Report, pen: Pen) -> Iterator[str]:
    """Whose report it is, the total, when, and through which hosts mail comes."""
    hosts = ", ".join(words.clean(host.rstrip(".")) or words.clean(state) for host, state in report.mx)
    colour = GREEN if words.good(report) else RED
    parts = [
        pen(words.clean(report.domain), BOLD),
        pen(words.score(report), colour, BOLD),
        f"{report.at:%Y-%m-%d %H:%M} UTC",
    ]
    yield "   ".join(part for part in (*parts, hosts) if part)
    for note in report.notes:
        yield pen(f"note: {words.clean(note)}", DIM)


def scoreboard(report: Report, pen: Pen) -> Iterator[str]:
    """A line for each category."""
    if report.categories:
        yield ""
    for category in report.categories:
        yield _category(category, pen)
    if report.beyond is not None and report.categories:
        yield f"{words.category(report.beyond.id):<22}{'':>7}{'':>10}   {'':<9}ours: {_verdict(report.beyond.strict, pen)}"


def _category(category: Category, pen: Pen) -> str:
    percent = f"{category.percent} %" if category.run and category.max_points else "-"
    start = f"{words.category(category.id):<22}{percent:>7}"
    if not category.run:
        return f"{start}{'':>10}   {pen('not run', DIM)}"
    points = f"{category.points}/{category.max_points}" if category.max_points else ""
    return f"{start}{points:>10}   {_verdict(category.verdict, pen, 9)}ours: {_verdict(category.strict, pen)}"


def _verdict(verdict: Verdict, pen: Pen, width: int = 0) -> str:
    return pen(f"{words.WORDS[verdict]:<{width}}", VERDICTS[verdict])


def told(finding: Finding, pen: Pen, whole: bool = False) -> Iterator[str]:
    """One finding: what, where, why, what we think of it, and what to do."""
    yield _head(finding, pen)
    for line in words.details(finding):
        yield from pen.indented(line)
    if finding.right != finding.status or finding.strict_details:
        yield from _ours(finding, pen)
    if finding.fix and words.wrong(finding):
        for number, line in enumerate(finding.fix.splitlines()):
            yield from pen.indented(words.clean(line), "" if number else "fix: ")
    if whole:
        yield from (" " * INDENT + pen(f"| {line}", DIM) for line in words.evidence(finding))


def _head(finding: Finding, pen: Pen) -> str:
    """The worse of the two columns leads."""
    word, colour = words.STATUSES[words.worst(finding)], COLOURS[words.worst(finding)]
    status = pen(f"{word.upper() if words.wrong(finding) else word:<{INDENT}}", colour)
    name = f"{words.category(finding.category)} · {pen(words.title(finding), BOLD)} ({words.clean(finding.id)})"
    host = words.clean(finding.host.rstrip("."))
    return "   ".join(part for part in (status + name, host, words.points(finding)) if part)


def _ours(finding: Finding, pen: Pen) -> Iterator[str]:
    """Our column. Its lines stand under its word."""
    site, own = (pen(words.STATUSES[status], COLOURS[status]) for status in (finding.status, finding.right))
    if finding.status != finding.right:
        yield " " * INDENT + f"internet.nl: {site}, ours: {own}"
    for number, line in enumerate(words.strict_details(finding)):
        yield from pen.indented(line, "" if number else "ours: ")


def _good(report: Report, pen: Pen, whole: bool) -> Iterator[str]:
    """What is as it should be: counted, or listed."""
    rest = [finding for finding in report.findings if not words.wrong(finding)]
    yield ""
    if whole:
        for finding in rest:
            yield from told(finding, pen, whole)
        return
    untested = sum(words.worst(finding) < Status.GOOD for finding in rest)
    told_untested = f", {untested} could not be tested" if untested else ""
    yield pen(f"{len(rest) - untested} as wanted{told_untested}", DIM)


def brief(report: Report, pen: Pen) -> str:
    """One line, for a run over many domains."""
    colour = GREEN if words.good(report) else RED
    percents = " ".join(f"{category.id} {category.percent}" for category in report.categories if category.max_points)
    told = percents or f"{words.category(report.beyond.id) if report.beyond else ''}: {words.summary(report)}"
    return f"{pen(f'{words.score(report):>5}', colour)}  {words.clean(report.domain):<32} {told}"


def again(value: Mapping[str, Any], pen: Pen) -> str:
    """The line of a result that an earlier run left in its journal, in the form of the JSON document."""
    name = words.clean(str(value.get("name", "")))
    if "trouble" in value:
        return f"{name}: {words.clean(str(value['trouble']))}"
    found = [(key, one.get("percent")) for key, one in value.get("categories", {}).items() if one.get("max_points")]
    percents = " ".join(f"{words.clean(key)} {percent}" for key, percent in found)
    score = "" if value.get("score") is None else f"{value['score']} %"
    return f"{pen(f'{score:>5}', GREEN if value.get('good') else RED)}  {name:<32} {percents}"


def since(when: str, found: Sequence[Change], pen: Pen) -> Iterator[str]:
    """What changed, bad news first."""
    yield pen(f"since {when}: " + (f"{len(found)} changed" if found else "nothing changed"), DIM)
    for change in found:
        yield pen(
            f"  {'better' if change.better else 'WORSE':<7}{words.clean(str(change))}", GREEN if change.better else RED
        )


def text(pieces: Iterable[str]) -> str:
    """Lines as one text; no blank at a line's end."""
    return "".join(line.rstrip() + "\n" for line in pieces)
