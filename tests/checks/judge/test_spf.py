"""SPF is judged as internet.nl judges it: its own verdicts for records, good and odd."""

from __future__ import annotations

from typing import Any

import pytest

from checks.facts.looked import Lookup, Question
from checks.judge import spf_grammar, spf_policy
from dnsops.base.flow import run
from dnsops.resolve.answer import Security
from tests.checks.data import golden

GOLDEN = golden("internetnl-spf-dmarc-a.json")
ZONES: dict[str, Any] = GOLDEN["spf_included_zones"]
VERDICTS = {
    "valid": "good",
    "invalid_all": "all",
    "invalid_syntax": "bad",
    "invalid_include": "include",
    "invalid_redirect": "redirect",
    "max_dns_lookups": "max-lookups",
}


def zone(question: Question) -> Lookup:
    told = ZONES.get(question.name, "NXDOMAIN")
    if told in ("NXDOMAIN", "SERVFAIL"):
        security = Security.FAILED if told == "SERVFAIL" else Security.INSECURE
        return Lookup(question.name, question.type, told, security)
    return Lookup(question.name, question.type, records=tuple([told] if isinstance(told, str) else told))


@pytest.mark.parametrize("case", GOLDEN["spf"], ids=lambda case: case["record"])
def test_a_record_is_judged_as_by_the_site(case: dict[str, Any]) -> None:
    found = spf_policy.records(Lookup("t.example.org", "TXT", records=(case["record"],)))
    assert (len(found) == 1) == case["exists"]
    judged = run(spf_policy.judge("t.example.org", case["record"]), zone)
    assert (judged.verdict, judged.points) == (VERDICTS[case["policy"]], case["policy_points"])


@pytest.mark.parametrize(
    "text, fits",
    [
        ("v=spf1", True),
        ("v=spf10 -all", False),
        ("v=spf1-all", False),
        ("v=spf1 allx", False),
        ("v=spf1 foo=bar.example -all", True),
        ("v=spf1 foo=1 -all", False),
        ("v=spf1 accept=x.org -all", False),
        ("v=spf1 include:a.org/24 -all", True),
        ("v=spf1 a:192.0.2.1 -all", False),
        ("v=spf1 a:foo.org/99 -all", True),
        ("v=spf1 a/33 -all", False),
        ("v=spf1 a//129 -all", False),
        ("v=spf1 a/24//64 -all", True),
        ("v=spf1 a//64 -all", True),
        ("v=spf1 exists:%{ir}.sbl.example.org -all", True),
        ("v=spf1 exists:%{d2} -all", True),
        ("v=spf1 exists:%{x} -all", False),
        ("v=spf1 ip4:192.0.2.256 -all", False),
        ("v=spf1 ip4:192.0.2.1/33 -all", False),
        ("v=spf1 ip6:2001:db8::/129 -all", False),
        ("v=spf1 ip6:2001:db8::1/32 -all", True),
        ("v=spf1 ipv4:192.0.2.1 -all", False),
        ("v=spf1 include: -all", False),
        ("v=spf1 include:a.1 -all", False),
        ("v=spf1 include:a.1-x -all", True),
        ("v=spf1 redirect=a.org.", True),
        ("v=spf1 exp=explain.%{d} -all", True),
        ("v=spf1 -all\u00e9", False),
    ],
)
def test_what_parses(text: str, fits: bool) -> None:
    assert (spf_grammar.terms(text) is not None) == fits


@pytest.mark.parametrize("count, verdict", [(11, "max-lookups"), (10, "good"), (9, "good")])
def test_the_budget_is_looked_at_when_something_is_followed(count: int, verdict: str) -> None:
    terms = " ".join(["mx"] * (count - 1))
    assert run(spf_policy.judge("x.org", f"v=spf1 {terms} include:inc.example.org -all"), zone).verdict == verdict
    assert run(spf_policy.judge("x.org", f"v=spf1 {terms} mx mx mx -all"), zone).verdict == "good"


def test_a_loop_ends_with_the_budget() -> None:
    def circle(question: Question) -> Lookup:
        return Lookup(question.name, "TXT", records=("v=spf1 include:x.org -all",))

    assert run(spf_policy.judge("x.org", "v=spf1 include:x.org -all"), circle).verdict == "max-lookups"
