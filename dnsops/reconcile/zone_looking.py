"""The first part of the zone's story: which zone each wish lies in, each zone read once, and a plan for it.

Fails by: a `Look` with its error, a zone each; `ForUser` when no zone of the provider holds any of the names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

from dnsops.base.errors import Deliberate, ForUser
from dnsops.plan.difference import Zone, difference
from dnsops.providers.door import Provider
from dnsops.reconcile.zone_target import Look
from dnsops.reconcile.zone_world import World
from dnsops.records.names import longest_suffix
from dnsops.wanted.door import Keeper, Wish

MOST_REFUSALS = 10  # names without a zone, before any with one: then it is the credential


async def look(wishes: Iterable[Wish], world: World, zones: Iterable[str] = ()) -> list[Look]:
    """zones: those that are looked at though nothing is wished there any more; of a zone in there every wish counts."""
    mine = [wish for wish in wishes if wish.keeper is Keeper.ZONE]
    apexes = await asyncio.to_thread(zones_of, [wish.record.name for wish in mine], world.provider)
    by_zone: dict[str, list[Wish]] = {zone: [] for zone in zones}
    for wish in mine:
        by_zone.setdefault(apexes[wish.record.name], []).append(wish)
    looks = [Look(zone, tuple(some)) for zone, some in by_zone.items()]
    return list(await asyncio.gather(*(_planned(one, list(by_zone), world) for one in looks)))


def zones_of(names: Sequence[str], provider: Provider) -> dict[str, str]:
    """The zone of each name; "" where none is held here. Blocks."""
    found: dict[str, str] = {}
    refusals: list[ForUser] = []
    for name in dict.fromkeys(names):
        try:
            found[name] = provider.zone_of(name)
        except ForUser as error:
            found[name] = ""
            refusals.append(error)
        if len(refusals) >= MOST_REFUSALS and len(refusals) == len(found):
            raise refusals[0]
    if refusals and not any(found.values()):
        raise refusals[0]
    return found


async def _planned(one: Look, apexes: Sequence[str], world: World) -> Look:
    if not one.zone:
        names = ", ".join(sorted({wish.record.name for wish in one.wishes})[:5])
        return replace(one, error=ForUser(f"no zone here holds {names}", "", "write those records by hand"))
    try:
        async with world.at_once:
            return await asyncio.to_thread(_read, one, apexes, world)
    except Deliberate as error:
        return replace(one, error=error)


def _read(one: Look, apexes: Sequence[str], world: World) -> Look:
    """A zone below this one is its own: what stands there is not counted here."""
    held = world.provider.read(one.zone, below=True)
    read = Zone(one.zone, tuple(h for h in held if longest_suffix(h.record.name, list(apexes)) == one.zone))
    ledger = world.ledgers.load(one.zone)
    return replace(one, read=read, ledger=ledger, plan=difference(read, one.wishes, ledger, world.limits, world.merge))
