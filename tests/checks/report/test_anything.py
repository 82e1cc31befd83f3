"""Whatever a stranger says, at whatever place of a report: each form stays in its grammar, and nothing of it acts."""

from __future__ import annotations

import json
import random
import xml.etree.ElementTree as ET
from dataclasses import replace

import jsonschema
import pytest

from checks.facts import Evidence
from checks.finding import Category, Finding, Report, Status, Verdict
from checks.report import changes, document, junit, nagios, page, terminal
from tests.checks.report import sample
from tests.checks.report.test_forms import Seen

PIECES = (
    "\x1b[2J", "\x9b", "\x00", "\r\n", "\u2028", "\u202e", "\ud800", "\udbff", "\ufffe", "\U000e0001", "<", ">", "&", '"', "'", "]]>",
    "<!--", "-->", "</pre></title><script>", "javascript:alert(1)", "|", "=", ";", "\\", "%s", "{x}", "\t", " ", "a" * 700, "x" * 9, "ü", "日本", "👩‍👩‍👧", "",
)  # fmt: skip


def text(chance: random.Random) -> str:
    return "".join(chance.choices(PIECES, k=chance.randrange(6)))


def texts(chance: random.Random) -> tuple[str, ...]:
    return tuple(text(chance) for _ in range(chance.randrange(4)))


def finding(chance: random.Random) -> Finding:
    return Finding(
        text(chance), text(chance), chance.choice(list(Status)), text(chance), chance.choice(list(Status)),
        chance.choice([None, 0, 2, 10]), chance.choice([None, 10]), text(chance), text(chance), texts(chance), text(chance),
        chance.choice([None, *Status]), texts(chance), tuple(Evidence(texts(chance)) for _ in range(chance.randrange(3))),
    )  # fmt: skip


def category(chance: random.Random, name: str) -> Category:
    findings = tuple(finding(chance) for _ in range(chance.randrange(5)))
    hosts = tuple((text(chance), findings) for _ in range(chance.randrange(3)))
    numbers = (chance.randrange(101), chance.randrange(50), chance.choice([0, 50]))
    return Category(name, findings, chance.choice(list(Verdict)), *numbers, run=chance.random() < 0.8, by_host=hosts)


def report(chance: random.Random) -> Report:
    categories = tuple(
        category(chance, name) for name in chance.sample(["ipv6", "tls", text(chance)], chance.randrange(4))
    )
    mx = tuple((text(chance), text(chance)) for _ in range(chance.randrange(3)))
    beyond = category(chance, "beyond") if chance.random() < 0.5 else None
    return Report(text(chance), sample.AT, chance.randrange(101), categories, mx, texts(chance), beyond)


@pytest.mark.parametrize("seed", range(150))
def test_each_form_stays_in_its_grammar(seed: int) -> None:
    chance = random.Random(seed)
    one, other = report(chance), report(chance)
    before, after = changes.snapshot(one), changes.snapshot(replace(other, domain=one.domain))
    assert changes.read(before.domain, before.at, before.score, before.text()) == before
    found = changes.changes(before, after)
    assert all(
        c.isprintable() or c == "\n"
        for c in terminal.text(
            [*terminal.lines(one, terminal.Pen(), whole=True), *terminal.since("then", found, terminal.Pen())]
        )
    )

    written = document.document([document.result(one, changes=found)], "done", 1)
    jsonschema.validate(json.loads(written), document.SCHEMA)
    assert written.isascii()

    cases = ET.fromstring((junit.OPENING + "".join(junit.suites(one)) + junit.CLOSING).encode()).findall(".//testcase")
    scored = sum(len(category.findings) for category in one.categories)
    assert len(cases) == scored + sum(finding.strict is not None for finding in one.findings)

    told, state = nagios.text([one])
    assert told.count("|") == (1 if one.categories else 0)
    assert state in nagios.State
    assert all(c.isprintable() or c == "\n" for c in told)

    html = page.head(one.domain, sample.AT) + page.section(one, [before, after], sample.AT, found) + page.FOOT
    html.encode()
    seen = Seen()
    seen.feed(html)
    seen.close()
    assert seen.open == []
    assert not seen.names & {"script", "iframe", "img", "object", "link", "form", "a", "base"}
    assert not {name for name in seen.attributes if name.startswith("on") or name in ("style", "src", "href")}
