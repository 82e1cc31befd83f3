"""Looking at a zone whose servers say what they like: nothing that they say ends the look."""

from __future__ import annotations

import asyncio

import dns.message
import dns.rdatatype
import pytest

from dnsops.dnssec.facts import Facts
from dnsops.reconcile.dnssec import look, zones_of
from dnsops.resolve.answer import Security
from dnsops.resolve.authority import Authorities
from dnsops.resolve.line import Patience
from dnsops.resolve.memory import MemoryDns
from tests.dnsops.resolve.stub import Stub, answer

SERVER = "127.0.0.1"
SOA = "example.org. 60 SOA ns.example.org. h.example.org. 7 1 1 1 1"
REFERRAL = ("example.org. 60 NS ns.example.org.", "example.org. 60 NS elsewhere.example.net.")


def tree(security: Security) -> MemoryDns:
    memory = MemoryDns({"": Security.SECURE, "org": Security.SECURE, "example.org": Security.SECURE})
    for apex in ("", "org", "example.org"):
        memory.put(apex or ".", "SOA", "n. h. 1 2 3 4 5")
        memory.put(apex or ".", "NS", "ns.example.org.")
    memory.put("ns.example.org", "A", SERVER)
    if security is not Security.SECURE:
        memory.verdict("example.org", security, "forged")
        memory.verdict("ns.example.org", Security.SECURE)
    return memory


def looked(said: dict[str, tuple[str, ...]], security: Security = Security.SECURE) -> Facts:
    """What is seen when the one server answers each type with these records."""

    def reply(query: dns.message.Message) -> list[bytes]:
        return [answer(query, *said.get(dns.rdatatype.to_text(query.question[0].rdtype), ()))]

    async def story() -> Facts:
        memory = tree(security)
        async with Stub(reply) as stub:
            async with Authorities(memory, Patience((0.2,), 0.2), stub.port) as authorities:
                return await look("example.org", [("example.org", "TLSA")], memory, authorities, pause=0)

    return asyncio.run(story())


@pytest.mark.parametrize(
    "said, words",
    [
        ({"SOA": (SOA,)}, ""),
        ({"SOA": (SOA,), "DNSKEY": (r"example.org. 60 DNSKEY \# 4 00000000",)}, "it shows what cannot be read"),
        ({"SOA": (SOA,), "DNSKEY": ("example.org. 60 CNAME elsewhere.example.",)}, "it shows an alias"),
        ({"SOA": (SOA,), "CDS": ("example.org. 60 CDS 0 0 0 00",)}, ""),
    ],
)
def test_whatever_a_server_says_is_a_view(said: dict[str, tuple[str, ...]], words: str) -> None:
    [view] = looked(said).views
    assert words in view.why
    assert bool(view.why) is bool(words)


def test_a_parent_that_cannot_be_read_is_silent() -> None:
    facts = looked({"SOA": (SOA,), "DS": ("example.org. 60 CNAME elsewhere.example.",)})
    assert facts.ds is None
    assert [found for _, found in facts.parents] == [None]


def test_a_bogus_zone_is_looked_at_where_its_parent_says() -> None:
    facts = looked({"SOA": (SOA,), "NS": REFERRAL}, Security.BOGUS)
    assert (facts.security, facts.why) == (Security.BOGUS, "forged")
    assert [(view.server.name, view.serial) for view in facts.views if view.heard] == [("ns.example.org", 7)]
    assert facts.refused == ((("example.org", "TLSA"), "forged"),)


def test_names_are_gathered_by_zone() -> None:
    found = asyncio.run(zones_of(["mx.example.org", "example.org", "mx.example.org"], tree(Security.SECURE)))
    assert found == {"example.org": ["example.org", "mx.example.org"]}
    bogus = asyncio.run(zones_of(["mx.example.org", "example.org"], tree(Security.BOGUS)))
    assert bogus == {"example.org": ["example.org", "mx.example.org"]}
