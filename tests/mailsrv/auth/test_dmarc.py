"""DMARC's verdict: RFC 9989, its examples and its rules by section, and what attackers try."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from dnsops.base.flow import run
from dnsops.records import rdata
from dnsops.resolve.answer import Answer, Question, Security, failed
from mailsrv.auth import suffixes
from mailsrv.auth.author import Author, author
from mailsrv.auth.dmarc import evaluate
from mailsrv.auth.verdicts import Dkim, Dmarc, Result, Spf, Wish
from mailsrv.message.header import header

Records = dict[str, "str | list[str] | None"]


class Dns:
    """DMARC records of domains; every domain named here or above one exists. None: no answer."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.asked: list[Question] = []

    def __call__(self, question: Question) -> Answer:
        assert question not in self.asked, "nothing is asked twice"
        self.asked.append(question)
        name, type_name = question.name, question.type
        domain = name.removeprefix("_dmarc.")
        texts = self.records.get(domain if type_name == "TXT" else f"A {domain}", [])
        if texts is None:
            return failed(name, type_name, "silent")
        if type_name == "A":
            there = any(other == domain or other.endswith("." + domain) for other in self.records)
            return Answer(name, type_name, Security.INSECURE, "NOERROR" if there else "NXDOMAIN")
        items = frozenset(map(rdata.txt, [texts] if isinstance(texts, str) else texts))
        return Answer(name, type_name, Security.INSECURE, "NOERROR" if items else "NXDOMAIN", items)


def spf(domain: str, result: Result = Result.PASS) -> Spf:
    return Spf(result, domain, f"a@{domain}")


def dkim(domain: str, result: Result = Result.PASS) -> Dkim:
    return Dkim(result, domain, "s")


NOTHING = Spf(Result.NONE)
P = "v=DMARC1; p=reject"
EXAMPLE: Records = {"example.com": P, "signing.example.com": P}
BANK: Records = {"giant.bank.example": P, "bank.example": "v=DMARC1; p=none; sp=quarantine; psd=y"}


def verdict(domain: str, records: Records, *found: Spf | Dkim, **more: Any) -> Dmarc:
    mail = next((one for one in found if isinstance(one, Spf)), NOTHING)
    signatures = [one for one in found if isinstance(one, Dkim)]
    return run(evaluate(Author((domain,)), mail, signatures, **more), Dns(records))


@dataclass(frozen=True)
class Case:
    """A message and its verdict; `by`: s, d, or both, the identifiers that are aligned."""

    section: str
    domain: str
    records: Records
    found: tuple[Spf | Dkim, ...]
    result: Result
    wish: Wish = Wish.REJECT
    by: str = ""
    at: str = ""


NONE, PASS, FAIL, LATER = Result.NONE, Result.PASS, Result.FAIL, Result.TEMPERROR
PERM, SOFT = Result.PERMERROR, Result.SOFTFAIL
# fmt: off
CASES = [
    Case("B.2.1", "example.com", {"example.com": P + "; aspf=r"}, (spf("mail.example.com"), dkim("example.com")), PASS, by="sd"),
    Case("B.3.1", "example.com", EXAMPLE, (spf("example.com"), dkim("signing.example.com")), PASS, by="sd"),
    Case("B.3.1", "example.com", EXAMPLE, (dkim("signing.example.com"),), PASS, by="d"),
    Case("B.3.2", "a.b.c.d.e.f.g.h.i.j.k.example.com", EXAMPLE, (spf("example.com"), dkim("signing.example.com")), PASS, by="sd", at="example.com"),
    Case("B.3.3", "giant.bank.example", BANK, (spf("mail.giant.bank.example"), dkim("mail.mega.bank.example")), PASS, by="s"),
    Case("B.3.3", "giant.bank.example", BANK, (dkim("mail.mega.bank.example"),), FAIL),
    Case("B.3.3", "mega.bank.example", BANK, (dkim("mail.giant.bank.example"),), FAIL, Wish.QUARANTINE, at="bank.example"),
    Case("4.4, table 1", "news.example.com", EXAMPLE, (dkim("foo.example.com"),), PASS, by="d", at="example.com"),
    Case("4.4, table 1", "news.example.com", EXAMPLE, (dkim("news.example.com"),), PASS, by="d", at="example.com"),
    Case("4.4, table 1", "news.example.com", EXAMPLE, (dkim("foo.example.net"),), FAIL, at="example.com"),
    Case("4.4.1: any of them", "example.com", EXAMPLE, (dkim("evil.test"), dkim("example.com", FAIL), dkim("example.com")), PASS, by="d"),
    Case("4.4.1: d=com", "example.com", EXAMPLE, (dkim("com"),), FAIL),
    Case("4.4.2: HELO is not asked", "example.com", EXAMPLE, (Spf(PASS, "evil.test", "evil.test", helo=True),), FAIL),
    Case("4.7 adkim=s", "example.com", {"example.com": P + "; adkim=s"}, (dkim("a.example.com"),), FAIL),
    Case("4.7 adkim=s", "example.com", {"example.com": P + "; adkim=s"}, (dkim("EXAMPLE.com."),), PASS, by="d"),
    Case("4.7 adkim=s, aspf=r", "example.com", {"example.com": P + "; adkim=s"}, (spf("a.example.com"),), PASS, by="s"),
    Case("4.7 aspf=s", "example.com", {"example.com": P + "; aspf=s"}, (spf("a.example.com"), dkim("a.example.com")), PASS, by="d"),
    Case("4.7 sp", "a.example.com", {"example.com": P + "; sp=none", "a.example.com": []}, (), FAIL, Wish.NONE, at="example.com"),
    Case("4.7 sp, not there", "a.example.com", {"example.com": P + "; sp=none"}, (), FAIL, Wish.NONE, at="example.com"),
    Case("4.7 np", "a.example.com", {"example.com": "v=DMARC1; p=none; np=reject"}, (), FAIL, Wish.REJECT, at="example.com"),
    Case("4.7 np, but there", "a.example.com", {"example.com": "v=DMARC1; p=none; np=reject", "a.example.com": []}, (), FAIL, Wish.NONE, at="example.com"),
    Case("4.7 np, empty non-terminal", "a.example.com", {"example.com": "v=DMARC1; p=none; np=reject", "x.a.example.com": []}, (), FAIL, Wish.NONE, at="example.com"),
    Case("4.7 np of its own domain", "example.com", {"example.com": "v=DMARC1; p=none; np=reject"}, (), FAIL, Wish.NONE),
    Case("4.7 pct is ignored", "example.com", {"example.com": P + "; pct=0"}, (), FAIL),
    Case("4.10: two records are none", "example.com", {"example.com": [P, "v=DMARC1; p=none"]}, (), NONE, Wish.NONE),
    Case("4.10.1: own before org", "a.example.com", {"a.example.com": "v=DMARC1; p=quarantine", "example.com": P}, (), FAIL, Wish.QUARANTINE),
    Case("4.10.1: org before suffix", "a.example.com", {"example.com": P, "com": "v=DMARC1; p=none; psd=y"}, (), FAIL, at="example.com"),
    Case("4.10.1: the suffix", "example.com", {"com": "v=DMARC1; p=none; sp=reject; psd=y"}, (), FAIL, at="com"),
    Case("4.10.1: no record", "example.com", {}, (spf("example.com"),), NONE, Wish.NONE),
    Case("4.10.1: no p, but rua", "example.com", {"example.com": "v=DMARC1; rua=mailto:a@b.org"}, (), FAIL, Wish.NONE),
    Case("4.10.1: a wrong p and rua", "example.com", {"example.com": "v=DMARC1; p=x; rua=mailto:a@b.org"}, (), FAIL, Wish.NONE),
    Case("4.10.1: a wrong p", "example.com", {"example.com": "v=DMARC1; p=x"}, (spf("example.com"),), NONE, Wish.NONE),
    Case("4.10.1: a wrong sp", "example.com", {"example.com": P + "; sp=x"}, (), NONE, Wish.NONE),
    Case("4.10.2: alone at the top", "example.com", {"example.com": P}, (spf("evil.com"),), FAIL),
    Case("4.10.2: psd=n divides", "example.com", {"example.com": P, "a.example.com": P + "; psd=n"}, (spf("x.a.example.com"),), FAIL),
    Case("4.10.2: psd=y divides", "a.co.example", {"a.co.example": P, "co.example": P + "; psd=y"}, (spf("b.co.example"),), FAIL),
    Case("S-AUTHN-08: a suffix without psd", "a.co.example", {"a.co.example": P, "b.co.example": P}, (spf("b.co.example"),), FAIL),
    Case("5.3.5: only a pass counts", "example.com", EXAMPLE, (spf("example.com", SOFT), dkim("example.com", Result.POLICY)), FAIL),
    Case("5.3.5: permanent errors are no pass", "example.com", EXAMPLE, (spf("example.com", PERM), dkim("example.com", PERM)), FAIL),
    Case("5.3.6: later", "example.com", EXAMPLE, (spf("example.com", LATER), dkim("example.com", FAIL)), LATER),
    Case("5.3.6: later", "example.com", EXAMPLE, (spf("example.com", FAIL), dkim("a.example.com", LATER)), LATER),
    Case("5.3.6: not aligned anyway", "example.com", EXAMPLE, (spf("evil.test", LATER), dkim("evil.test", LATER)), FAIL),
    Case("5.3.6: passes anyway", "example.com", EXAMPLE, (spf("example.com", LATER), dkim("example.com")), PASS, by="d"),
    Case("S-DNS-01: no policy to be known", "example.com", {"example.com": None}, (), LATER, Wish.NONE),
    Case("S-DNS-01: ... above it", "a.example.com", {"com": None}, (), LATER, Wish.NONE),
    Case("S-DNS-01: ... though it would pass", "example.com", {"example.com": None}, (spf("example.com"), dkim("evil.test")), LATER, Wish.NONE, by="s"),
    Case("S-DNS-01: whether it exists", "a.example.com", {"example.com": "v=DMARC1; p=none; np=reject", "A a.example.com": None}, (), LATER, at="example.com"),
    Case("S-DNS-01: ... and passes", "a.example.com", {"example.com": "v=DMARC1; p=none; np=reject", "A a.example.com": None}, (spf("a.example.com"),), PASS, by="s", at="example.com"),
    Case("S-DNS-01: an identifier's walk", "example.com", {"example.com": P, "a.example.com": None}, (spf("a.example.com"),), LATER),
    Case("S-DNS-01: ... of one of two", "example.com", {"example.com": P, "a.example.com": None}, (spf("a.example.com"), dkim("example.com")), PASS, by="d"),
    Case("S-AUTHN-08: 10 kB", "example.com", {"example.com": P + "; rua=" + "mailto:a@b.org," * 700}, (spf("example.com"),), NONE, Wish.NONE),
    Case("S-AUTHN-08: a suffix as author", "co.uk", {"uk": P}, (spf("evil.co.uk"),), PASS, by="s", at="uk"),
]
# fmt: on


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.section)
def test_the_verdict(case: Case) -> None:
    found = verdict(case.domain, case.records, *case.found)
    assert found.result is case.result, found.why
    assert found.wish is case.wish if found.found else found.wish is Wish.NONE
    assert (found.by_spf, found.by_dkim) == ("s" in case.by, "d" in case.by)
    if found.found:
        assert found.found == (case.at or case.domain)
    assert found.domain == case.domain
    assert bool(found.why) is (found.result in (FAIL, LATER))


def test_what_is_told_for_the_report() -> None:
    text = "v=DMARC1; p=reject; t=y; rua=mailto:a@b.org!10m,https://x.org,mailto:c@d.org"
    found = verdict("a.example.com", {"example.com": text}, spf("b.example.com"))
    assert found == Dmarc(
        PASS,
        "a.example.com",
        "example.com",
        "example.com",
        Wish.REJECT,
        True,
        True,
        False,
        text,
        ("a@b.org", "c@d.org"),
    )


# From with no single domain: S-AUTHN-08, RFC 9989 11.5


@pytest.mark.parametrize(
    "lines,records,result,wish,domain",
    [
        ("From: a@bank.com, b@evil.test", {"bank.com": P}, FAIL, Wish.REJECT, "bank.com"),
        ("From: b@evil.test, a@bank.com", {"bank.com": P, "evil.test": "v=DMARC1; p=none"}, FAIL, Wish.REJECT, "bank.com"),
        ("From: b@evil.test\r\nFrom: a@bank.com", {"bank.com": P}, FAIL, Wish.REJECT, "bank.com"),
        ("From: b@evil.test, a@bank.com", {}, PERM, Wish.NONE, "evil.test"),
        ("From: b@evil.test\r\nFrom: c@evil.test", {"evil.test": P}, PERM, Wish.NONE, "evil.test"),
        ("From: b@evil.test, nobody", {"evil.test": P}, PERM, Wish.NONE, "evil.test"),
        ("From: b@evil.test, a@bank.com", {"bank.com": None}, LATER, Wish.NONE, "bank.com"),
        ("From: boss: a@bank.com;, b@evil.test", {"bank.com": P}, FAIL, Wish.REJECT, "bank.com"),
        ("From: =?utf-8?q?a=40bank.com?=", {"bank.com": P}, PERM, Wish.NONE, ""),
        ("Subject: no From", {"bank.com": P}, PERM, Wish.NONE, ""),
    ],
)  # fmt: skip
def test_s_authn_08_from_without_one_domain_never_passes(
    lines: str, records: Records, result: Result, wish: Wish, domain: str
) -> None:
    who = author(header(f"{lines}\r\n\r\n".encode()))
    found = run(evaluate(who, spf("evil.test"), [dkim("evil.test")]), Dns(records))
    assert (found.result, found.wish, found.domain) == (result, wish, domain)
    assert found.why


def test_s_authn_08_a_homograph_is_its_own_domain() -> None:
    who = author(header("From: a@pаypal.com\r\n\r\n".encode()))
    assert run(evaluate(who, NOTHING, []), Dns({"paypal.com": P})).result is NONE


# how much is asked


@pytest.mark.parametrize(
    "domain,records,found,questions",
    [
        ("example.com", EXAMPLE, (spf("example.com"), dkim("example.com")), 1),
        ("example.com", EXAMPLE, (spf("bounces.esp.net"), dkim("esp.net"), dkim("example.com")), 1),
        ("example.com", EXAMPLE, (), 1),
        (
            "example.com",
            {"example.com": P + "; adkim=s; aspf=s"},
            tuple(dkim(f"d{n}.example.com") for n in range(9)),
            1,
        ),
        ("example.com", EXAMPLE, (spf("bounces.example.com"),), 3),
        ("example.com", EXAMPLE, tuple(dkim(f"d{n}.com") for n in range(2000)), 2),
        ("example.com", EXAMPLE, tuple(dkim(f"a.b.c.d.e.f.g.d{n}.example.com") for n in range(2000)), 2 + 10 * 6),
    ],
)
def test_no_more_is_asked_than_decides(domain: str, records: Records, found: tuple[Any, ...], questions: int) -> None:
    dns = Dns(records)
    mail = next((one for one in found if isinstance(one, Spf)), NOTHING)
    run(evaluate(Author((domain,)), mail, [one for one in found if isinstance(one, Dkim)]), dns)
    assert len(dns.asked) == questions


def test_the_public_suffix_list_instead_of_the_walk() -> None:
    """RFC 7489 3.2: as it was."""
    records: Records = {"example.co.uk": P, "co.uk": P}
    by_list = verdict("a.example.co.uk", records, spf("b.example.co.uk"), find=suffixes.organizational)
    assert (by_list.result, by_list.found, by_list.organizational) == (PASS, "example.co.uk", "example.co.uk")
    assert verdict("a.co.uk", records, spf("b.co.uk"), find=suffixes.organizational).result is NONE
    assert verdict("a.co.uk", records, spf("b.co.uk")).result is PASS  # the walk believes what co.uk publishes
