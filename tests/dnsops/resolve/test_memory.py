"""The DNS in memory behaves as the real one where tests rely on it."""

from __future__ import annotations

import asyncio

import pytest

from dnsops.resolve.answer import Answer, Consensus, Security
from dnsops.resolve.memory import VALIDATOR, MemoryDns

AB, CD = "3 1 1 " + "ab" * 32, "3 1 1 " + "cd" * 32
OWNER = "_25._tcp.mx1.example.org"


def dns() -> MemoryDns:
    made = MemoryDns(
        {"example.org": Security.SECURE, "plain.org": Security.INSECURE, "sub.example.org": Security.SECURE}
    )
    made.put(OWNER, "TLSA", AB, ttl=300)
    made.put("_25._tcp.alias.example.org", "CNAME", "_dane.example.org.")
    made.put("_dane.example.org", "TLSA", AB)
    made.put("*.wild.example.org", "TLSA", AB)
    made.put("_25._tcp.both.example.org", "CNAME", "x.wild.example.org.")
    made.put("mx1.plain.org", "A", "192.0.2.1")
    return made


def ask(made: MemoryDns, name: str, kind: str = "TLSA") -> Answer:
    return asyncio.run(made.ask(name, kind))


def told(made: MemoryDns, name: str = OWNER) -> Consensus:
    async def story() -> Consensus:
        return await made.consensus(await made.zone_of(name), name, "TLSA")

    return asyncio.run(story())


@pytest.mark.parametrize(
    "name, kind, security, rcode, found, place, zone",
    [
        (OWNER, "TLSA", "SECURE", "NOERROR", 1, OWNER, "example.org"),
        ("mx1.example.org", "A", "SECURE", "NOERROR", 0, "mx1.example.org", "example.org"),  # an empty non-terminal
        ("mx2.example.org", "A", "SECURE", "NXDOMAIN", 0, "mx2.example.org", "example.org"),
        ("_25._tcp.alias.example.org", "TLSA", "SECURE", "NOERROR", 1, "_dane.example.org", "example.org"),
        ("_25._tcp.alias.example.org", "CNAME", "SECURE", "NOERROR", 1, "_25._tcp.alias.example.org", "example.org"),
        ("_25._tcp.x.wild.example.org", "TLSA", "SECURE", "NOERROR", 1, "*.wild.example.org", "example.org"),
        ("_25._tcp.both.example.org", "TLSA", "SECURE", "NOERROR", 1, "*.wild.example.org", "example.org"),
        ("a.sub.example.org", "A", "SECURE", "NXDOMAIN", 0, "a.sub.example.org", "sub.example.org"),
        ("mx1.plain.org", "A", "INSECURE", "NOERROR", 1, "mx1.plain.org", "plain.org"),
        ("mx1.nowhere.net", "A", "INSECURE", "NXDOMAIN", 0, "mx1.nowhere.net", None),
    ],
)
def test_it_answers(name: str, kind: str, security: str, rcode: str, found: int, place: str, zone: str | None) -> None:
    answer = ask(dns(), name, kind)
    assert (answer.security.name, answer.rcode, len(answer.items), answer.place, answer.zone) == (
        security,
        rcode,
        found,
        place,
        zone,
    )


@pytest.mark.parametrize("security", [Security.BOGUS, Security.FAILED])
def test_it_plays_the_broken_ones(security: Security) -> None:
    made = dns()
    made.verdict("mx1.example.org", security, "the reason", (7,))
    answer = ask(made, OWNER)
    assert (answer.security, answer.why, answer.ede, answer.items) == (security, "the reason", (7,), frozenset())
    assert ask(made, "_dane.example.org").proven


def test_servers_and_the_validator_lag_and_follow() -> None:
    made = dns()
    made.lag("192.0.2.2")
    made.lag(VALIDATOR)
    made.put(OWNER, "TLSA", AB, CD)
    assert len(told(made).everywhere or ()) == 1
    assert len(told(made).anywhere) == 2
    assert len(ask(made, OWNER).items) == 1
    made.follow("192.0.2.2")
    made.follow(VALIDATOR)
    assert len(told(made).everywhere or ()) == 2
    assert len(ask(made, OWNER).items) == 2


def test_a_silent_server_is_silent_until_it_speaks() -> None:
    made = dns()
    made.silence("192.0.2.2")
    assert [one.server.address for one in told(made).silent] == ["192.0.2.2"]
    made.speak("192.0.2.2")
    assert told(made).complete


def test_without_a_route_to_one_family_the_others_word_is_enough() -> None:
    made = dns()
    made.silence("2001:db8::1", "no route", unreachable=True)
    assert told(made).complete
    made.silence("192.0.2.1", "no route", unreachable=True)  # now nobody of ns1 can be heard
    assert {one.server.address for one in told(made).silent} == {"192.0.2.1", "2001:db8::1"}


def test_a_record_that_is_put_away_is_gone() -> None:
    made = dns()
    made.put(OWNER, "TLSA")
    assert ask(made, OWNER).rcode == "NXDOMAIN"
    assert told(made).everywhere == frozenset()
