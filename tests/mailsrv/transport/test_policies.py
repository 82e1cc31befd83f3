"""The whole finding-out, over a DNS in memory: what is asked, what is decided, what is noted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from dnsops.base.errors import Later
from dnsops.base.flow import arun
from dnsops.records.txt.mtasts import Mode, Sts
from dnsops.resolve.answer import Answer, Question, Security
from dnsops.resolve.memory import MemoryDns
from mailsrv.send.route import Ours, Route, Router
from mailsrv.transport.caching import Cache
from mailsrv.transport.deciding import Rule
from mailsrv.transport.found import Fault
from mailsrv.transport.host import Host
from mailsrv.transport.mtasts import StsPolicies
from mailsrv.transport.noting import Notes
from mailsrv.transport.outcome import Outcome, PolicyType, Trouble
from mailsrv.transport.policies import Policed
from mailsrv.transport.policy import Policy

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOST = Host("mx1.example.org", ("192.0.2.1",), canonical="mx1.example.org", proven=True)
OWNER, TXT = "_25._tcp.mx1.example.org", "_mta-sts.example.org"
TLSA = "3 1 1 " + "aa" * 32
Weather = Callable[[MemoryDns], object]


class Heard(list[Outcome]):
    def note(self, outcome: Outcome) -> None:
        self.append(outcome)


class Web:
    def __init__(self, says: Sts | Fault) -> None:
        self.says = says

    async def fetch(self, domain: str) -> Sts | Fault:
        return self.says


def decided(
    weather: Weather,
    says: Sts | Fault = Sts(Mode.ENFORCE, ("mx1.example.org",), 86400),
    rules: dict[str, Rule] | None = None,
    dane: bool = True,
    domain: str = "example.org",
    proven: bool = True,
) -> tuple[Policy | str, Heard, set[str]]:
    """The policy or the reason to wait, what was noted, and which names were asked for."""
    dns, heard = MemoryDns({"example.org": Security.SECURE}), Heard()
    weather(dns)
    notes = Notes(lambda: NOON, heard, "us.example")
    policed = Policed(dns, StsPolicies(dns, Web(says), Cache(), lambda: NOON), notes, dane, rules)
    try:
        found: Policy | str = asyncio.run(policed.policy(domain, HOST, proven))
    except Later as reason:
        found = reason.reason
    return found, heard, {name for name, _ in dns.asked}


def with_sts(dns: MemoryDns) -> None:
    dns.put(TXT, "TXT", '"v=STSv1; id=1;"')


def with_tlsa(dns: MemoryDns) -> None:
    dns.put(OWNER, "TLSA", TLSA)
    with_sts(dns)


def name(found: Policy | str) -> str:
    return found.name if isinstance(found, Policy) else found


def test_dane_is_enough_and_mta_sts_is_not_asked() -> None:
    found, heard, asked = decided(with_tlsa)
    assert (name(found), heard, asked) == ("dane", [], {OWNER})


def test_without_dane_mta_sts_is() -> None:
    found, heard, asked = decided(with_sts)
    assert (name(found), heard, asked) == ("mta-sts", [], {OWNER, TXT})


def test_where_the_mx_is_not_proven_tlsa_is_not_asked_for() -> None:
    found, _, asked = decided(with_tlsa, proven=False)
    assert (name(found), asked) == ("mta-sts", {TXT})


@pytest.mark.parametrize("security", [Security.BOGUS, Security.FAILED])
def test_bogus_tlsa_is_noted_and_waited_for(security: Security) -> None:
    """S-DNS-01; MTA-STS does not help out (RFC 8461 2)."""
    found, heard, _ = decided(lambda dns: (with_sts(dns), dns.verdict(OWNER, security, "forged")))
    assert found == "the TLSA records of mx1.example.org cannot be known now: forged"
    assert [(one.type, one.trouble, one.mx, one.helo) for one in heard] == [
        (PolicyType.TLSA, Trouble.DNSSEC_INVALID, "mx1.example.org", "us.example")
    ]


def test_a_host_that_is_not_listed_is_noted_and_left_alone() -> None:
    found, heard, _ = decided(with_sts, Sts(Mode.ENFORCE, ("*.example.com",), 86400))
    assert found == "mx1.example.org is none of the hosts in the MTA-STS policy"
    assert [(one.type, one.trouble, one.mx_patterns) for one in heard] == [
        (PolicyType.STS, Trouble.VALIDATION_FAILURE, ("*.example.com",))
    ]


def test_required_dane_that_is_not_there_is_noted() -> None:
    found, heard, _ = decided(with_sts, rules={"example.org": Rule.DANE})
    assert name(found).startswith("mx1.example.org: the configuration wants DANE")
    assert [one.trouble for one in heard] == [Trouble.DANE_REQUIRED]


def test_whom_the_administrator_excuses_is_not_even_asked_about() -> None:
    found, heard, asked = decided(
        lambda dns: dns.verdict(OWNER, Security.BOGUS), rules={"example.org": Rule.OPPORTUNISTIC}, domain="EXAMPLE.org."
    )
    assert (name(found), heard, asked) == ("opportunistic", [], set())


def test_what_is_switched_off_is_not_asked_for() -> None:
    found, _, asked = decided(with_tlsa, dane=False)
    assert (name(found), asked) == ("mta-sts", {TXT})
    notes = Notes(lambda: NOON)
    assert asyncio.run(Policed(MemoryDns({}), None, notes).policy("example.org", HOST, False)).name == "opportunistic"


def test_a_literal_has_no_policy() -> None:
    notes, dns = Notes(lambda: NOON), MemoryDns({})
    policed = Policed(dns, StsPolicies(dns, Web(Fault(Trouble.STS_POLICY_INVALID, "")), Cache(), lambda: NOON), notes)
    host = Host("[192.0.2.1]", ("192.0.2.1",))
    assert asyncio.run(policed.policy("[192.0.2.1]", host, False)).name == "opportunistic"
    assert dns.asked == []


@pytest.mark.parametrize(
    "target,reached",
    [
        (r"a\000b.example.org.", False), (r"a\032b.example.org.", False), (r"a\.b.example.org.", False), (r"\"x\".example.org.", False),
        ("a_b.example.org.", True), ("xn--bcher-kva.example.org.", True), ("192.0.2.1.", True), (r"*.example.org.", True),
        (r"<x>.example.org.", False), (r"\255.example.org.", False),
    ],
)  # fmt: skip
def test_s_dns_07_odd_names_of_mail_hosts(target: str, reached: bool) -> None:
    """Left out, or a name as any other; never a question that a resolver could misread."""

    async def story() -> tuple[object, MemoryDns]:
        dns = MemoryDns({"example.org": Security.SECURE})
        dns.put("example.org", "MX", f"10 {target}")
        if reached:
            dns.put(target, "A", "192.0.2.25")

        async def ask(question: Question) -> Answer:
            return await dns.ask(question.name, question.type)

        way = await arun(Router(Ours()).route("example.org"), ask)
        if isinstance(way, Route):
            policed = Policed(dns, None, Notes(lambda: NOON))
            return [(await policed.policy("example.org", host, way.proven)).name for host in way.hosts], dns
        return way, dns

    found, dns = asyncio.run(story())
    assert isinstance(found, list) is reached
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.*") for name, _ in dns.asked)
