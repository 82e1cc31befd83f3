"""RFC 7672 2 and 3.1 as a table: which records hold for a mail host, and when there is only waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from dnsops.base.errors import Later
from dnsops.base.flow import arun, run
from dnsops.records.tlsa import Tlsa
from dnsops.resolve.answer import Answer, Security
from dnsops.resolve.memory import MemoryDns
from mailsrv.transport.dane import MOST_RECORDS, Dane, NoDane, look, unusable, usable
from mailsrv.transport.host import Host

A, B = "3 1 1 " + "aa" * 32, "3 1 1 " + "bb" * 32
OWNER, TARGET = "_25._tcp.mx.example.org", "_25._tcp.mx.provider.net"
SECURE, INSECURE, BOGUS, FAILED = Security.SECURE, Security.INSECURE, Security.BOGUS, Security.FAILED
HERE = Host("mx.example.org", ("192.0.2.1",), canonical="mx.example.org", proven=True)
ALIAS = Host("mx.example.org", ("192.0.2.1",), canonical="mx.provider.net", proven=True)
HALF = Host("mx.example.org", ("192.0.2.1",), canonical="mx.provider.net", proven=False)

Weather = Callable[[MemoryDns], object]


def seen(host: Host, weather: Weather, proven: bool = True) -> tuple[str, list[str]] | str:
    """(base, first digits of what is usable), or why there is no DANE."""
    dns = MemoryDns({"example.org": SECURE, "provider.net": SECURE, "unsigned.net": INSECURE})
    weather(dns)
    found = asyncio.run(arun(look("Example.org", host, proven), lambda q: dns.ask(q.name, q.type)))
    if isinstance(found, NoDane):
        return found.why
    return found.base, [str(record)[:8] for record in found.usable]


def test_the_records_of_a_proven_host_hold() -> None:
    assert seen(HERE, lambda dns: dns.put(OWNER, "TLSA", A, B)) == ("mx.example.org", ["3 1 1 aa", "3 1 1 bb"])


def test_names_for_usage_2_are_the_base_and_the_mail_domain() -> None:
    """RFC 7672 3.2.2."""
    dns = MemoryDns({"example.org": SECURE})
    dns.put(OWNER, "TLSA", A)
    found = asyncio.run(arun(look("Example.org.", HERE, True), lambda q: dns.ask(q.name, q.type)))
    assert isinstance(found, Dane)
    assert found.names == ("mx.example.org", "example.org")


@pytest.mark.parametrize(
    "section,host,proven,weather,why",
    [
        ("2.2.1", HERE, False, lambda dns: dns.put(OWNER, "TLSA", A), "nothing proves that mx.example.org is the mail host"),
        ("2.2.2", Host("mx.example.org", ("192.0.2.1",), canonical="mx.example.org"), True,
         lambda dns: dns.put(OWNER, "TLSA", A), "nothing proves the addresses of mx.example.org"),
        ("2.2", HERE, True, lambda dns: None, "mx.example.org has no TLSA records"),
        ("2.1.1", HERE, True, lambda dns: (dns.put(OWNER, "TLSA", A), dns.verdict(OWNER, INSECURE)), "nothing proves the TLSA"),
        ("2.2.3", HERE, True, lambda dns: (dns.put(OWNER, "CNAME", "_dane.unsigned.net"), dns.put("_dane.unsigned.net", "TLSA", A),
                                           dns.verdict(OWNER, INSECURE)), "nothing proves the TLSA"),
        ("5321 4.1.3", Host("[192.0.2.1]", ("192.0.2.1",)), True, lambda dns: None, "an address has no TLSA records"),
        ("2.2.2", HALF, True, lambda dns: (dns.put("mx.example.org", "CNAME", "mx.provider.net"), dns.put(OWNER, "TLSA", A),
                                           dns.verdict("mx.example.org", INSECURE)), "nothing proves the addresses"),
    ],
)  # fmt: skip
def test_when_dane_does_not_apply(section: str, host: Host, proven: bool, weather: Weather, why: str) -> None:
    found = seen(host, weather, proven)
    assert isinstance(found, str), section
    assert found.startswith(why), section


@pytest.mark.parametrize(
    "section,host,weather,base",
    [
        ("2.2.2: the name after CNAMEs first", ALIAS, lambda dns: (dns.put(TARGET, "TLSA", A), dns.put(OWNER, "TLSA", B)), "mx.provider.net"),
        ("2.2.2: then the name itself", ALIAS, lambda dns: dns.put(OWNER, "TLSA", A), "mx.example.org"),
        ("2.2.2: also when the first is not proven", ALIAS, lambda dns: (dns.put(OWNER, "TLSA", A), dns.put(TARGET, "TLSA", B),
                                                                       dns.verdict(TARGET, INSECURE)), "mx.example.org"),
        ("2.2.2: a proven alias into the unproven", HALF, lambda dns: (dns.put("mx.example.org", "CNAME", "mx.provider.net"),
                                                                       dns.put(OWNER, "TLSA", A)), "mx.example.org"),
        ("2.2.3: TLSA by an alias", HERE, lambda dns: (dns.put(OWNER, "CNAME", "_dane.provider.net"),
                                                       dns.put("_dane.provider.net", "TLSA", A)), "mx.example.org"),
        ("2.2.3: TLSA by a wildcard", HERE, lambda dns: dns.put("*.mx.example.org", "TLSA", A), "mx.example.org"),
    ],
)  # fmt: skip
def test_under_which_name_records_are_looked_for(section: str, host: Host, weather: Weather, base: str) -> None:
    assert seen(host, weather) == (base, ["3 1 1 aa"]), section


@pytest.mark.parametrize("security", [BOGUS, FAILED])
@pytest.mark.parametrize("host,name", [(HERE, OWNER), (ALIAS, TARGET), (ALIAS, OWNER), (HALF, "mx.example.org")])
def test_s_dns_01_forged_or_silent_is_later_and_never_none(security: Security, host: Host, name: str) -> None:
    """RFC 7672 2.1.1, 2.1.2, S-DNS-01: whichever of the look-ups it is."""
    with pytest.raises(Later, match="cannot be known now"):
        seen(host, lambda dns: dns.verdict(name, security, "an attacker"))


@pytest.mark.parametrize(
    "text,why",
    [
        ("3 1 1 " + "aa" * 32, None),
        ("3 0 2 " + "aa" * 64, None),
        ("2 0 0 3003020101", None),
        ("0 0 1 " + "aa" * 32, "usage 0"), ("1 1 1 " + "aa" * 32, "usage 1"), ("4 1 1 " + "aa" * 32, "usage 4"), ("255 1 1 aa", "usage 255"),
        ("3 2 1 " + "aa" * 32, "selector 2"), ("3 1 3 " + "aa" * 32, "matching type 3"),
        ("3 1 1 " + "aa" * 31, "31 bytes"), ("3 1 2 " + "aa" * 32, "32 bytes"), ("3 1 1", "0 bytes"),
        ("3 1 0 aabb", "no certificate"), ("3 1 0", "no certificate"), ("2 0 0 3082ffff", "no certificate"), ("2 0 0 30ff0000", "no certificate"),
    ],
)  # fmt: skip
def test_s_dns_06_records_that_cannot_be_matched(text: str, why: str | None) -> None:
    """S-DNS-06, RFC 7672 3.1.3: usages 0 and 1 are as if nobody knew them."""
    found = unusable(Tlsa.parse(text))
    assert (found is None) is (why is None)
    assert found is None or why is None or found.startswith((why, "its data is no certificate"))


def test_s_dns_06_all_unusable_is_still_dane_with_nothing_to_match() -> None:
    assert seen(HERE, lambda dns: dns.put(OWNER, "TLSA", "0 0 1 " + "aa" * 32)) == ("mx.example.org", [])


def test_of_several_digests_the_strongest_counts() -> None:
    """RFC 7671 9: by usage and selector; matching type 0 is no digest."""
    texts = ["3 1 1 " + "aa" * 32, "3 1 2 " + "bb" * 64, "3 0 1 " + "cc" * 32, "2 1 1 " + "dd" * 32, "3 1 0 3003020101"]
    assert {str(record)[:8] for record in usable(map(Tlsa.parse, texts))} == {
        "3 1 2 bb", "3 0 1 cc", "2 1 1 dd", "3 1 0 30",
    }  # fmt: skip


def test_s_dns_06_a_thousand_records_are_a_hundred() -> None:
    dns = MemoryDns({"example.org": SECURE})
    dns.put(OWNER, "TLSA", *(f"3 1 1 {number:064x}" for number in range(1000)))
    found = asyncio.run(arun(look("example.org", HERE, True), lambda q: dns.ask(q.name, q.type)))
    assert isinstance(found, Dane)
    assert len(found.usable) == len(found.found) == MOST_RECORDS


def test_a_name_too_long_for_records_has_none() -> None:
    name = ".".join(["a" * 62] * 4)
    assert "too long" in str(seen(Host(name, ("192.0.2.1",), canonical=name, proven=True), lambda dns: None))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(OWNER, "TLSA", BOGUS, "NOERROR", frozenset({Tlsa.parse(A)})),
        Answer(OWNER, "TLSA", FAILED, "NOERROR"),
        Answer(OWNER, "TLSA", SECURE, "SERVFAIL"),
        Answer(OWNER, "TLSA", INSECURE, "REFUSED"),
        Answer(OWNER, "TLSA", INSECURE, ""),
    ],
    ids=lambda answer: f"{answer.security.name} {answer.rcode}",
)
def test_each_sign_of_trouble_is_enough(answer: Answer) -> None:
    """RFC 7672 2.1.2."""
    with pytest.raises(Later):
        run(look("example.org", HERE, True), lambda question: answer)
