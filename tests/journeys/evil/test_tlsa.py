"""S-DNS-06: TLSA records of every odd kind and number, proven by libunbound, and the policy that comes of them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from dnsops.base.errors import Later
from dnsops.resolve import libunbound
from dnsops.resolve.answer import Resolver
from dnsops.resolve.validator import Validator
from mailsrv.transport.dane import MOST_RECORDS
from mailsrv.transport.host import Host
from mailsrv.transport.noting import Notes
from mailsrv.transport.policies import Policed
from mailsrv.transport.policy import Policy
from tests.journeys.evil.names import lying, truncated
from tests.journeys.evil.signed import signed
from tests.lab.network import MX

if TYPE_CHECKING:
    from tests.lab.dnstree import DnsTree

pytestmark = pytest.mark.skipif(libunbound.load() is None, reason="libunbound8 is not installed")
OWNER, DIGEST = "_25._tcp.mx1.{}", b"\xcd" * 32
RIGHT = b"\x03\x01\x01" + b"\xab" * 32


async def policy(resolver: Resolver, domain: str, proven: bool = True) -> Policy:
    host = Host(f"mx1.{domain}", (MX,), 25, f"mx1.{domain}", proven)
    return await Policed(resolver, None, Notes(lambda: datetime.now(UTC))).policy(domain, host, proven)


def under(*records: bytes) -> Policy:
    """With just these, proven."""

    async def story() -> Policy:
        said, anchor = signed("example.net", (OWNER.format("example.net"), "TLSA", records))
        async with lying(truncated, said, anchor=anchor) as (resolver, _):
            return await policy(resolver, "example.net")

    return asyncio.run(story())


def many(count: int) -> list[bytes]:
    return [b"\x03\x01\x01" + number.to_bytes(32, "big") for number in range(count)]


@pytest.mark.parametrize(
    "records, name, usable",
    [
        ([RIGHT], "dane", 1),
        ([b"\0\1\1" + DIGEST], "encrypt", 0),  # RFC 7672 3.1.3: not for mail
        ([b"\1\0\1" + DIGEST], "encrypt", 0),
        ([b"\x09\1\1" + DIGEST], "encrypt", 0),
        ([b"\3\7\1" + DIGEST], "encrypt", 0),
        ([b"\3\1\x09" + DIGEST], "encrypt", 0),
        ([b"\3\1\1\xcd"], "encrypt", 0),
        ([b"\3\1\0\x30"], "encrypt", 0),
        ([b"\3\1\1"], "encrypt", 0),
        ([b"\3\1\0" + b"\x30" * 60_000], "encrypt", 0),
        ([RIGHT, b"\3\1\x09" + DIGEST, b"\1\1\1" + DIGEST, b"\3\1\1\xcd", b"\3\1\1"], "dane", 1),
        (many(800), "dane", MOST_RECORDS),  # libunbound validates no RRset whose canonical form is more than 64 KiB
    ],
    ids=["right", "0", "1", "9", "selector 7", "matching 9", "short", "no key", "empty", "60 kB", "one of five", "800"],
)  # fmt: skip
def test_s_dns_06_what_records_ask_for(records: list[bytes], name: str, usable: int) -> None:
    """RFC 7672 2.2: with records of which none can be used it is TLS with anyone, and never without."""
    found = under(*records)
    assert (found.name, len(found.tlsa), found.may_be_plain) == (name, usable, False)


@pytest.mark.parametrize(
    "records, words", [(many(1001), "more than 1000 records"), ([b"\3\1"], "fewer than three bytes"), ([b"\3\1", RIGHT], "fewer")]
)  # fmt: skip
def test_s_dns_06_what_cannot_be_read_is_later_and_never_none(records: list[bytes], words: str) -> None:
    with pytest.raises(Later, match=words):
        under(*records)


def on_the_tree(domain: str, proven: bool = True) -> Policy:
    async def story() -> Policy:
        async with Validator() as resolver:
            return await policy(resolver, domain, proven)

    return asyncio.run(story())


@pytest.mark.lab
@pytest.mark.parametrize("domain", ["bogus.org", "missig.org"])
def test_s_dns_06_a_forged_denial_is_no_denial(domain: str, dnstree: DnsTree) -> None:
    with pytest.raises(Later):
        on_the_tree(domain)


@pytest.mark.lab
def test_s_dns_06_proven_to_have_none_is_none(clean_zone: DnsTree) -> None:
    clean_zone.replace(OWNER.format("example.org"), "TLSA")
    assert on_the_tree("example.org").name == "opportunistic"


@pytest.mark.lab
def test_s_dns_06_of_an_unsigned_zone_nothing_is_believed(dnstree: DnsTree) -> None:
    assert on_the_tree("unsigned.org", proven=False).name == "opportunistic"
