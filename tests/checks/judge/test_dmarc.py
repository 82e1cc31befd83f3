"""DMARC is judged as internet.nl judges it, directly and inherited."""

from __future__ import annotations

from typing import Any

import pytest
from publicsuffixlist import PublicSuffixList

from checks.facts.looked import Lookup, Question
from checks.judge import dmarc_grammar, dmarc_policy
from checks.judge.dmarc_policy import Organizational
from dnsops.base.flow import run
from tests.checks.data import golden

GOLDEN = golden("internetnl-spf-dmarc-a.json")
REPORTS: dict[str, str] = GOLDEN["dmarc_report_zones"]
VERDICTS = {
    "valid": "good",
    "invalid_external": "external",
    "invalid_p_sp": "policy",
    "invalid_syntax": "bad",
    None: "not-tested",
}


def suffixes(*rules: str) -> Organizational:
    listed = PublicSuffixList(list(rules))
    return lambda domain: listed.privatesuffix(domain) or ""


ORGANIZATIONAL = suffixes("org", "com")


def zone(records: dict[str, tuple[str, ...]]) -> Any:
    def ask(question: Question) -> Lookup:
        report = REPORTS.get(question.name)
        if report:
            texts = ("v=DMARC1;", "v=DMARC1;") if report.startswith("two") else (report,)
            return Lookup(question.name, "TXT", records=texts)
        found = records.get(question.name)
        return Lookup(question.name, "TXT", records=found) if found else Lookup(question.name, "TXT", "NXDOMAIN")

    return ask


def judged(domain: str, records: dict[str, tuple[str, ...]]) -> tuple[dmarc_policy.Found, dmarc_policy.Judged]:
    ask = zone(records)
    found = run(dmarc_policy.find(domain, ORGANIZATIONAL), ask)
    return found, run(dmarc_policy.judge(found, ORGANIZATIONAL), ask)


@pytest.mark.parametrize("case", GOLDEN["dmarc"], ids=lambda case: case["record"])
def test_a_record_is_judged_as_by_the_site(case: dict[str, Any]) -> None:
    inherited = case["found_at"] != "tested domain"
    found, verdict = judged("sub.d.org" if inherited else "d.org", {"_dmarc.d.org": (case["record"],)})
    assert bool(found.record) == case["exists"]
    assert (verdict.verdict, verdict.points) == (VERDICTS[case["policy"]], case["policy_points"])


@pytest.mark.parametrize(
    "record, verdict, points",
    [
        ("v=DMARC1; p=reject; sp=none", "policy", 2),
        ("v=DMARC1; p=none; sp=reject", "good", 10),
        ("v=DMARC1; p=quarantine; t=y", "policy", 2),
        ("v=DMARC1; p=reject", "good", 10),
        ("v=DMARC1;; sp=reject", "good", 10),
    ],
)
def test_sp_counts_where_the_record_is_inherited(record: str, verdict: str, points: int) -> None:
    found, told = judged("a.b.d.org", {"_dmarc.d.org": (record,)})
    assert found.inherited
    assert (told.verdict, told.points) == (verdict, points)


def test_two_records_are_none_and_end_the_search() -> None:
    found, told = judged(
        "sub.d.org", {"_dmarc.sub.d.org": ("v=DMARC1; p=none",) * 2, "_dmarc.d.org": ("v=DMARC1;p=reject",)}
    )
    assert (found.record, len(found.records), told.verdict) == ("", 2, "not-tested")


def test_a_failure_ends_the_search() -> None:
    def ask(question: Question) -> Lookup:
        return Lookup(question.name, "TXT", "SERVFAIL")

    assert run(dmarc_policy.find("sub.d.org", ORGANIZATIONAL), ask).why == "SERVFAIL"


@pytest.mark.parametrize(
    "text, fits",
    [
        ("v=DMARC1;\tp=reject", True),
        ("v=DMARC1; p=reject ; ", True),
        ("v=DMARC1; p=reject;;", False),
        ("v=DMARC1; p=reject; sp=none; sp=none", False),
        ("v=DMARC1; p=reject; rf=afrf:x-", False),
        ("v=DMARC1; p=reject; rua=mailto:a@b.org!1!2", False),
        ("v=DMARC1; p=reject; rua=mailto:a@b.org , mailto:c@b.org;", True),
        ("v=DMARC1; p=reject; psd=x", False),
        ("v=DMARC1; p=reject; rua=https://[x", False),
        ("v=DMARC1; p=reject; rua=https://[::1]/x", True),
        ("v=DMARC1; p=reject; fo=1 : d", True),
    ],
)
def test_what_parses(text: str, fits: bool) -> None:
    assert (dmarc_grammar.tags(text) is not None) == fits


@pytest.mark.parametrize(
    "domain, organization",
    [
        ("a.b.example.co.uk", "example.co.uk"),
        ("co.uk", ""),
        ("foo.github.io", "foo.github.io"),
        ("a.foo.github.io", "foo.github.io"),
        ("www.ck", "www.ck"),
        ("a.www.ck", "www.ck"),
        ("x.y.ck", "x.y.ck"),
        ("y.ck", ""),
        ("a.b.unknown", "b.unknown"),
        ("unknown", ""),
    ],
)
def test_organizational_domains(domain: str, organization: str) -> None:
    assert suffixes("uk", "co.uk", "io", "github.io", "*.ck", "!www.ck")(domain) == organization
