"""A zone's story with every provider: memory, a file, Cloudflare, knot, BIND. The second plan is empty, and undo leads back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dnsops.base.errors import Exit
from dnsops.base.log import Log
from dnsops.base.moment import Moment
from dnsops.plan.door import Step
from dnsops.plan.safety import Limits
from dnsops.reconcile import zone
from dnsops.reconcile.zone_files import Ledgers, WaysBack, read_saved
from dnsops.reconcile.zone_report import status
from dnsops.reconcile.zone_world import Eyes, World
from dnsops.records.rdata import parse
from dnsops.resolve.answer import Security
from dnsops.resolve.memory import MemoryDns
from tests.dnsops.plan.words import wish
from tests.dnsops.providers.places import ZONE, Place
from tests.dnsops.reconcile.test_zone import NOON

FIRST = [
    wish("@ MX 10 mx.example.org. ttl=600"),  # a stranger's, and adopted
    wish("mx A 192.0.2.25"),
    wish("@ TXT v=spf1 mx ip4:192.0.2.26 -all"),
    wish("_dmarc TXT v=DMARC1; p=reject; rua=mailto:postmaster@example.org"),
    wish("mail CNAME mx.example.org."),
    wish("_imap._tcp SRV 0 0 0 .", alone=True),
    wish('@ CAA 0 issue "ca.example; validationmethods=dns-01"'),
    wish("a A 192.0.2.1"),
    wish("a A 192.0.2.2"),
    wish("sel TXT " + "v=other; p=" + "A/b+" * 100),
]
THEN = [
    *FIRST[:2],
    wish("@ TXT v=spf1 mx ip4:192.0.2.27 -all"),
    wish("_dmarc TXT v=DMARC1; p=quarantine"),
    wish("mail A 192.0.2.25"),
    wish("mail AAAA 2001:db8::25"),
    wish("_imap._tcp SRV 0 1 143 mx.example.org."),
    wish("a A 192.0.2.1 ttl=900"),
    wish("a A 192.0.2.2 ttl=900"),
    wish("b MX 0 .", alone=True),
]


@pytest.fixture
def world(place: Place, tmp_path: Path) -> World:
    @asynccontextmanager
    async def eyes() -> AsyncIterator[Eyes]:
        dns = MemoryDns({ZONE: Security.SECURE})
        for name, kind, _ in place.facts():
            dns.hold(name, kind, frozenset(parse(kind, text) for n, k, text in place.facts() if (n, k) == (name, kind)))
        yield Eyes(dns, dns)

    async def no_sleep(seconds: float) -> None:
        return

    ledgers, ways = Ledgers(tmp_path / "dns"), WaysBack(tmp_path / "dns")
    now = Moment(NOON, "boot", 0.0)
    return World(place.provider, ledgers, ways, eyes, lambda: now, Log(quiet=True), Limits(), sleep=no_sleep)


def test_apply_plan_change_undo(place: Place, world: World) -> None:
    reached = []
    for wishes in (FIRST, THEN):
        done = asyncio.run(zone.apply(wishes, world, zones=[ZONE]))
        assert status(done, False) is Exit.OK, done[0].findings or done[0].error
        again = asyncio.run(zone.plan(wishes, world, [ZONE]))
        assert again[0].plan
        assert [item for item in again[0].plan.items if item.step is not Step.KEEP] == []
        reached.append(place.facts())
    back = asyncio.run(zone.undo(read_saved(world.ways_back.newest()), world))
    assert status(back, False) is Exit.OK, back[0].findings or back[0].error
    assert place.facts() == reached[0]
