"""Everything is looked at, once, a host's port by one at a time; and whatever hangs, the facts come in time."""

from __future__ import annotations

import asyncio
from time import monotonic

import pytest

from checks.facts import Facts
from checks.probe.gathering import gather
from tests.checks.probe.memory import Memory, mail_domain

HOSTS = ("mx1.example.org", "mx2.example.org")
RECORDS = mail_domain("example.org", *HOSTS)


def gathered(memory: Memory, domain: str = "example.org", budget: float = 5.0) -> Facts:
    return asyncio.run(gather(domain, memory.world(budget)))


def test_the_facts_are_complete_and_nothing_is_asked_twice() -> None:
    memory = Memory(RECORDS)
    facts = gathered(memory)
    assert [host.name for host in facts.hosts] == list(HOSTS)
    assert [one.ok for one in facts.hosts[0].addresses.reached] == [True, True]
    assert [host.tls.address for host in facts.hosts] == ["192.0.2.1", "192.0.2.2"]  # IPv4 before IPv6
    assert [[other.address for other in host.others] for host in facts.hosts] == [["2001:db8::1"], ["2001:db8::2"]]
    assert [server.name for server in facts.name_servers] == ["ns.example.org"]
    assert [[server.name for server in host.name_servers] for host in facts.hosts] == [["ns.example.org"]] * 2
    assert facts.routing is not None
    assert set(facts.routing) == {"192.0.2.1", "192.0.2.2", "192.0.2.53", "2001:db8::1", "2001:db8::2"}
    for name, type_name, accurate in (
        ("example.org", "SOA", True),
        ("example.org", "TXT", False),
        ("_dmarc.example.org", "TXT", False),
        ("_domainkey.example.org", "TXT", False),
        ("mx1.example.org", "SOA", True),
        ("mx1.example.org", "CAA", False),
        ("_25._tcp.mx1.example.org", "TLSA", True),
        ("_25._tcp.mx1.example.org", "A", False),
        ("_mta-sts.example.org", "TXT", False),
    ):
        assert facts.looked(name, type_name, accurate).answered, (name, type_name)
    assert memory.asked["example.org MX"] == 1


def test_of_many_hosts_ten_are_looked_at() -> None:
    hosts = [f"mx{number:02}.example.org" for number in range(12)]
    facts = gathered(Memory(mail_domain("example.org", *hosts)))
    assert [host.name for host in facts.hosts] == hosts[:10]


def test_a_host_of_many_domains_is_looked_at_once() -> None:
    memory = Memory({**RECORDS, **mail_domain("example.net", *HOSTS), **mail_domain("example.com", *HOSTS)})
    world = memory.world()

    async def story() -> list[Facts]:
        return list(await asyncio.gather(*(gather(f"example.{top}", world) for top in ("org", "net", "com"))))

    facts = asyncio.run(story())
    assert memory.asked["tls mx1.example.org"] == 2  # of two addresses
    assert all(one.looked("mx1.example.org", "SOA", accurate=True).answered for one in facts)


@pytest.mark.parametrize(
    "hangs",
    [
        "tls 192.0.2.1",
        "192.0.2.1",
        "2001:db8::1",
        "192.0.2.53",
        "route 192.0.2.1",
        "MX",
        "TXT",
        "SOA",
        "CAA",
        "TLSA",
        "AAAA",
        "NS",
        "PTR",
        "_dmarc.example.org",
        "mx2.example.org",
    ],
)
def test_whatever_hangs_the_facts_come_in_time(hangs: str) -> None:
    began = monotonic()
    facts = gathered(Memory(RECORDS, hangs=frozenset({hangs})), budget=0.6)
    assert monotonic() - began < 3.0  # five times the budget, for a machine that is busy
    if hangs.startswith("tls"):
        assert [host.tls.late for host in facts.hosts] == [True, False]
    if hangs != "MX":
        assert len(facts.hosts) == 2


def test_all_that_hangs_together_takes_no_longer() -> None:
    everything = frozenset({"tls 192.0.2.1", "192.0.2.1", "TXT", "SOA", "CAA", "TLSA", "PTR", "route 192.0.2.2"})
    began = monotonic()
    gathered(Memory(RECORDS, hangs=everything), budget=0.6)
    assert monotonic() - began < 3.0


def test_nobody_to_ask_about_routes_means_no_routing() -> None:
    from dataclasses import replace

    world = replace(Memory(RECORDS).world(), routes=None)
    assert asyncio.run(gather("example.org", world)).routing is None
