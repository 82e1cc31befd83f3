"""The first part of DKIM's story: what the validating resolver and every authoritative server say of each selector."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from dnsops.base.errors import Deliberate
from dnsops.reconcile.dkim_world import World
from dnsops.records.txt.dkim import owner
from dnsops.rollover.dkim_look import LONGEST_NEGATIVE, Look, Sight


async def look_at(domain: str, selectors: Iterable[str], world: World) -> Look:
    """Everything there is to see for these selectors of a domain, all at once."""
    sights = await asyncio.gather(*(_sight(domain, name, world) for name in dict.fromkeys(selectors)))
    try:
        seen = tuple(await asyncio.gather(*(_with_servers(sight, world) for sight in sights)))
    except Deliberate as error:
        return Look(domain, tuple(sights), blind=str(error))
    zones = dict.fromkeys(sight.zone for sight in seen if sight.zone)
    negative = await asyncio.gather(*(_negative_ttl(zone, world) for zone in zones))
    return Look(domain, seen, max(negative, default=0))


async def _sight(domain: str, selector: str, world: World) -> Sight:
    async with world.at_once:
        return Sight(selector, await world.resolver.ask(owner(selector, domain), "TXT"))


async def _with_servers(sight: Sight, world: World) -> Sight:
    """Every authoritative server's own word; nobody is asked about an answer that is forged."""
    if not sight.trusted:
        return sight
    async with world.at_once:
        zone = await world.authorities.zone_of(sight.place, sight.answer.zone)
        consensus = await world.authorities.consensus(zone, sight.place, "TXT")
    return replace(sight, consensus=consensus, zone=zone.apex if zone.servers else "")


async def _negative_ttl(zone: str, world: World) -> int:
    """How long resolvers keep "there is no such name" of this zone (RFC 2308 5); the longest when nobody can say."""
    answer = await world.resolver.ask(zone, "SOA")
    minima = [int(str(item).split()[-1]) for item in answer.items if item.type == "SOA"]
    return max(minima, default=LONGEST_NEGATIVE)
