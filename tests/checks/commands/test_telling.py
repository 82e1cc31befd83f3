"""A run told in every form at once, with its history and its exit status."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from checks.commands.asking import Forms
from checks.commands.everything import joined
from checks.commands.progress import Progress
from checks.commands.telling import Telling
from checks.finding import Category, Report, Status, Verdict
from checks.history import FILE, History
from checks.report import document
from dnsops.base.errors import ForUser
from tests.checks.report import sample


def told(reports: Sequence[Report], forms: Forms, history: History | None = None, missed: Sequence[str] = ()) -> int:
    with Telling(forms, history, len(reports) + len(missed)) as telling:
        for report in reports:
            telling.take(report)
        for domain in missed:
            telling.missed(domain, "nobody answers")
    return telling.status


GOOD, BAD, LATER = [sample.good()], [sample.bad()], ["silent.test"]


@pytest.mark.parametrize(
    "reports,missed,strict,expected",
    [
        (GOOD, [], False, 0),
        (BAD, [], False, 1),
        ([*GOOD, *BAD], [], False, 1),
        ([], LATER, False, 75),
        (GOOD, LATER, False, 75),
        (BAD, LATER, False, 1),  # what needs a person beats what needs patience
        ([], [], False, 0),
    ],
)
def test_the_exit_status_and_the_document(
    reports: list[Report], missed: list[str], strict: bool, expected: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(reports, Forms(as_json=True, strict=strict), missed=missed) == expected
    written = json.loads(capsys.readouterr().out)
    jsonschema.validate(written, document.SCHEMA)
    assert written["status"] == expected
    assert [result["name"] for result in written["results"]] == [*(report.domain for report in reports), *missed]


@pytest.mark.parametrize("missed,reports,expected", [([], GOOD, 0), ([], BAD, 2), (LATER, [], 3), (LATER, GOOD, 3)])
def test_nagios_has_its_own_status(
    missed: list[str], reports: list[Report], expected: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(reports, Forms(nagios=True), missed=missed) == expected
    assert capsys.readouterr().out.startswith("MAIL " + ("OK", "WARNING", "CRITICAL", "UNKNOWN")[expected])


def test_what_only_we_call_failed_counts_when_asked_to() -> None:
    first, *others = sample.good().categories
    ours = replace(first, findings=(replace(first.findings[0], strict=sample.Status.FAIL), *first.findings[1:]))
    report = replace(sample.good(), categories=(ours, *others))
    assert told([report], Forms()) == 0
    assert told([report], Forms(strict=True)) == 1


def test_a_second_run_says_what_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history, page = History(tmp_path / FILE), tmp_path / "page.html"
    told(GOOD, Forms(), history)
    assert "since" not in capsys.readouterr().out
    told([sample.worse(sample.good())], Forms(html=page), history)
    out = capsys.readouterr().out
    assert "since 2026-11-26 03:00: 2 changed" in out
    assert "  WORSE  score: was 100 %, is 83 % (internet.nl)" in out
    assert "<svg" in page.read_text()
    told([sample.worse(sample.good())], Forms(as_json=True), history)
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert result["since"].startswith("2026-11-26T03:00")
    assert [change["better"] for change in result["changes"]] == [False, False]


def test_a_history_that_cannot_be_used_costs_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / FILE).write_text("no database")
    assert told([*GOOD, *GOOD], Forms(), History(tmp_path / FILE)) == 0
    caught = capsys.readouterr()
    assert caught.err.count("no history") == 1
    assert "100 %" in caught.out


def test_files_are_whole_or_not_there(tmp_path: Path) -> None:
    page, xml = tmp_path / "page.html", tmp_path / "report.xml"
    forms = Forms(html=page, junit=xml)
    with suppress(RuntimeError), Telling(forms, None, 1) as telling:
        telling.take(sample.bad())
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    told([*BAD, *GOOD], forms)
    assert len(ET.parse(xml).getroot()) == 7
    text = page.read_text()
    assert text.startswith("<!doctype html>")
    assert text.count('<details class="domain">') == 2
    assert page.stat().st_mode & 0o777 == 0o644
    assert {path.name for path in tmp_path.iterdir()} == {"page.html", "report.xml"}


def test_nothing_to_tell_is_a_page_too(tmp_path: Path) -> None:
    told([], Forms(html=tmp_path / "page.html", junit=tmp_path / "report.xml"), missed=LATER)
    assert (tmp_path / "page.html").read_text().endswith("</html>\n")
    assert len(ET.parse(tmp_path / "report.xml").getroot()) == 0


def test_a_place_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ForUser, match=r"nowhere.*cannot be written"):
        told(GOOD, Forms(html=tmp_path / "nowhere" / "page.html"))


def test_many_domains_are_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    told([replace(sample.bad(), domain=f"d{number}.test") for number in range(5)], Forms())
    assert [line.split()[:3] for line in capsys.readouterr().out.splitlines()] == [
        ["25", "%", f"d{number}.test"] for number in range(5)
    ]


def test_results_of_an_earlier_run_stand_in_the_same_document(capsys: pytest.CaptureFixture[str]) -> None:
    with Telling(Forms(as_json=True), None, 2) as telling:
        telling.again([document.result(sample.bad())])
        telling.take(sample.good())
    written = json.loads(capsys.readouterr().out)
    jsonschema.validate(written, document.SCHEMA)
    assert [result["name"] for result in written["results"]] == ["bad.test", "good.test"]
    assert (written["status"], telling.status) == (1, 1)


def test_results_of_an_earlier_run_are_a_line_each_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    with Telling(Forms(), None, 3) as telling:
        telling.again([document.result(sample.bad()), document.missed("gone\x1b.test", "nobody answers")])
        telling.take(sample.good())
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["25", "%", "bad.test"]
    assert lines[1] == "gone\\x1b.test: nobody answers"
    assert telling.status == 1


def only(kind: str, status: Status, name: str = "echo_answered") -> Report:
    found = sample.finding(name, kind, status, strict=status, max_points=None)
    return Report("a@good.test", sample.AT, 0, (), beyond=Category(kind, (found,), Verdict.PASSED))


def test_among_many_a_host_says_how_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    told([only("health", Status.FAIL), *GOOD * 4], Forms())
    assert capsys.readouterr().out.splitlines()[0].split(maxsplit=1)[1] == "Health of this host: 1 failed"
    with Telling(Forms(), None, 5) as telling:
        telling.again([document.result(only("health", Status.GOOD))])
    assert "None" not in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["dane", "echo", "health", "relay", "mailbox"])
def test_each_kind_remembers_and_compares_with_itself_only(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history, page = History(tmp_path / FILE), tmp_path / "page.html"
    told([only(kind, Status.GOOD)], Forms(), history)
    told([replace(sample.good(), domain="a@good.test")], Forms(), history)
    capsys.readouterr()
    later = replace(only(kind, Status.FAIL), at=sample.AT + timedelta(hours=1))
    told([later], Forms(html=page), history)
    assert "1 changed\n  WORSE  echo_answered: was success, is fail (ours)" in capsys.readouterr().out
    assert page.read_text().count("<svg") == 1, "a chart, though it has no total"
    assert history.domains() == ["a@good.test", f"{kind} a@good.test"]


def test_what_all_found_is_no_news_for_one_kind_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history, dane = History(tmp_path / FILE), only("dane", Status.FAIL, "port_dane")
    told([joined(sample.good(), dane)], Forms(), history)
    told([replace(sample.good(), at=sample.AT + timedelta(hours=1))], Forms(), history)
    assert "nothing changed" in capsys.readouterr().out


PROGRAM = """
import time
from checks.commands.progress import Progress
with Progress(9) as progress:
    progress.done(3)
    time.sleep(1.3)
    with progress.hidden():
        print("a line", flush=True)
"""


def test_progress_is_for_those_who_sit_there(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    subprocess.run([sys.executable, "-c", PROGRAM], stdout=theirs, stderr=theirs, env=environment, check=True)
    os.close(theirs)
    text = os.read(ours, 4000).decode()
    os.close(ours)
    assert "checking [3/9] 1 s\r\x1b[Ka line" in text
    assert text.endswith("\r\x1b[K")
    silent = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, env=environment, check=True)
    assert silent.stderr == b""


def test_progress_without_a_terminal_does_nothing() -> None:
    with Progress(3) as progress, progress.hidden():
        progress.done()


def test_a_run_a_day_later_compares_with_yesterday(tmp_path: Path) -> None:
    history = History(tmp_path / FILE)
    for hours in (0, 1, 30):
        told([replace(sample.good(), at=sample.AT + timedelta(hours=hours))], Forms(), history)
    before = history.before("good.test", sample.AT + timedelta(hours=6))
    assert before is not None
    assert before.at == sample.AT + timedelta(hours=1)
