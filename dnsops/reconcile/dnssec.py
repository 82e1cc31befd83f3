"""DNSSEC care, the story: find the zones, ask parent and every server, look twice at who seems behind. Only looks.

    async with outside_resolver as asking, Authorities(asking) as authorities:
        facts = await look("example.org", [("_25._tcp.mx1.example.org", "TLSA")], asking, authorities)

A zone that does not validate is looked at all the same: its servers are then those that its parent names.
Standards: RFC 4035 (what a server gives along), RFC 1996 (a secondary needs a moment after a change).
Fails by values: whoever is silent is in the `Facts` with the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias, TypeVar

from dnsops.base.errors import ForUser
from dnsops.dnssec.facts import Cover, Facts, Place, View
from dnsops.records.dnssec import Ds, Key, Nsec3, Signature, ahead, serial_of
from dnsops.records.names import longest_suffix
from dnsops.records.rdata import Rdata
from dnsops.resolve.answer import Answer, Resolver, Sealed, Security, Server, Told, Zone
from dnsops.resolve.authority import Authorities, find_apex

SECOND_LOOK = 5.0  # seconds: a secondary that was told has fetched the zone by then
SIGNED = ("SOA", "DNSKEY", "NS", "MX")  # at the apex; other places are named by who asks
BESIDE = ("NSEC3PARAM", "CDS", "CDNSKEY")

T = TypeVar("T")
Parents: TypeAlias = tuple[tuple[Server, frozenset[Ds] | None], ...]


async def zones_of(names: Iterable[str], resolver: Resolver) -> dict[str, list[str]]:
    """The zones that hold these names, each with the names. One that does not validate is where its shortest name stands."""
    found: dict[str, list[str]] = {}
    for name in sorted(set(names), key=lambda one: one.count(".")):
        apex = await find_apex(resolver, name)
        if isinstance(apex, Zone):
            apex = longest_suffix(name, list(found)) or name
        found.setdefault(apex, []).append(name)
    return found


async def look(
    apex: str, places: Sequence[Place], resolver: Resolver, authorities: Authorities, pause: float = SECOND_LOOK
) -> Facts:
    """Everything about one zone. places: further RRsets in it whose signatures count. pause: seconds to a second look."""
    soa = await resolver.ask(apex, "SOA")
    parent = await _parent(apex, resolver, authorities)
    zone = await _zone(apex, soa, parent, authorities)
    facts = Facts(
        apex,
        soa.security,
        soa.why,
        why_no_servers=zone.why,
        why_no_parent=parent.why if parent else "",
        refused=await _refused(places, resolver),
    )
    if parent and parent.servers:
        facts = replace(facts, parents=await _delegation(parent, apex, authorities))
    views = await _views(zone, [*((apex, kind) for kind in SIGNED), *places], authorities)
    behind = _behind(views)
    if behind:
        await asyncio.sleep(pause)
        later = await _serials(zone, authorities)
        behind = frozenset(address for address in behind if later.get(address) == _serial_at(views, address))
    return replace(facts, views=views, lagging=behind)


async def _refused(places: Sequence[Place], resolver: Resolver) -> tuple[tuple[Place, str], ...]:
    """Those of the places that are bogus, and why."""
    answers = await asyncio.gather(*(resolver.ask(*place) for place in places))
    pairs = zip(places, answers, strict=True)
    return tuple((place, answer.why) for place, answer in pairs if answer.security is Security.BOGUS)


async def _parent(apex: str, resolver: Resolver, authorities: Authorities) -> Zone | None:
    """The zone above; None for the root."""
    return await authorities.zone_of(apex.partition(".")[2]) if apex else None


async def _zone(apex: str, soa: Answer, parent: Zone | None, authorities: Authorities) -> Zone:
    """The zone's servers: by the resolver, or by the parent's word where nothing is proven."""
    if soa.security in (Security.SECURE, Security.INSECURE) or parent is None or not parent.servers:
        return await authorities.zone_of(apex, apex)
    return await authorities.delegated(parent, apex)


async def _delegation(parent: Zone, apex: str, authorities: Authorities) -> Parents:
    """What each of the parent's servers says about the zone's DS."""
    consensus = await authorities.consensus(parent, apex, "DS")
    return tuple((told.server, _delegated(told)) for told in consensus.told)


def _delegated(told: Told) -> frozenset[Ds] | None:
    try:
        return None if told.items is None else _all(told, Ds.of)
    except ForUser:  # as good as silent: what it says means nothing
        return None


async def _views(zone: Zone, places: Sequence[Place], authorities: Authorities) -> tuple[View, ...]:
    """Each server's word on everything; one that is silent about a question is silent."""
    asked = [*dict.fromkeys(places), *((zone.apex, kind) for kind in BESIDE)]
    columns = await asyncio.gather(*(authorities.sealed(zone, name, kind) for name, kind in asked))
    return tuple(_view(dict(zip(asked, row, strict=True)), zone.apex) for row in zip(*columns, strict=True))


def _view(said: dict[Place, Sealed], apex: str) -> View:
    """One server's answers as a view."""
    first = said[apex, "SOA"].told
    silent = next((one.told for place, one in said.items() if one.told.items is None and place[0] == apex), None)
    if silent is not None:
        return View(first.server, silent.why or "no answer", silent.unreachable)
    try:
        return _heard(first.server, said, apex)
    except ForUser as error:
        return View(first.server, f"it shows what cannot be read ({error.what})")


def _heard(server: Server, said: dict[Place, Sealed], apex: str) -> View:
    first = said[apex, "SOA"].told
    return View(
        server,
        serial=next((serial_of(soa) for soa in first.items or ()), None),
        keys=_all(said[apex, "DNSKEY"].told, Key.of),
        covers=tuple(_cover(place, one) for place, one in said.items() if place[1] not in BESIDE),
        nsec3=tuple(_all(said[apex, "NSEC3PARAM"].told, Nsec3.of)),
        cds=_all(said[apex, "CDS"].told, Ds.of),
        cdnskey=_all(said[apex, "CDNSKEY"].told, Key.of),
    )


def _cover(place: Place, one: Sealed) -> Cover:
    return Cover(place, bool(one.told.items), one.told.ttl, tuple(map(Signature.of, one.signatures)))


def _all(told: Told, of: Callable[[Rdata], T]) -> frozenset[T]:
    return frozenset(map(of, told.items or ()))


def _behind(views: Iterable[View]) -> frozenset[str]:
    """Addresses whose serial another one is ahead of."""
    known = {view.server.address: view.serial for view in views if view.heard and view.serial is not None}
    return frozenset(
        address for address, serial in known.items() if any(ahead(other, serial) for other in known.values())
    )


async def _serials(zone: Zone, authorities: Authorities) -> dict[str, int]:
    consensus = await authorities.consensus(zone, zone.apex, "SOA")
    return {told.server.address: serial_of(soa) for told in consensus.told for soa in told.items or ()}


def _serial_at(views: Iterable[View], address: str) -> int | None:
    return next((view.serial for view in views if view.server.address == address), None)
