"""A report as one HTML page that needs nothing else: scoreboard, findings with their fix, evidence folded away, history. Pure.

It has no script, and says so by its Content-Security-Policy; it may be opened from a disk, mailed, or put on a web server. It is made
to be read on a phone, in the dark, by a screen reader, and on paper. Whatever came from outside is cleaned, then escaped; only `https:`
addresses of our own catalogue become links. Written piece by piece: `head`, a `section` for each domain, `FOOT`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape

from checks.finding import Category, Finding, Report, Status, Verdict
from checks.report import style, words
from checks.report.changes import Change, Snapshot
from checks.report.chart import chart

CLASSES = {
    Status.ERROR: "error",
    Status.FAIL: "failed",
    Status.NOTICE: "warning",
    Status.INFO: "info",
    Status.NOT_TESTED: "untested",
    Status.GOOD_NOT_TESTED: "untested",
    Status.GOOD: "good",
}
_TYPED = re.compile("`([^`]{1,200})`")  # what a person types or copies
FOOT = (
    "<footer><p>Two columns: the verdict of internet.nl’s mail test, and ours where we look further or think otherwise. "
    "What a check means and how to mend it: <code>mailsrv check explain ID</code></p></footer></body></html>\n"
)


def head(title: str, at: datetime) -> str:
    """What stands before the first domain."""
    name = _text(title)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(style.policy())}">\n'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="referrer" content="no-referrer">\n'
        f"<title>Mail check: {name}</title><style>{style.STYLE}</style></head>\n"
        f'<body><header><h1>Mail check: {name}</h1><p class="soft">{at:%Y-%m-%d %H:%M} UTC</p></header>\n'
    )


def section(
    report: Report,
    history: Sequence[Snapshot] = (),
    since: datetime | None = None,
    changed: Sequence[Change] = (),
    folded: bool = False,
) -> str:
    """One domain. folded: for a page of many; then its line is all that is seen at first."""
    body = "\n".join(_body(report, history, since, changed))
    if not folded:
        return f"<main>\n{body}\n</main>\n"
    verdict = "good" if words.good(report) else "failed"
    line = f'<span class="word {verdict}">{words.score(report)}</span><h3>{_text(report.domain)}</h3> {_text(words.summary(report))}'
    return f'<details class="domain"><summary>{line}</summary>\n{body}\n</details>\n'


def _body(
    report: Report, history: Sequence[Snapshot], since: datetime | None, changed: Sequence[Change]
) -> Iterator[str]:
    yield from _summary(report)
    yield f'<ul class="board">{"".join(_tile(category) for category in words.groups(report))}</ul>'
    yield from _changes(since, changed)
    yield from _history(history)
    wrong = words.worst_first([finding for finding in report.findings if words.wrong(finding)])
    if wrong:
        yield "<h2>What to do, the worst first</h2>"
        yield from (_finding(finding) for finding in wrong)
    for category in (one for one in words.groups(report) if one.findings):
        yield from _table(category, scored=category is not report.beyond)


def _summary(report: Report) -> Iterator[str]:
    verdict = "good" if words.good(report) else "failed"
    if report.categories:
        yield f'<p class="total {verdict}">{report.score} %</p>'
    yield f"<p>{_text(words.summary(report))}</p>"
    if report.mx:
        hosts = ", ".join(_text(host.rstrip(".") or state) for host, state in report.mx)
        yield f'<p class="soft">Mail comes through {hosts}</p>'
    yield from (f'<p class="soft">{_text(note)}</p>' for note in report.notes)


def _tile(category: Category) -> str:
    """A category on the scoreboard."""
    verdict, ours = words.WORDS[category.verdict], words.WORDS[category.strict]
    name = f"<span>{escape(words.category(category.id))}</span>"
    if not category.run:
        return f'<li>{name}<b class="untested">not run</b></li>'
    if not category.max_points:
        return f'<li>{name}<b class="{_class(category.strict)}">{ours}</b></li>'
    return (
        f'<li>{name}<b class="{_class(category.verdict)}">{category.percent} %</b>'
        f'<meter min="0" max="100" value="{category.percent}" aria-label="{category.percent} %"></meter>'
        f'<span class="{_class(category.verdict)}">{verdict}</span> <span class="soft">{category.points}/{category.max_points} · ours:'
        f'</span> <span class="{_class(category.strict)}">{ours}</span></li>'
    )


def _class(verdict: Verdict) -> str:
    return words.WORDS[verdict]


def _changes(since: datetime | None, changed: Sequence[Change]) -> Iterator[str]:
    if since is None:
        return
    yield f"<h2>Changed since {since:%Y-%m-%d %H:%M} UTC</h2>"
    if not changed:
        yield "<p>Nothing.</p>"
        return
    yield f"<ul>{''.join(map(_change, changed))}</ul>"


def _change(change: Change) -> str:
    word = "better" if change.better else "worse"
    return f'<li class="{"good" if change.better else "failed"}">{word}: {_text(str(change))}</li>'


def _history(history: Sequence[Snapshot]) -> Iterator[str]:
    """The total's chart, and one for each category whose percentage ever moved; what has no total has its own chart always."""
    charts = []
    if total := chart("Total", [(run.at, run.score) for run in history if run.score is not None]):
        charts.append(f"<p>Total</p>{total}")
    for name in sorted({name for run in history for name in run.percents}):
        points = [(run.at, run.percents[name]) for run in history if name in run.percents]
        drawn = chart(words.category(name), points)
        if drawn and (not total or len({percent for _, percent in points}) > 1):
            charts.append(f"<p>{escape(words.category(name))}</p>{drawn}")
    if charts:
        yield f"<h2>History</h2>{''.join(charts)}"


def _finding(finding: Finding) -> str:
    """One finding, open when mail suffers from it."""
    opened = " open" if words.trouble(finding) else ""
    return (
        f'<details class="finding"{opened}><summary>{_line(finding)}</summary>{"".join(_explained(finding))}</details>'
    )


def _line(finding: Finding) -> str:
    where = f' <span class="soft">{_text(finding.host.rstrip("."))}</span>' if finding.host else ""
    return f"{_word(words.worst(finding))}<h3>{_text(words.title(finding))}</h3>{where}"


def _word(status: Status) -> str:
    return f'<span class="word {CLASSES[status]}">{words.STATUSES[status]}</span>'


def _explained(finding: Finding) -> Iterator[str]:
    yield from (f"<p>{escape(line)}</p>" for line in words.details(finding))
    if finding.right != finding.status:
        yield f'<p><span class="soft">internet.nl:</span> {_word(finding.status)} <span class="soft">ours:</span> {_word(finding.right)}</p>'
    yield from (f"<p>{escape(line)}</p>" for line in words.strict_details(finding))
    if finding.fix:
        lines = "\n".join(_TYPED.sub(r"<code>\1</code>", _text(line)) for line in finding.fix.splitlines())
        yield f'<p class="fix">{lines}</p>'
    yield f'<p class="soft"><code>{_text(finding.id)}</code> {words.points(finding)}</p>'
    yield from _evidence(finding)


def _evidence(finding: Finding) -> Iterator[str]:
    found = words.evidence(finding)
    if found:
        lines = "\n".join(escape(line) for line in found)
        yield f'<details><summary>Evidence</summary><pre tabindex="0">{lines}</pre></details>'


def _table(category: Category, scored: bool) -> Iterator[str]:
    """Every finding of a category, both columns; several hosts' own below. scored: internet.nl knows of it."""
    yield f"<h2>{escape(words.category(category.id))}</h2>"
    yield _rows(category.findings, "", scored)
    for host, findings in category.by_host:
        name = _text(host.rstrip("."))
        yield f'<details class="finding"><summary>{name}</summary>{_rows(findings, host, scored)}</details>'


def _rows(findings: Sequence[Finding], host: str, scored: bool) -> str:
    columns = ("check", "internet.nl", "ours", "points") if scored else ("check", "ours")
    heads = "".join(f'<th scope="col">{column}</th>' for column in columns)
    label = f"Checks of {_text(host)}" if host else "Checks"
    rows = "".join(_row(finding, scored, named=not host) for finding in findings)
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div class="scroll" role="region" aria-label="{label}" tabindex="0">{table}</div>'


def _row(finding: Finding, scored: bool, named: bool) -> str:
    where = f' <span class="soft">{_text(finding.host.rstrip("."))}</span>' if finding.host and named else ""
    name = f"{_text(words.title(finding))}{where}{''.join(_evidence(finding))}"
    cells = [name, _word(finding.status), _word(finding.right), words.points(finding)]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in (cells if scored else [name, _word(finding.right)]))}</tr>"


def _text(text: str) -> str:
    """Cleaned and escaped."""
    return escape(words.clean(text))
