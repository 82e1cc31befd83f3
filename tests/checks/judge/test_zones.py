"""Zones around a mail domain: servers that differ, signatures that end, and a domain of ours against what we wish."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checks.facts.beyond import Beyond
from checks.finding import Finding, Status
from checks.judge import ours, zones
from checks.judge.story import judge
from dnsops.dnssec.facts import Facts as Zone
from dnsops.reconcile.zone_checks import Check, Public, State, Stray, Unequal
from dnsops.resolve.answer import Security, Server
from tests.checks.judge import scenes
from tests.dnsops.dnssec import zones as samples


def organizational(domain: str) -> str:
    return ".".join(domain.split(".")[-2:])


SIX = Server("ns2.example.org", "2001:db8::2")


@pytest.mark.parametrize(
    "zone, servers, signatures, said",
    [
        (samples.facts(), Status.GOOD, Status.GOOD, "signatures: 10 days left"),
        (
            samples.facts(samples.view(covers=(samples.cover(days=1),))),
            Status.GOOD,
            Status.FAIL,
            "signature ends in 24 h",
        ),
        (samples.facts(security=Security.BOGUS, why="forged"), Status.GOOD, Status.FAIL, "refuse the zone: forged"),
        (samples.facts(delegation=frozenset()), Status.GOOD, Status.FAIL, "its parent has no DS"),
        (samples.facts(delegation=frozenset({samples.ds(samples.OTHER)})), Status.GOOD, Status.FAIL, "no DNSKEY fits"),
        (
            samples.facts(samples.view(), samples.view(SIX, why="silent")),
            Status.FAIL,
            Status.GOOD,
            "gives no answer: silent",
        ),
        (
            samples.facts(samples.view(), samples.view(SIX, serial=6), lagging=frozenset({SIX.address})),
            Status.FAIL,
            Status.GOOD,
            "is behind: serial 6, while others have 7",
        ),
        (
            samples.facts(
                samples.view(), samples.view(SIX, why="no route", unreachable=True), samples.view(samples.NS2)
            ),
            Status.GOOD,
            Status.GOOD,
            "",
        ),
    ],
)
def test_a_zone(zone: Zone, servers: Status, signatures: Status, said: str) -> None:
    found = list(zones.findings([zone], samples.NOW))
    assert [(one.id, one.right) for one in found] == [("zone_servers", servers), ("zone_signatures", signatures)]
    assert said in " | ".join(line for one in found for line in one.details)
    assert all(bool(one.fix) == (one.right < Status.NOT_TESTED) for one in found)


def test_the_evidence_names_each_server_by_address_and_family() -> None:
    zone = samples.facts(samples.view(), samples.view(SIX, serial=6), lagging=frozenset({SIX.address}))
    seen, proofs = (found.evidence[0].lines for found in zones.findings([zone], samples.NOW))
    assert seen[0].startswith("ns1.example.org (192.0.2.1) over IPv4: serial 7, keys ")
    assert seen[1].startswith("ns2.example.org (2001:db8::2) over IPv6: serial 6, keys ")
    assert any(line.startswith("DS at a.org (192.0.2.9): ") for line in proofs)
    assert any("example.org SOA at ns1.example.org (192.0.2.1): signed until 2026-12-06" in line for line in proofs)


def test_what_nobody_had_time_for_is_not_good() -> None:
    facts = replace(scenes.good(), beyond=Beyond(zones=()))
    found = {one.id: one for one in judge(facts, organizational).findings}
    assert found["zone_servers"].right is found["zone_signatures"].right is Status.NOT_TESTED
    assert judge(facts, organizational).score == 100


# ours


def record(name: str, kind: str, state: State = State.MISSING, text: str = "x", **more: object) -> Check:
    base: dict[str, object] = {"security": Security.SECURE, "why": "because", "ttl": 300}
    return Check(name, kind, text, state, **(base | more))  # type: ignore[arg-type]


def told(*checks: Check, strays: tuple[Stray, ...] = (), unequal: tuple[Unequal, ...] = ()) -> list[Finding]:
    return list(ours.findings(Beyond(ours=Public(checks, strays, unequal))))


RIGHT = record("good.test", "MX", State.RIGHT)


@pytest.mark.parametrize(
    "check, status, fix",
    [
        (
            record("good.test", "MX", text="10 mx.good.test."),
            Status.FAIL,
            "write good.test. 300 IN MX 10 mx.good.test.",
        ),
        (record("_25._tcp.mx.good.test", "TLSA"), Status.FAIL, "mailsrv dns apply"),
        (
            record("_dmarc.good.test", "TXT", State.OTHER, said="v=DMARC1; p=none"),
            Status.FAIL,
            "instead of v=DMARC1; p=none",
        ),
        (record("_imaps._tcp.good.test", "SRV"), Status.NOTICE, "write _imaps._tcp.good.test. 300 IN SRV"),
        (record("default._bimi.good.test", "TXT"), Status.NOTICE, "write default._bimi"),
        (record("good.test", "MX", State.BOGUS, said="expired"), Status.FAIL, "mailsrv dns dnssec"),
        (
            record("1.2.0.192.in-addr.arpa", "PTR", theirs=True, advice="ask them"),
            Status.FAIL,
            "ask them; it should say",
        ),
        (record("good.test", "MX", State.FAILED, said="silent"), Status.INFO, "again"),
    ],
)
def test_a_record_of_ours_that_is_not_as_wished(check: Check, status: Status, fix: str) -> None:
    (found,) = told(RIGHT, check)
    assert (found.right, found.host, found.points) == (status, f"{check.name} {check.type}", None)
    assert fix in found.fix


def test_what_stands_beside_ours_and_servers_that_say_otherwise() -> None:
    stray = Stray("good.test", "MX", "5 mx.evil.test.", "mail goes there, too, or first", True)
    other = Unequal("good.test", "MX", "ns2.good.test (192.0.2.2)", "shows nothing")
    first, second = told(RIGHT, strays=(stray,), unequal=(other,))
    assert first.right is Status.FAIL
    assert "remove good.test. MX 5 mx.evil.test." in first.fix
    assert (second.right, second.details) == (
        Status.FAIL,
        ("ns2.good.test (192.0.2.2) shows nothing, unlike the resolver",),
    )


def test_all_as_wished_is_one_finding_and_a_strangers_domain_has_none() -> None:
    (found,) = told(RIGHT, record("mail.good.test", "CNAME", State.AS_GOOD))
    assert (found.right, found.details) == (Status.GOOD, ("2 records are as wanted",))
    assert list(ours.findings(Beyond())) == []
    (unknown,) = ours.findings(Beyond(ours_why="a key is damaged"))
    assert unknown.right is Status.NOT_TESTED


def test_very_many_are_counted() -> None:
    found = told(*(record(f"n{number}.good.test", "TXT") for number in range(100)))
    assert len(found) == ours.MOST + 1
    assert found[-1].details == (f"and {100 - ours.MOST} more",)
