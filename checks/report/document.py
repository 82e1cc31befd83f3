"""Reports as one JSON document; `SCHEMA` is its JSON Schema, and a test holds every run to it. Pure.

    {"schema": 1, "kind": "check", "results": [{...}, ...], "action": "good.test 100 %: nothing failed", "status": 0}

It is written piece by piece, so that a run over a thousand domains keeps none of them: `opening`, an `element` each, `closing`.
`results[].findings` is the short form that all our commands share (`what`, `where`, `advice`, `trouble`): what a timer tells.
A domain that could not be looked at has `name`, `score: null`, `good: false` and `trouble`: why.
Statuses are internet.nl's words: error fail notice info not_tested good_not_tested success. Text is as it was seen: JSON escapes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from checks.finding import Category, Finding, Report, Status, Verdict
from checks.report import words
from checks.report.changes import Change
from dnsops.base.errors import Exit

Json = dict[str, Any]
VERSION = 1

TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
NUMBER = {"type": "integer"}
POINTS = {"type": ["integer", "null"]}
FLAG = {"type": "boolean"}
STATUS = {"enum": [status.word for status in Status]}
VERDICT = {"enum": [verdict.word for verdict in Verdict]}


def _object(**properties: Any) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _map(values: Json) -> Json:
    return {"type": "object", "additionalProperties": values}


SUBTEST = _object(
    title=TEXT, status=STATUS, verdict=TEXT, worst=STATUS, points=POINTS, max_points=POINTS, strict=STATUS, category=TEXT,
    host=TEXT, details=TEXTS, strict_details=TEXTS, fix=TEXT, evidence=TEXTS,
)  # fmt: skip
CATEGORY = _object(
    title=TEXT, percent=NUMBER, points=NUMBER, max_points=NUMBER, verdict=VERDICT, strict=VERDICT, run=FLAG,
    subtests=_map(SUBTEST), hosts=_map(_map(SUBTEST)),
)  # fmt: skip
RESULT = _object(
    name=TEXT,
    at={"type": "string", "format": "date-time"},
    score={"type": ["integer", "null"], "minimum": 0, "maximum": 100},
    good=FLAG,
    mx={"type": "array", "items": {"type": "array", "prefixItems": [TEXT, TEXT], "minItems": 2, "maxItems": 2}},
    notes=TEXTS,
    categories=_map(CATEGORY),
    beyond={"type": "array", "items": {**SUBTEST, "properties": {"id": TEXT, **SUBTEST["properties"]}}},
    findings={"type": "array", "items": _object(what=TEXT, where=TEXT, advice=TEXT, trouble=FLAG)},
    since={"type": ["string", "null"], "format": "date-time"},
    changes={"type": "array", "items": _object(id=TEXT, column=TEXT, was=TEXT, now=TEXT, better=FLAG)},
)
MISSED = _object(name=TEXT, score={"type": "null"}, good={"const": False}, trouble=TEXT)
SCHEMA: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "mailsrv check --json",
    **_object(
        schema={"const": VERSION},
        kind={"const": "check"},
        results={"type": "array", "items": {"anyOf": [RESULT, MISSED]}},
        action=TEXT,
        status={"enum": [0, 1, 75]},
    ),
}


def opening() -> str:
    """What stands before the first result."""
    return f'{{\n"schema": {VERSION},\n"kind": "check",\n"results": ['


def element(value: Mapping[str, Any], first: bool) -> str:
    """One result."""
    return ("\n" if first else ",\n") + json.dumps(value, indent=1, default=str)


def closing(action: str, status: int) -> str:
    """What stands behind the last one."""
    return f'\n],\n"action": {json.dumps(action)},\n"status": {int(status)}\n}}\n'


def document(results: Sequence[Json], action: str, status: int) -> str:
    """All of it."""
    return (
        opening()
        + "".join(element(value, not number) for number, value in enumerate(results))
        + closing(action, status)
    )


def result(report: Report, strict: bool = False, since: str | None = None, changes: Sequence[Change] = ()) -> Json:
    """One domain. since: the time of the run that `changes` compares with."""
    return {
        "name": report.domain,
        "at": report.at.isoformat(timespec="seconds"),
        "score": report.score if report.categories else None,
        "good": words.good(report, strict),
        "mx": [list(pair) for pair in report.mx],
        "notes": list(report.notes),
        "categories": {category.id: _category(category) for category in report.categories},
        "beyond": [{"id": finding.id, **_subtest(finding)} for finding in _beyond(report)],
        "findings": [_short(finding, strict) for finding in words.worst_first(report.findings) if words.wrong(finding)],
        "since": since,
        "changes": [change.as_json() for change in changes],
    }


def missed(domain: str, why: str) -> Json:
    """A domain that could not be looked at."""
    return {"name": domain, "score": None, "good": False, "trouble": why}


def status(value: Mapping[str, Any]) -> Exit:
    """The exit status for one result."""
    if "trouble" in value:
        return Exit.LATER
    return Exit.OK if value.get("good") else Exit.FINDINGS


def _beyond(report: Report) -> Sequence[Finding]:
    return report.beyond.findings if report.beyond else ()


def _category(category: Category) -> Json:
    return {
        "title": words.category(category.id),
        "percent": category.percent,
        "points": category.points,
        "max_points": category.max_points,
        "verdict": category.verdict.word,
        "strict": category.strict.word,
        "run": category.run,
        "subtests": {finding.id: _subtest(finding) for finding in category.findings},
        "hosts": {host: {finding.id: _subtest(finding) for finding in own} for host, own in category.by_host},
    }


def _subtest(finding: Finding) -> Json:
    return {
        "title": finding.title,
        "status": finding.status.word,
        "verdict": finding.verdict,
        "worst": finding.worst.word,
        "points": finding.points,
        "max_points": finding.max_points,
        "strict": finding.right.word,
        "category": finding.category,
        "host": finding.host,
        "details": list(finding.details),
        "strict_details": list(finding.strict_details),
        "fix": finding.fix,
        "evidence": [line for piece in finding.evidence for line in piece.lines],
    }


def _short(finding: Finding, strict: bool) -> Json:
    said = [*words.details(finding), *words.strict_details(finding)] or [words.STATUSES[words.worst(finding)]]
    return {
        "what": f"{words.title(finding)}: {said[0]}",
        "where": finding.host,
        "advice": finding.fix,
        "trouble": (finding.right if strict else finding.status) <= Status.FAIL,
    }
