"""Where challenge records belong and who shows them, in a little DNS whose servers lag, are silent, or lie."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from dnsops.acme import seeing
from dnsops.base.errors import ForUser, Later
from dnsops.resolve.answer import Security
from dnsops.resolve.memory import VALIDATOR, MemoryDns

OWNER = "_acme-challenge.example.org"
SOA = "ns1.example.org. hostmaster.example.org. 1 3600 600 86400 {}"
WANTED = {OWNER: frozenset({"one", "two"})}


def world(negative: int = 60) -> MemoryDns:
    dns = MemoryDns({"example.org": Security.SECURE, "example.net": Security.INSECURE})
    dns.put("example.org", "SOA", SOA.format(negative))
    return dns


def opened(dns: MemoryDns) -> seeing.Open:
    @asynccontextmanager
    async def one() -> AsyncIterator[seeing.Eyes]:
        yield seeing.Eyes(dns, dns)

    return one


class Naps:
    """Sleeps that take no time; after `at` seconds in all something happens."""

    def __init__(self, at: float = 1e9, then: Callable[[], None] = lambda: None) -> None:
        self.total, self.at, self.then = 0.0, at, then

    async def __call__(self, seconds: float) -> None:
        self.total += seconds
        if self.total >= self.at:
            self.then()


def see(dns: MemoryDns, naps: Naps) -> str:
    return asyncio.run(seeing.seen(WANTED, opened(dns), naps))


def show(dns: MemoryDns) -> None:
    dns.put(OWNER, "TXT", '"one"', '"two"', '"a stranger\'s"', ttl=60)


def test_all_is_seen_at_once() -> None:
    dns, naps = world(), Naps()
    show(dns)
    assert see(dns, naps) == ""
    assert naps.total == 0


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "192.0.2.2", VALIDATOR])
def test_one_that_lags_is_waited_for(address: str) -> None:
    dns = world()
    dns.lag(address)
    naps = Naps(20, lambda: dns.follow(address))
    show(dns)
    assert see(dns, naps) == ""
    assert 20 <= naps.total < 60


@pytest.mark.parametrize(
    "trouble, sentence",
    [
        (lambda dns: dns.lag("192.0.2.2"), r"ns2\.example\.org \(192\.0\.2\.2\) not yet"),
        (lambda dns: dns.silence("192.0.2.2"), r"ns2\.example\.org \(192\.0\.2\.2\) silent"),
        (lambda dns: dns.lag(VALIDATOR), "the validating resolver does not show it yet"),
        (lambda dns: dns.verdict(OWNER, Security.BOGUS, "no signature"), "no signature"),
        (lambda dns: dns.verdict(OWNER, Security.FAILED, "no answer within 10 s"), "no answer within 10 s"),
    ],
)
def test_one_that_never_shows_it_ends_in_later(trouble: Callable[[MemoryDns], None], sentence: str) -> None:
    dns, naps = world(), Naps()
    trouble(dns)
    show(dns)
    with pytest.raises(Later, match=f"not everybody sees the challenge records: .*{sentence}"):
        see(dns, naps)
    assert naps.total <= seeing.PATIENCE + seeing.LONGEST


def test_a_cache_that_keeps_no_for_longer_than_we_wait_is_told() -> None:
    """Every server shows it, nothing is forged: only this machine's cache is old."""
    dns, naps = world(negative=3600), Naps()
    dns.lag(VALIDATOR)
    show(dns)
    assert "does not show it yet" in see(dns, naps)
    assert naps.total == pytest.approx(seeing.LONGEST)
    dns.verdict(OWNER, Security.BOGUS)
    with pytest.raises(Later):
        see(dns, Naps())


ALIASES = [
    ({}, OWNER),
    ({OWNER: "x.example.net"}, "x.example.net"),
    ({OWNER: "x.example.net", "x.example.net": "y.example.org"}, "y.example.org"),
]


@pytest.mark.parametrize("aliases, place", ALIASES)
def test_aliases_lead_to_the_place(aliases: dict[str, str], place: str) -> None:
    dns = world()
    for name, target in aliases.items():
        dns.put(name, "CNAME", f"{target}.")
    assert asyncio.run(seeing.places_of([OWNER], opened(dns))) == {OWNER: place}
    assert not [one for one in dns.asked if one[0] == OWNER], "no cache learns that it is not there"


def test_aliases_in_a_circle_end() -> None:
    dns = world()
    dns.put(OWNER, "CNAME", "x.example.net.")
    dns.put("x.example.net", "CNAME", f"{OWNER}.")
    with pytest.raises(ForUser, match="a circle"):
        asyncio.run(seeing.places_of([OWNER], opened(dns)))


def test_a_zone_that_nobody_finds_is_for_later() -> None:
    with pytest.raises(Later, match="no zone holds it"):
        asyncio.run(seeing.places_of(["_acme-challenge.example.com"], opened(world())))
