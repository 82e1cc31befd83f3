"""Percentages, verdicts and totals are internet.nl's own, reproduced from the statuses of its runs."""

from __future__ import annotations

from typing import Any

import pytest

from checks.catalogue import SUBTESTS, by_id, in_category
from checks.finding import Category, Finding, Status
from checks.score import of_hosts, percentage, single, total, verdict_of
from tests.checks.data import golden

RUNS = golden("internetnl-runs-a.json")["runs"]
KNOWN = {subtest["id"]: subtest for subtest in golden("internetnl-subtests.json")["subtests"]}
STATUS = {status.word: status for status in Status}
COMPLETE = [(run, name) for run in RUNS if run["complete"] for name in run["categories"]]
NS_POINTS = {("deadns.test", "ns_reach"): 5, ("two.test", "mx_reach"): 5}
DNSSEC_POINTS = {"good": 10, "bad": 0, "not-tested": 2}


@pytest.mark.parametrize("subtest", SUBTESTS, ids=lambda subtest: subtest.id)
def test_the_catalogue_is_the_sites(subtest: Any) -> None:
    known = KNOWN[subtest.id]
    assert subtest.api == known["batch_api_name"]
    assert (subtest.worst.word, subtest.initial.word) == (
        known["worst_status_when_tested"],
        known["initial_worst_status"],
    )
    assert subtest.max_points == known["max_score"]
    assert known["category"] in (f"mail_{subtest.category}", "mail_starttls")


def test_nothing_is_missing_from_the_catalogue() -> None:
    assert {subtest.id for subtest in SUBTESTS} == KNOWN.keys()


def _points(domain: str, name: str, verdict: str) -> int | None:
    """What the subtests file says that the verdict is worth; where that is a formula, what it gave in the run."""
    if (domain, name) in NS_POINTS:
        return NS_POINTS[domain, name]
    if name == "dnssec_valid":
        return DNSSEC_POINTS[verdict]
    score = next((one["score"] for one in KNOWN[name]["verdicts"] if one["verdict"] == verdict), None)
    if score == "dane_score":
        return 10
    if name in ("ns_reach", "mx_reach"):
        return 10 if verdict == "good" else 0
    return score if isinstance(score, int) else None


def _category(run: dict[str, Any], name: str) -> Category:
    findings = []
    told = run["categories"][name]["subtests"]
    for subtest in in_category(name):
        one = told[subtest.id]
        points = _points(run["domain"], subtest.id, one["verdict"])
        findings.append(
            Finding(
                subtest.id,
                name,
                STATUS[one["status"]],
                one["verdict"],
                STATUS[one["worst"]],
                points,
                subtest.max_points,
            )
        )
    return single(name, findings)


@pytest.mark.parametrize("run, name", COMPLETE, ids=lambda value: value["case"] if isinstance(value, dict) else value)
def test_a_category_of_a_whole_run(run: dict[str, Any], name: str) -> None:
    category, told = _category(run, name), run["categories"][name]
    assert category.max_points == told["max_points"]
    assert category.verdict.word == told["verdict"]
    if (run["case"], name) != (
        "mx-two-hosts",
        "tls",
    ):  # the fewest points of a host, which the worst statuses do not tell
        assert category.percent == told["percent"]


@pytest.mark.parametrize("run", [run for run in RUNS if run["complete"]], ids=lambda run: run["case"])
def test_the_total_of_a_whole_run(run: dict[str, Any]) -> None:
    categories = [
        Category(name, (), verdict_of([]), told["percent"], 0, told["max_points"])
        for name, told in run["categories"].items()
    ]
    assert total(categories) == run["score"]


@pytest.mark.parametrize("maximum", [10, 20, 40, 45, 50, *range(90, 150, 10)])
def test_a_percentage_is_rounded_down(maximum: int) -> None:
    for points in range(maximum + 1):
        assert percentage(points, maximum) == points * 100 // maximum


def test_of_nothing_the_percentage_is_0_and_it_does_not_count() -> None:
    assert percentage(0, 0) == 0
    assert total([single("tls", [by_id("starttls_exists").untested("other-2")]), single("dnssec", [])]) == 0


def test_the_category_has_the_fewest_points_of_a_host_and_each_subtest_at_its_worst() -> None:
    good = [by_id(name).finding(Status.GOOD, "good", 10) for name in ("starttls_exists", "tls_version", "dane_valid")]
    one = (good[0], by_id("tls_version").finding(Status.FAIL, "bad", 0), good[2])
    two = (good[0], good[1], by_id("dane_valid").untested())
    category = of_hosts("tls", [("a", one), ("b", two)])
    assert (category.points, category.max_points, category.percent) == (20, 30, 66)
    assert [finding.status for finding in category.findings] == [Status.GOOD, Status.FAIL, Status.NOT_TESTED]
    assert category.findings[2].worst is Status.FAIL


def test_a_dead_host_takes_all_points() -> None:
    alive = (
        by_id("starttls_exists").finding(Status.GOOD, "good", 10),
        by_id("tls_version").finding(Status.GOOD, "good", 10),
    )
    dead = (by_id("starttls_exists").finding(Status.ERROR, "other", 0, override=True), by_id("tls_version").untested())
    category = of_hosts("tls", [("a", alive), ("b", dead)])
    assert (category.percent, category.max_points, category.verdict.word) == (0, 20, "error")


def test_a_status_is_capped_unless_overridden() -> None:
    assert by_id("cert_hostmatch").finding(Status.FAIL, "bad").status is Status.INFO
    assert by_id("cert_hostmatch").finding(Status.FAIL, "bad", override=True).status is Status.FAIL
