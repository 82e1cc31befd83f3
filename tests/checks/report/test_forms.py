"""Each form of a report says all that is in it, holds its own grammar, and obeys nothing of what came from outside."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest

from checks.finding import Report
from checks.report import document, junit, nagios, page, terminal, words
from checks.report.changes import changes, snapshot
from tests.checks.report import sample

REPORTS = [sample.good(), sample.bad(), sample.hostile(), sample.worse(sample.good())]
EACH = pytest.mark.parametrize("report", REPORTS, ids=["good", "bad", "hostile", "worse"])


def shown(report: Report, colour: bool = False, whole: bool = True) -> str:
    return terminal.text(terminal.lines(report, terminal.Pen(colour), whole))


# JSON


@EACH
def test_json_is_as_its_schema_says(report: Report) -> None:
    found = changes(snapshot(sample.good()), snapshot(report))
    results = [document.result(report, since=sample.AT.isoformat(), changes=found), document.result(sample.good())]
    written = json.loads(document.document(results, "done", 1))
    jsonschema.validate(written, document.SCHEMA, format_checker=jsonschema.FormatChecker())
    assert [result["name"] for result in written["results"]] == [report.domain, "good.test"]


def test_json_holds_every_finding_with_both_columns() -> None:
    told = document.result(sample.bad())
    zero = told["categories"]["tls"]["subtests"]["zero_rtt"]
    assert (zero["status"], zero["strict"], zero["points"]) == ("success", "fail", 10)
    assert told["categories"]["tls"]["hosts"]["mx2.bad.test."]["tls_version"]["evidence"] == ["ServerHello 0301"]
    assert [finding["trouble"] for finding in told["findings"]] == [True, True, False, False, False, False]
    told_strictly = document.result(sample.bad(), strict=True)
    assert [finding["trouble"] for finding in told_strictly["findings"]] == [True, True, True, False, False, False]
    assert told["score"] == 25


def test_no_domain_at_all_is_a_document_too() -> None:
    jsonschema.validate(json.loads(document.document([], "", 0)), document.SCHEMA)


# terminal


def test_the_worst_comes_first_and_its_fix_under_it() -> None:
    lines = shown(sample.bad(), whole=False).splitlines()
    heads = [line.split()[0] for line in lines if "·" in line]
    assert heads == ["ERROR", "FAILED", "FAILED", "WARNING", "WARNING", "INFO"]
    place = next(number for number, line in enumerate(lines) if "tls_version" in line)
    assert [line.strip() for line in lines[place + 1 : place + 4]] == [
        "TLS 1.0 is accepted",
        "fix: take TLS 1.0 from the list",
        "then reload",
    ]


def test_what_is_good_is_counted_or_listed() -> None:
    assert "4 as wanted" in shown(sample.good(), whole=False)
    assert "ns aaaa" in shown(sample.good(), whole=True)
    assert "1 could not be tested" in shown(sample.bad(), whole=False)
    assert "not run" in shown(sample.bad())


@EACH
@pytest.mark.parametrize("colour", [True, False])
def test_only_our_own_colours_reach_the_terminal(report: Report, colour: bool) -> None:
    text = shown(report, colour)
    for code in ("31;1", "33", "36", "32", "2", "1", "32;1", "31;1;1", "0"):
        text = text.replace(f"\x1b[{code}m", "") if colour else text
    assert all(c.isprintable() or c == "\n" for c in text)
    assert max(map(len, text.splitlines())) < 2 * words.LONGEST_LINE
    assert len(text.splitlines()) < 400


def test_a_line_for_each_of_many_domains() -> None:
    assert terminal.brief(sample.bad(), terminal.Pen()) == " 25 %  bad.test                         tls 50 dnssec 0"


# JUnit


@EACH
def test_junit_is_xml_with_a_case_for_each_finding(report: Report) -> None:
    root = ET.fromstring(junit.OPENING + "".join(junit.suites(report)) + junit.CLOSING)
    ours = sum(finding.strict is not None for finding in report.findings)
    beyond = len(report.beyond.findings) if report.beyond else 0
    assert len(root.findall(".//testcase")) == len(report.findings) - beyond + ours
    for suite in root:
        found = (suite.get("tests"), suite.get("failures"), suite.get("errors"), suite.get("skipped"))
        kinds = ("testcase", "testcase/failure", "testcase/error", "testcase/skipped")
        assert found == tuple(str(len(suite.findall(kind))) for kind in kinds)


def test_junit_tells_our_column_apart() -> None:
    root = ET.fromstring(junit.OPENING + "".join(junit.suites(sample.bad())) + junit.CLOSING)
    failed = {
        (suite.get("name"), case.get("name")) for suite in root for case in suite if case.find("failure") is not None
    }
    assert failed == {
        ("bad.test tls", "tls_version: tls version at mx2.bad.test"),
        ("bad.test ours", "tls_version: tls version at mx2.bad.test"),
        ("bad.test ours", "zero_rtt: zero rtt"),
    }


# Nagios


@pytest.mark.parametrize(
    "reports,strict,expected,begins",
    [
        ([sample.good()], False, nagios.State.OK, "MAIL OK - good.test 100 %: nothing failed | score=100%;100:;;0;100 ipv6=100%"),
        ([sample.bad()], False, nagios.State.CRITICAL, "MAIL CRITICAL - bad.test 25 %: 2 failed, 2 with a warning, 1 failed"),
        ([sample.good(), sample.bad()], True, nagios.State.CRITICAL, "MAIL CRITICAL - good.test 100 %: nothing failed; bad.test"),
        ([], False, nagios.State.UNKNOWN, "MAIL UNKNOWN - nothing was looked at"),
    ],
)  # fmt: skip
def test_nagios(reports: list[Report], strict: bool, expected: nagios.State, begins: str) -> None:
    text, found = nagios.text(reports, strict=strict)
    assert found is expected
    assert text.startswith(begins)


@EACH
def test_only_the_figures_stand_behind_a_bar(report: Report) -> None:
    text, _ = nagios.text([report])
    assert text.count("|") == 1
    assert all(c.isprintable() or c == "\n" for c in text)


# HTML


class Seen(HTMLParser):
    """Elements, and whether they are closed in order."""

    VOID = {"meta", "br", "input", "link", "img", "hr"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)


def html(report: Report, folded: bool = False) -> str:
    history = [snapshot(sample.good()), snapshot(sample.worse(sample.good()))]
    found = changes(history[0], history[1])
    return page.head(report.domain, sample.AT) + page.section(report, history, sample.AT, found, folded) + page.FOOT


@EACH
@pytest.mark.parametrize("folded", [True, False])
def test_html_is_whole_and_has_nothing_that_acts(report: Report, folded: bool) -> None:
    seen = Seen()
    seen.feed(html(report, folded))
    seen.close()
    assert seen.open == []
    assert not seen.names & {"script", "iframe", "img", "object", "link", "form", "a", "base"}
    assert not {name for name in seen.attributes if name.startswith("on") or name in ("style", "src", "href")}


def test_html_tells_everything() -> None:
    text = html(sample.bad())
    for word in (
        "25 %",
        "TLS 1.0 is accepted",
        "ServerHello 0301",
        "0-RTT is offered",
        "publish a policy",
        "not run",
        "routing was",
    ):
        assert word in text
    assert "<svg" in text
    assert "worse: score: was 100 %, is 83 %" in text


def test_the_readme_tells_every_key_of_a_result() -> None:
    text = (Path(__file__).parents[3] / "checks" / "README.md").read_text()
    assert re.findall(r"^\| `results\[\]\.(\w+)`", text, re.MULTILINE) == list(document.RESULT["properties"])
