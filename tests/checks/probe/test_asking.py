"""Bogus answers come, and say that they are bogus: from a resolver beside us, and from our own library."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from checks.facts import Lookup, Question
from checks.probe.asking import Own, Stub, text
from dnsops.records import rdata
from dnsops.resolve import libunbound
from dnsops.resolve.answer import Security
from dnsops.resolve.line import Patience
from dnsops.resolve.validator import Validator
from tests.lab.network import RESOLVER

if TYPE_CHECKING:
    from tests.lab.dnstree import DnsTree

pytestmark = pytest.mark.lab

ZONES = {
    "example.org": Security.SECURE,
    "unsigned.org": Security.INSECURE,
    "bogus.org": Security.BOGUS,
    "expired.org": Security.BOGUS,
    "missig.org": Security.BOGUS,
}


def now() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


async def by_stub(question: Question) -> Lookup:
    async with Stub(RESOLVER, now) as stub:
        return await stub.look(question)


async def by_library(question: Question) -> Lookup:
    async with Validator() as validator:
        return await Own(validator, now).look(question)


WAYS = pytest.mark.parametrize(
    "look",
    [
        by_stub,
        pytest.param(
            by_library, marks=pytest.mark.skipif(libunbound.load() is None, reason="libunbound8 is not installed")
        ),
    ],
)


@WAYS
@pytest.mark.parametrize("zone", ZONES)
def test_the_state_of_proof_is_told_and_the_data_comes_anyway(dnstree: DnsTree, zone: str, look: object) -> None:
    found = asyncio.run(look(Question(f"_25._tcp.mx1.{zone}", "TLSA", accurate=True)))  # type: ignore[operator]
    assert (found.security, found.rcode, len(found.records)) == (ZONES[zone], "NOERROR", 1)
    assert found.evidence.lines
    assert bool(found.why) is (found.security is Security.BOGUS)


@WAYS
def test_no_data_and_no_name_are_told_apart(dnstree: DnsTree, look: object) -> None:
    nothing = asyncio.run(look(Question("example.org", "TLSA")))  # type: ignore[operator]
    nobody = asyncio.run(look(Question("nobody.example.org", "A")))  # type: ignore[operator]
    assert (nothing.rcode, nothing.records, nothing.answered) == ("NOERROR", (), True)
    assert (nobody.rcode, nobody.security) == ("NXDOMAIN", Security.SECURE)


def test_a_resolver_that_is_not_there_is_a_value(lab: object) -> None:
    async def story() -> Lookup:
        async with Stub("127.0.0.254", now, port=9, patience=Patience(udp=(0.2,), tcp=0.2)) as stub:
            return await stub.look(Question("example.org", "A"))

    found = asyncio.run(story())
    assert (found.rcode, found.security, found.answered) == ("", Security.FAILED, False)
    assert "127.0.0.254" in found.why


@pytest.mark.parametrize("name", ["a..b", "x" * 64, "\\000.example.org", "é" * 70])
def test_what_is_no_name_is_not_asked(lab: object, name: str) -> None:
    assert not asyncio.run(by_stub(Question(name, "A"))).answered


@pytest.mark.parametrize(
    "written, shown",
    [
        ('"v=spf1 " "-all"', "v=spf1 -all"),
        (r'"a\"b\\c"', r"a\"b\\c"),
        (r'"\000\195\164~"', r"\000\195\164~"),
    ],
)
def test_the_strings_of_a_text_are_joined_and_escaped(written: str, shown: str) -> None:
    assert text(rdata.parse("TXT", written)) == shown
