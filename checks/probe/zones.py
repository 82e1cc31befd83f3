"""The zones that a domain and its mail hosts stand in: every server's serial, keys and signatures, and the parent's DS.

    zones = Zones(dns)
    seen = await zones.of(["example.org", "mx.example.net"], [("_25._tcp.mx.example.net", "TLSA")])

The looking is that of `mailsrv dns dnssec`, through the resolver of the checks. A zone that was looked at within KEPT seconds is not
looked at again, so that a run over many domains asks the servers of a common mail host once.
Limits: MOST zones of a domain; those of `dnsops.resolve.authority`. Fails by values: who is silent is in the facts, with the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from checks.probe.answers import Answers
from checks.probe.asking import PATIENCE, Asker
from checks.probe.book import Book
from checks.probe.lately import Lately
from dnsops.dnssec.facts import Facts as Zone
from dnsops.dnssec.facts import Place
from dnsops.reconcile.dnssec import look, zones_of
from dnsops.records.names import longest_suffix
from dnsops.resolve.authority import Authorities

KEPT = 200.0  # seconds
MOST = 12
MOST_KEPT = 300
AT_ONCE = 8  # zones


class Zones:
    """Zones, and what was seen of them lately."""

    def __init__(self, dns: Asker) -> None:
        self._dns, self._room = dns, asyncio.Semaphore(AT_ONCE)
        self._seen = Lately[Zone](KEPT, MOST_KEPT)

    async def of(self, names: Sequence[str], places: Sequence[Place]) -> tuple[Zone, ...]:
        """The zones of these names, by their apexes. places: RRsets in them whose signatures count."""
        async with Book(self._dns) as book:
            apexes = sorted(await zones_of(names, Answers(book, accurate=True)))[:MOST]
        own = {apex: tuple(place for place in places if longest_suffix(place[0], apexes) == apex) for apex in apexes}
        looks = (self._seen.get(f"{apex} {own[apex]}", partial(self._look, apex, own[apex])) for apex in apexes)
        return tuple(await asyncio.gather(*looks))

    async def _look(self, apex: str, places: tuple[Place, ...]) -> Zone:
        async with self._room, Book(self._dns) as book:
            asking = Answers(book, accurate=True)
            async with Authorities(asking, PATIENCE) as authorities:
                return await look(apex, places, asking, authorities)
