"""S-AUTHN-10: who gets our reports, as a table of what the DNS says."""

from __future__ import annotations

import asyncio
from collections.abc import Generator

import pytest

from dnsops.base.flow import arun
from dnsops.resolve.answer import Answer, Question, Security
from dnsops.resolve.memory import MemoryDns
from mailsrv.reports import tags, wanted
from mailsrv.reports.tags import Destination
from mailsrv.reports.wanted import Wanted

OWN = frozenset({"dmarc-reports@us.org", "noreply-reports@us.org"})


def world() -> MemoryDns:
    dns = MemoryDns({"example.org": Security.SECURE})
    records = {
        "own.org": "v=DMARC1; p=none; rua=mailto:r@own.org",
        "sub.own.org": "v=DMARC1; p=none; rua=mailto:r@own.org",
        "sister.own.org": "v=DMARC1; p=none; rua=mailto:r@other.own.org",
        "none.org": "v=DMARC1; p=none",
        "ruf.org": "v=DMARC1; p=none; ruf=mailto:f@ruf.org",
        "strange.org": "v=DMARC1; p=none; rua=https://strange.org/r,ftp://x,mailto:,mailto:a@[192.0.2.1],mailto:ä@strange.org",
        "spelled.org": "v=DMARC1;p=none;RUA = mailto:A%2Bb@Spelled.ORG!10m , mailto:c@spelled.org",
        "foreign.org": "v=DMARC1; p=none; rua=mailto:r@consents.net",
        "victim.org": "v=DMARC1; p=none; rua=mailto:r@refuses.net",
        "any.org": "v=DMARC1; p=none; rua=mailto:r@wild.net",
        "moved.org": "v=DMARC1; p=none; rua=mailto:r@moves.net",
        "sent-on.org": "v=DMARC1; p=none; rua=mailto:r@sends-on.net",
        "dark.org": "v=DMARC1; p=none; rua=mailto:r@dark.net",
        "half-dark.org": "v=DMARC1; p=none; rua=mailto:r@dark.net,mailto:r@half-dark.org",
        "bogus.net": "v=DMARC1; p=none; rua=mailto:r@bogus.net",
        "loop.org": "v=DMARC1; p=none; rua=mailto:dmarc-reports@us.org,mailto:noreply-reports@us.org",
        "crowd.org": "v=DMARC1; p=none; rua=" + ",".join(f"mailto:{n}@crowd.org" for n in range(1000)),
        "crowd-abroad.org": "v=DMARC1; p=none; rua=" + ",".join(f"mailto:r@h{n}.net" for n in range(1000)),
        "nothing.org": "v=spf1 -all",
    }
    for domain, text in records.items():
        dns.put(f"_dmarc.{domain}", "TXT", " ".join(f'"{text[at : at + 250]}"' for at in range(0, len(text), 250)))
    dns.put("_dmarc.twice.org", "TXT", '"v=DMARC1; p=none; rua=mailto:a@twice.org"', '"v=DMARC1; p=none"')
    dns.put("foreign.org._report._dmarc.consents.net", "TXT", '"v=DMARC1"')
    dns.put("victim.org._report._dmarc.refuses.net", "TXT", '"v=spf1 -all"')
    dns.put("*._report._dmarc.wild.net", "TXT", '"v=DMARC1;"')
    dns.put("moved.org._report._dmarc.moves.net", "TXT", '"v=DMARC1; rua=mailto:new@moves.net"')
    dns.put("sent-on.org._report._dmarc.sends-on.net", "TXT", '"v=DMARC1; rua=mailto:poor@victim.net"')
    dns.put("loop.org._report._dmarc.us.org", "TXT", '"v=DMARC1"')
    dns.verdict("dark.net", Security.FAILED)
    dns.verdict("bogus.net", Security.BOGUS)
    return dns


def ask(flow: Generator[Question, Answer, Wanted], dns: MemoryDns | None = None) -> Wanted:
    dns = dns or world()
    return asyncio.run(arun(flow, lambda question: dns.ask(question.name, question.type)))


DMARC = [  # where the policy stands, its organization; who gets the report; what is asked later; why somebody does not
    ("own.org", "own.org", ["r@own.org"], "", ""),
    ("sub.own.org", "own.org", ["r@own.org"], "", ""),
    ("sister.own.org", "own.org", ["r@other.own.org"], "", ""),
    ("sister.own.org", "", [], "", "does not say that it wants"),
    ("none.org", "none.org", [], "", "asks for no reports"),
    ("ruf.org", "ruf.org", [], "", "asks for no reports"),
    ("strange.org", "strange.org", [], "", "asks for no reports"),
    ("spelled.org", "spelled.org", ["a+b@spelled.org", "c@spelled.org"], "", ""),
    ("foreign.org", "foreign.org", ["r@consents.net"], "", ""),
    ("victim.org", "victim.org", [], "", "refuses.net does not say that it wants reports about victim.org"),
    ("any.org", "any.org", ["r@wild.net"], "", ""),
    ("moved.org", "moved.org", ["new@moves.net"], "", ""),
    ("sent-on.org", "sent-on.org", [], "", "sent to another host"),
    ("dark.org", "dark.org", [], "cannot be known now", ""),
    ("half-dark.org", "half-dark.org", ["r@half-dark.org"], "cannot be known now", ""),
    ("bogus.net", "bogus.net", [], "cannot be known now", ""),
    ("loop.org", "loop.org", [], "", "asks for no reports"),
    ("crowd.org", "crowd.org", ["0@crowd.org", "1@crowd.org"], "", ""),
    ("nothing.org", "nothing.org", [], "", "publishes no DMARC record"),
    ("nowhere.org", "nowhere.org", [], "", "publishes no DMARC record"),
    ("twice.org", "twice.org", [], "", "publishes no DMARC record"),
]


@pytest.mark.parametrize("domain, organizational, addresses, later, why", DMARC)
def test_s_authn_10_who_gets_a_dmarc_report(
    domain: str, organizational: str, addresses: list[str], later: str, why: str
) -> None:
    found = ask(wanted.dmarc(domain, organizational, OWN))
    assert [str(one.mailbox) for one in found.destinations] == addresses
    assert bool(found.later) is bool(later)
    assert later in found.later
    assert why in found.why


def test_s_authn_10_a_thousand_destinations_are_a_dozen_questions() -> None:
    dns = world()
    assert ask(wanted.dmarc("crowd-abroad.org", "crowd-abroad.org"), dns).destinations == ()
    assert len(dns.asked) == 1 + tags.MOST_URIS


def test_s_authn_10_a_policy_above_the_organization_is_nobodys_own() -> None:
    dns = world()
    dns.put("_dmarc.gov.example", "TXT", '"v=DMARC1; p=none; rua=mailto:r@shop.gov.example"')
    assert not ask(wanted.dmarc("gov.example", "shop.gov.example"), dns).destinations


def test_s_authn_10_a_name_that_is_too_long_is_no_consent() -> None:
    dns = world()
    domain = ".".join(["a" * 60] * 3) + ".org"
    host = ".".join(["b" * 60] * 2) + ".net"
    dns.put(f"_dmarc.{domain}", "TXT", f'"v=DMARC1; p=none; rua=mailto:r@{host}"')
    assert "too long" in ask(wanted.dmarc(domain, domain), dns).why


SIZES = [
    ("mailto:a@b.c", None),
    ("mailto:a@b.c!500", 500),
    ("mailto:a@b.c!10k", 10 << 10),
    ("mailto:a@b.c!10M", 10 << 20),
    ("mailto:a@b.c!1g", 1 << 30),
    ("mailto:a@b.c!2t", 2 << 40),
]


@pytest.mark.parametrize("uri, most", SIZES)
def test_s_authn_10_sizes(uri: str, most: int | None) -> None:
    found = tags.mailto(uri)
    assert found is not None
    assert (str(found.mailbox), found.most) == ("a@b.c", most)


@pytest.mark.parametrize(
    "uri", ["mailto:a@b.c!10x", "mailto:a@b.c!", "mailto:a,b@c", "mailto:a b@c", "mailto:%0D%0Aa@b.c", "x:a@b.c"]
)
def test_s_authn_10_what_is_no_mailbox(uri: str) -> None:
    assert tags.mailto(uri) is None


def test_header_fields_of_a_uri_are_not_for_us() -> None:
    assert tags.mailto("mailto:a@b.c?subject=x&bcc=d@e.f") == Destination(
        "mailto:a@b.c?subject=x&bcc=d@e.f", tags.mailto("mailto:a@b.c").mailbox
    )  # type: ignore[union-attr]


TLS = [
    (
        "example.org",
        '"v=TLSRPTv1; rua=mailto:t@elsewhere.net,https://a/b,mailto:u@example.org"',
        ["t@elsewhere.net", "https://a/b"],
    ),
    ("example.org", '"v=TLSRPTv1; rua=ftp://a/b"', []),
    ("example.org", '"v=TLSRPTv1; rua=mailto:dmarc-reports@us.org"', []),
    ("example.org", '"v=TLSRPTv1; rua=' + ",".join(f"mailto:{n}@x.y" for n in range(9)) + '"', ["0@x.y", "1@x.y"]),
    ("example.org", '"v=spf1"', []),
]


@pytest.mark.parametrize("domain, record, addresses", TLS)
def test_who_gets_a_tls_report(domain: str, record: str, addresses: list[str]) -> None:
    dns = world()
    dns.put(f"_smtp._tls.{domain}", "TXT", record)
    found = ask(wanted.tls(domain, OWN), dns)
    assert [str(one) for one in found.destinations] == addresses
    assert bool(found.why) is not bool(addresses)


@pytest.mark.parametrize("security", [Security.BOGUS, Security.FAILED])
def test_what_cannot_be_known_is_asked_later(security: Security) -> None:
    dns = world()
    dns.verdict("_smtp._tls.example.org", security)
    found = ask(wanted.tls("example.org"), dns)
    assert (found.destinations, bool(found.later)) == ((), True)


def test_the_policy_as_the_report_repeats_it() -> None:
    policy = tags.published("example.org", "v=DMARC1; p=Reject; sp=oops; np=none; adkim=s; t=y; fo=1:d; pct=50")
    assert (policy.p, policy.sp, policy.np, policy.adkim, policy.aspf, policy.testing, policy.fo) == (
        "reject", "", "none", "s", "", "y", "1:d",
    )  # fmt: skip
