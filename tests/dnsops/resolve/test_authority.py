"""Every authoritative server's own word: complete only when each of them has said something of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

import dns.message
import pytest

from dnsops.records import rdata
from dnsops.resolve.answer import Consensus, Security, Server, Told, Zone
from dnsops.resolve.authority import MOST_SERVERS, Authorities
from dnsops.resolve.line import Patience
from dnsops.resolve.memory import MemoryDns
from dnsops.resolve.validator import Validator
from tests.dnsops.resolve.stub import Stub, answer
from tests.lab.dnstree import DnsTree

QUICK = Patience(udp=(0.2, 0.2), tcp=0.3)
OWNER = "_25._tcp.mx1.example.org"
AB, CD = "3 1 1 " + "ab" * 32, "3 1 1 " + "cd" * 32
SOA = "example.org. 60 SOA n. h. 1 2 3 4 30"


def tlsa(*texts: str) -> frozenset[rdata.Rdata]:
    return frozenset(rdata.parse("TLSA", text) for text in texts)


def shows(*texts: str, ttl: int = 60) -> Callable[[dns.message.Message], list[bytes]]:
    return lambda query: [answer(query, *(f"{OWNER}. {ttl} TLSA {text}" for text in texts))]


def heard(*replies: Callable[[dns.message.Message], list[bytes]] | None) -> Consensus:
    """The consensus of stubs on 127.0.0.2, 127.0.0.3 ...; None: nothing listens there."""

    async def story() -> Consensus:
        async with AsyncExitStack() as stack:
            port, servers = 0, []
            for number, reply in enumerate(replies, 2):
                server = Server(f"ns{number}.example.org", f"127.0.0.{number}")
                servers.append(server)
                if reply is not None:
                    stub = Stub(reply, None, server.address, port)
                    port = (await stack.enter_async_context(stub)).port
            authorities = await stack.enter_async_context(Authorities(MemoryDns({}), QUICK, port))
            return await authorities.consensus(Zone("example.org", tuple(servers)), OWNER, "TLSA")

    return asyncio.run(story())


def test_all_of_them_show_what_all_of_them_show() -> None:
    consensus = heard(shows(AB, CD), shows(AB, ttl=600), shows(AB))
    assert consensus.complete
    assert consensus.everywhere == tlsa(AB)
    assert consensus.anywhere == tlsa(AB, CD)
    assert consensus.ttl == 600


@pytest.mark.parametrize("rcode", ["NOERROR", "NXDOMAIN"])
def test_a_server_without_the_record_has_spoken_too(rcode: str) -> None:
    consensus = heard(shows(AB), lambda query: [answer(query, rcode=rcode, authority=(SOA,))])
    assert consensus.complete
    assert consensus.everywhere == frozenset()
    assert consensus.ttl == 60


LAME: dict[str, tuple[Callable[[dns.message.Message], list[bytes]] | None, str]] = {
    "nothing listens": (None, "nothing listens there"),
    "silent": (lambda query: [], "silent"),
    "not authoritative": (lambda query: [answer(query, f"{OWNER}. 60 TLSA {AB}", flags="")], "lame"),
    "refers": (lambda query: [answer(query, flags="", authority=("org. 60 NS a.org.",))], "lame"),
    "refused": (lambda query: [answer(query, rcode="REFUSED")], "REFUSED"),
    "servfail": (lambda query: [answer(query, rcode="SERVFAIL")], "SERVFAIL"),
    "notauth": (lambda query: [answer(query, rcode="NOTAUTH")], "NOTAUTH"),
    "an alias": (lambda query: [answer(query, f"{OWNER}. 60 CNAME a.example.org.")], "an alias to a.example.org"),
}


@pytest.mark.parametrize("fault", LAME)
def test_a_server_that_gives_no_word_of_its_own_stops_the_consensus(fault: str) -> None:
    reply, words = LAME[fault]
    consensus = heard(shows(AB), reply)
    assert [told.server.name for told in consensus.silent] == ["ns3.example.org"]
    assert words in consensus.silent[0].why
    assert not consensus.silent[0].unreachable
    assert consensus.everywhere is None
    assert consensus.anywhere == tlsa(AB)


def test_a_server_without_a_known_address_is_silent() -> None:
    async def story() -> Consensus:
        async with Authorities(MemoryDns({}), QUICK) as authorities:
            return await authorities.consensus(Zone("example.org", (Server("ns1.example.org", ""),)), OWNER, "TLSA")

    consensus = asyncio.run(story())
    assert not consensus.complete
    assert "could not be found out" in consensus.silent[0].why


def test_a_zone_without_servers_has_no_consensus() -> None:
    async def story() -> Consensus:
        async with Authorities(MemoryDns({}), QUICK) as authorities:
            return await authorities.consensus(Zone("example.org", (), "why"), OWNER, "TLSA")

    assert asyncio.run(story()).everywhere is None


# the zone and its servers


def tree() -> MemoryDns:
    dns = MemoryDns({"": Security.SECURE, "org": Security.SECURE, "example.org": Security.SECURE})
    for apex in ("", "org", "example.org"):
        dns.put(apex or ".", "SOA", "n. h. 1 2 3 4 5")
    dns.put("example.org", "NS", "ns1.example.org.", "NS2.example.org.")
    dns.put("ns1.example.org", "A", "192.0.2.1")
    dns.put("ns1.example.org", "AAAA", "2001:db8::1")
    dns.put("ns2.example.org", "A", "192.0.2.2", "192.0.2.3")
    return dns


def zone_of(dns: MemoryDns, name: str, apex: str | None = None) -> Zone:
    async def story() -> Zone:
        async with Authorities(dns, QUICK) as authorities:
            return await authorities.zone_of(name, apex)

    return asyncio.run(story())


EXPECTED = (
    Server("ns1.example.org", "192.0.2.1"),
    Server("ns1.example.org", "2001:db8::1"),
    Server("ns2.example.org", "192.0.2.2"),
    Server("ns2.example.org", "192.0.2.3"),
)


@pytest.mark.parametrize("name", [OWNER, "example.org", "*.wild.example.org", "a.b.c.d.e.example.org"])
def test_every_address_of_every_server(name: str) -> None:
    assert zone_of(tree(), name) == Zone("example.org", EXPECTED)


def test_an_alias_is_no_apex() -> None:
    dns = tree()
    dns.put("www.example.org", "CNAME", "example.net.")
    dns.put("example.net", "SOA", "n. h. 1 2 3 4 5")
    assert zone_of(dns, "www.example.org").apex == "example.org"


def test_who_knows_the_apex_saves_the_walk() -> None:
    dns = tree()
    assert zone_of(dns, OWNER, "example.org").servers == EXPECTED
    assert "SOA" not in {kind for _, kind in dns.asked}


@pytest.mark.parametrize("security", [Security.BOGUS, Security.FAILED])
def test_a_server_whose_address_is_in_doubt_stays_in_the_list(security: Security) -> None:
    dns = tree()
    dns.verdict("ns2.example.org", security, "no answer within 10 s")
    assert zone_of(dns, OWNER).servers == (*EXPECTED[:2], Server("ns2.example.org", ""))


def test_a_server_that_is_proven_to_have_no_address_is_left_out() -> None:
    dns = tree()
    dns.put("ns2.example.org", "A")
    assert zone_of(dns, OWNER).servers == EXPECTED[:2]


@pytest.mark.parametrize("security", [Security.BOGUS, Security.FAILED])
def test_a_zone_that_cannot_be_found_out_has_no_servers_and_says_why(security: Security) -> None:
    dns = tree()
    dns.verdict("example.org", security, "the reason")
    zone = zone_of(dns, OWNER)
    assert zone.servers == ()
    assert "the reason" in zone.why


def test_too_many_servers_are_not_cut_off_silently() -> None:
    dns = tree()
    dns.put("example.org", "NS", *(f"ns{number}.example.org." for number in range(MOST_SERVERS + 1)))
    zone = zone_of(dns, OWNER)
    assert (zone.servers, f"we ask {MOST_SERVERS}" in zone.why) == ((), True)


def test_two_hundred_names_of_one_zone_ask_for_its_servers_once() -> None:
    async def story(dns: MemoryDns) -> list[Zone]:
        async with Authorities(dns, QUICK) as authorities:
            return await asyncio.gather(*(authorities.zone_of(f"h{i}.example.org") for i in range(200)))

    dns = tree()
    assert {zone.servers for zone in asyncio.run(story(dns))} == {EXPECTED}
    assert dns.asked.count(("example.org", "NS")) == 1


def test_a_zone_that_failed_is_looked_up_again() -> None:
    async def story(dns: MemoryDns) -> tuple[Zone, Zone]:
        async with Authorities(dns, QUICK) as authorities:
            dns.verdict("example.org", Security.FAILED)
            first = await authorities.zone_of(OWNER, "example.org")
            dns.verdict("example.org", Security.SECURE)
            return first, await authorities.zone_of(OWNER, "example.org")

    first, second = asyncio.run(story(tree()))
    assert (first.servers, second.servers) == ((), EXPECTED)


# the lab's servers


def lab_told(name: str, place: str, kind: str = "TLSA") -> Consensus:
    async def story() -> Consensus:
        async with Validator() as validator, Authorities(validator, Patience(udp=(0.5, 0.5), tcp=0.5)) as authorities:
            found = await validator.ask(name, kind)
            assert found.place == place
            return await authorities.consensus(await authorities.zone_of(found.place, found.zone), found.place, kind)

    return asyncio.run(story())


@pytest.mark.lab
@pytest.mark.parametrize(
    "name, place",
    [
        (OWNER, OWNER),
        ("_25._tcp.alias.example.org", "_dane.example.org"),
        ("_25._tcp.x.wild.example.org", "*.wild.example.org"),
    ],
)
def test_the_labs_servers_agree_over_both_families(dnstree: DnsTree, name: str, place: str) -> None:
    consensus = lab_told(name, place)
    assert [told.server.address for told in consensus.told] == ["192.0.2.1", "2001:db8::1", "192.0.2.2"]
    assert (consensus.everywhere, consensus.ttl) == (tlsa(AB), 60)


@pytest.mark.lab
def test_a_stopped_server_is_silent_and_a_started_one_speaks_again(dnstree: DnsTree) -> None:
    for stop, start in (
        (dnstree.secondary.stop, dnstree.start_secondary),
        (dnstree.secondary.freeze, dnstree.secondary.thaw),
    ):
        stop()
        try:
            consensus = lab_told(OWNER, OWNER)
        finally:
            start()
        assert [told.server for told in consensus.silent] == [Server("ns2.example.org", "192.0.2.2")]
        assert consensus.everywhere is None
        assert lab_told(OWNER, OWNER).complete


@pytest.mark.lab
def test_a_lagging_server_is_seen(clean_zone: DnsTree) -> None:
    clean_zone.lag()
    try:
        clean_zone.replace(OWNER, "TLSA", AB, CD, servers=["192.0.2.1"])
        consensus = lab_told(OWNER, OWNER)
    finally:
        clean_zone.follow()
    assert (consensus.everywhere, consensus.anywhere) == (tlsa(AB), tlsa(AB, CD))


@pytest.mark.lab
def test_a_real_server_truncates_and_answers_over_tcp(clean_zone: DnsTree) -> None:
    texts = [f"3 1 1 {number:064x}" for number in range(60)]
    clean_zone.replace(OWNER, "TLSA", *texts)
    assert lab_told(OWNER, OWNER).everywhere == tlsa(*texts)


def test_told_says_who_and_why() -> None:
    told = Told(Server("ns1.example.org", ""), why="x")
    assert str(told.server) == "ns1.example.org (no address)"
