"""The tree walk and the organizational domain: RFC 9989 4.10 and B.3."""

from __future__ import annotations

import pytest

from dnsops.base.flow import run
from dnsops.records import rdata
from dnsops.resolve.answer import Answer, Question, Security, failed
from mailsrv.auth import suffixes
from mailsrv.auth.treewalk import MOST_QUESTIONS, Walk, Walker


class Dns:
    """TXT records of domains, at `_dmarc.` and the domain. None: no answer."""

    def __init__(self, records: dict[str, str | list[str] | None]) -> None:
        self.records = {f"_dmarc.{name}": texts for name, texts in records.items()}
        self.asked: list[str] = []

    def __call__(self, question: Question) -> Answer:
        assert question.type == "TXT"
        assert question.name not in self.asked, "nothing is asked twice"
        self.asked.append(question.name)
        texts = self.records.get(question.name, [])
        if texts is None:
            return failed(question.name, "TXT", "silent")
        items = frozenset(map(rdata.txt, [texts] if isinstance(texts, str) else texts))
        return Answer(question.name, "TXT", Security.INSECURE, "NOERROR" if items else "NXDOMAIN", items)


def walk(domain: str, dns: Dns) -> Walk:
    return run(Walker().walk(domain), dns)


P = "v=DMARC1; p=reject"


@pytest.mark.parametrize(
    "domain,targets",
    [
        # 4.10, the example at its end
        (
            "a.b.c.d.e.f.g.h.i.j.mail.example.com",
            (
                "a.b.c.d.e.f.g.h.i.j.mail.example.com g.h.i.j.mail.example.com h.i.j.mail.example.com "
                "i.j.mail.example.com j.mail.example.com mail.example.com example.com com"
            ),
        ),
        # 5.1.7, the record at a zone cut that is never found
        (
            "mail.a.b.c.d.e.f.g.example.com",
            (
                "mail.a.b.c.d.e.f.g.example.com c.d.e.f.g.example.com d.e.f.g.example.com e.f.g.example.com "
                "f.g.example.com g.example.com example.com com"
            ),
        ),
        ("a.mail.example.com", "a.mail.example.com mail.example.com example.com com"),
        ("1.2.3.4.5.6.7", "1.2.3.4.5.6.7 2.3.4.5.6.7 3.4.5.6.7 4.5.6.7 5.6.7 6.7 7"),
        ("1.2.3.4.5.6.7.8", "1.2.3.4.5.6.7.8 2.3.4.5.6.7.8 3.4.5.6.7.8 4.5.6.7.8 5.6.7.8 6.7.8 7.8 8"),
        ("1.2.3.4.5.6.7.8.9", "1.2.3.4.5.6.7.8.9 3.4.5.6.7.8.9 4.5.6.7.8.9 5.6.7.8.9 6.7.8.9 7.8.9 8.9 9"),
        ("com", "com"),
    ],
)
def test_the_names_that_are_asked(domain: str, targets: str) -> None:
    dns = Dns({})
    assert walk(domain, dns).records == ()
    assert [name.removeprefix("_dmarc.") for name in dns.asked] == targets.split()
    assert len(dns.asked) <= MOST_QUESTIONS


@pytest.mark.parametrize(
    "domain,records,organizational,inherited,questions",
    [
        # 4.10.2, its three examples
        ("a.mail.example.com", {"mail.example.com": P, "example.com": P}, "example.com", "example.com", 4),
        ("a.mail.example.com", {"mail.example.com": P + "; psd=n", "example.com": P}, "mail.example.com", "mail.example.com", 2),
        ("a.mail.example.com", {"com": P + "; psd=y"}, "example.com", "com", 4),
        # 4.10.2, rule 2, its own example
        ("mail.example.com", {"mail.example.com": P, "example.com": P + "; psd=y"}, "mail.example.com", "mail.example.com", 2),
        # B.3.1
        ("example.com", {"example.com": P, "signing.example.com": P}, "example.com", "example.com", 2),
        ("signing.example.com", {"example.com": P, "signing.example.com": P}, "example.com", "example.com", 3),
        # B.3.2
        ("a.b.c.d.e.f.g.h.i.j.k.example.com", {"example.com": P, "signing.example.com": P}, "example.com", "example.com", 8),
        # B.3.3
        ("giant.bank.example", {"giant.bank.example": P, "bank.example": P + "; psd=y"}, "giant.bank.example", "giant.bank.example", 2),
        ("mail.giant.bank.example", {"giant.bank.example": P, "bank.example": P + "; psd=y"}, "giant.bank.example", "giant.bank.example", 3),
        ("mail.mega.bank.example", {"giant.bank.example": P, "bank.example": P + "; psd=y"}, "mega.bank.example", "bank.example", 3),
        # a public suffix is not its own suffix: rule 2 leaves out the start
        ("bank.example", {"bank.example": P + "; psd=y"}, "bank.example", "bank.example", 1),
        # a record between the organizational domain and the author is neither's
        ("a.mail.example.com", {"mail.example.com": P, "com": P + "; psd=y"}, "example.com", "com", 4),
        # psd=u is what is there without it
        ("a.example.com", {"example.com": P + "; psd=u", "com": P}, "com", "com", 3),
        # nothing at all: the domain itself
        ("a.example.com", {}, "a.example.com", None, 3),
        # what does not begin with its version is discarded, and so are two records (4.10, steps 2 and 6)
        ("a.example.com", {"example.com": ["v=spf1 -all", P, "hello"], "com": "p=reject"}, "example.com", "example.com", 3),
        ("a.example.com", {"a.example.com": P, "example.com": [P, "v=DMARC1; p=none"]}, "a.example.com", "a.example.com", 3),
        ("a.example.com", {"example.com": [P, P + ";"]}, "a.example.com", None, 3),
        ("a.example.com", {"example.com": P + ";" + "x" * 10000}, "a.example.com", None, 3),  # S-AUTHN-08
    ],
)  # fmt: skip
def test_the_organizational_domain(
    domain: str, records: dict[str, str | list[str] | None], organizational: str, inherited: str | None, questions: int
) -> None:
    dns = Dns(records)
    found = walk(domain, dns)
    assert (found.organizational, found.inherited and found.inherited.domain, found.trouble) == (
        organizational,
        inherited,
        "",
    )
    assert len(dns.asked) == questions


@pytest.mark.parametrize("domain", ["a.example.com", "example.com", "com"])
def test_s_dns_01_what_cannot_be_known_is_never_absent(domain: str) -> None:
    found = walk("a.example.com", Dns({domain: None}))
    assert found.trouble == f"the DMARC record of {domain} cannot be known now"
    assert found.organizational == ""


def test_behind_the_end_of_a_walk_nothing_matters() -> None:
    assert walk("a.example.com", Dns({"example.com": P + "; psd=n", "com": None})).trouble == ""


def test_s_dns_05_five_hundred_texts_at_one_name() -> None:
    dns = Dns({"example.com": [f"v=DMARC1; p=none; x={n}" for n in range(500)]})
    assert walk("example.com", dns).records == ()


def test_a_name_so_long_that_nothing_can_stand_below_it() -> None:
    domain = ".".join(["a" * 60] * 4)
    assert walk(domain, Dns({})).records == ()


@pytest.mark.parametrize(
    "domain,organizational",
    [("a.b.example.co.uk", "example.co.uk"), ("example.com", "example.com"), ("co.uk", "co.uk"), ("x.y.nosuchtld", "y.nosuchtld")],
)  # fmt: skip
def test_the_public_suffix_list_beside_it(domain: str, organizational: str) -> None:
    """RFC 7489 3.2."""
    dns = Dns({"example.co.uk": P, "uk": P})
    found = run(Walker(suffixes.organizational).walk(domain), dns)
    assert found.organizational == organizational
    assert dns.asked == [f"_dmarc.{name}" for name in dict.fromkeys((domain, organizational))]
