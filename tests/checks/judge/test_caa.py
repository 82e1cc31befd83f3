"""CAA values are read as strictly as internet.nl reads them, and the climb ends where records are."""

from __future__ import annotations

import pytest

from checks.facts.looked import Lookup, Question
from checks.judge import caa
from checks.judge.caa_grammar import Caa, parse, wrong
from dnsops.base.flow import run

RIGHT = [
    (0, "issue", ";"),
    (128, "issue", ";"),
    (0, "issue", ""),
    (0, "ISSUE", "letsencrypt.org"),
    (0, "issue", "ca.example.com"),
    (0, "issuewild", "ca.example.com"),
    (0, "issue", "ca.example.net; accounturi=https://ca.example.net/acct/1"),
    (0, "issue", "ca.example.net; validationmethods=dns-01,ca-own"),
    (0, "issue", "ca.example.net ; a = b ; c=d"),
    (0, "issuewild", "ca.example.net; accounturi=https://x/1; validationmethods=http-01"),
    (0, "issuevmc", ";"),
    (0, "issuemail", "authority.example; account=123456"),
    (0, "issuemail", "authority.example; validationmethods=own"),
    (0, "iodef", "https://report.example.com/path"),
    (0, "iodef", "mailto:report@example.com"),
    (0, "contactemail", "contact@example.com"),
    (0, "contactphone", "+31-85-123.456;ext=1"),
]
WRONG = [
    (255, "issue", ";"),
    (1, "issue", ";"),
    (0, "issue", "%"),
    (0, "issue", "ca_x.example.com"),
    (0, "issue", "ca.example.com;a=b;"),
    (0, "issue", "ca.example.com;a"),
    (0, "issue", "\u00e9"),
    (0, "issue", "example.net; validationmethods=dns-01,own"),
    (0, "iodef", "https://"),
    (0, "iodef", "http://report.example.com"),
    (0, "iodef", "ftp://report.example.com"),
    (0, "iodef", "mailto:report"),
    (0, "contactemail", "nobody"),
    (0, "contactphone", "0851234"),
    (0, "issuemail", "authority.example; account=\u00e9"),
    (0, "auth", "x"),
    (0, "path", "x"),
    (0, "policy", "x"),
    (0, "tbs", "x"),
]


@pytest.mark.parametrize("flags, tag, value", RIGHT)
def test_right(flags: int, tag: str, value: str) -> None:
    assert wrong(Caa(flags, tag, value)) == ""


@pytest.mark.parametrize("flags, tag, value", WRONG)
def test_wrong(flags: int, tag: str, value: str) -> None:
    assert wrong(Caa(flags, tag, value))


def test_presentation() -> None:
    assert parse('0 issue "a\\"b\\\\\\233"') == Caa(0, "issue", 'a"b\\\xe9')
    assert parse("0 issue") is None


@pytest.mark.parametrize(
    "records, verdict",
    [
        ((), "bad"),
        (('0 issue "ca.example"',), "good"),
        (('0 issuewild "ca.example"',), "insufficient"),
        (('0 issue "ca.example"', '0 tbs "x"'), "syntax-error"),
        (('0 issuewild "ca.example"', '0 tbs "x"'), "insufficient"),
    ],
)
def test_verdicts(records: tuple[str, ...], verdict: str) -> None:
    found = caa.finding("mx.example.org", Lookup("example.org", "CAA", records=records))
    assert (found.verdict, found.points) == (verdict, 10 if verdict == "good" else 0)


def test_the_climb() -> None:
    zone = {"example.org": ('0 issue "ca"',)}
    asked: list[str] = []

    def ask(question: Question) -> Lookup:
        asked.append(question.name)
        found = zone.get(question.name, ())
        return Lookup(question.name, "CAA", "NOERROR" if found else "NXDOMAIN", records=found)

    assert run(caa.find("a.mx.example.org"), ask).name == "example.org"
    assert run(caa.find("a.example.net"), ask).none
    assert asked == ["a.mx.example.org", "mx.example.org", "example.org", "a.example.net", "example.net", "net"]


def test_a_failure_ends_the_climb() -> None:
    assert run(caa.find("a.b.org"), lambda question: Lookup(question.name, "CAA", "SERVFAIL")).name == "a.b.org"
