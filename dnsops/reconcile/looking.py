"""The story's first part: look at every target, and put together those whose records stand at one place.

Tells: calls the resolver, the authorities, the sources and the ports; all targets at once, a bounded number at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from dnsops.base.errors import Deliberate
from dnsops.certs.chain import Chain
from dnsops.reconcile.target import Place, Source, Target
from dnsops.resolve.answer import Answer, Consensus, Resolver, Security, Zone
from dnsops.rollover.look import Look, Port, Shown

MOST_ADDRESSES = 16


class Authorities(Protocol):
    """Every authoritative server's own word (dnsops/resolve/authority)."""

    async def zone_of(self, name: str, apex: str | None = None) -> Zone: ...

    async def consensus(self, zone: Zone, name: str, type_name: str) -> Consensus: ...


# What an address shows for a target: one chain, or (thorough) one of each kind of key that the server has.
Probe = Callable[[Target, str, bool], Awaitable[tuple[Shown, ...]]]


@dataclass(frozen=True)
class Eyes:
    """What looking needs. unsettled: whether something is under way at a place, so that its ports deserve a closer look."""

    resolver: Resolver
    authorities: Authorities
    probe: Probe
    unsettled: Callable[[str], bool]
    at_once: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(64))


@dataclass(frozen=True)
class Sight:
    """One target and what was seen of it, or why nothing was."""

    target: Target
    port: Port
    error: Deliberate | None = None


async def look_at(targets: Iterable[Target], eyes: Eyes) -> list[Place]:
    """Everything there is to see, by place, in the order of the targets."""
    sights = await asyncio.gather(*(_sight(target, eyes) for target in targets))
    by_place: dict[str, list[Sight]] = {}
    for sight in sights:
        by_place.setdefault(sight.port.answer.place, []).append(sight)
    return await asyncio.gather(*(_place(name, group, eyes) for name, group in by_place.items()))


async def _sight(target: Target, eyes: Eyes) -> Sight:
    async with eyes.at_once:
        answer = await eyes.resolver.ask(target.owner, "TLSA")
        port = Port(target.host, target.port, answer)
        try:
            current, upcoming = await asyncio.to_thread(_certificates, target)
        except Deliberate as error:
            return Sight(target, port, error)
        shown = await _faces(target, answer.place, eyes) if target.policy.probe else ()
        chains, keys = upcoming
        return Sight(
            target, Port(target.host, target.port, answer, tuple(current), tuple(keys), tuple(chains), tuple(shown))
        )


def _certificates(target: Target) -> tuple[list[Chain], tuple[list[Chain], list[bytes]]]:
    """What the sources hold, and the announced certificates and keys. In a thread: sources read disks and networks."""
    chains, keys = _read(target.next_sources, target.host), []
    own = target.keys.next(target.host) if target.keys else None
    if own and own.chain:
        chains.append(own.chain)
    elif own:
        keys.append(own.spki)
    return _read(target.sources, target.host), (chains, keys)


def _read(sources: tuple[Source, ...], host: str) -> list[Chain]:
    return [source.read(host) for source in sources]


async def _faces(target: Target, place: str, eyes: Eyes) -> list[Shown]:
    """What every address of the host shows."""
    addresses = target.addresses or await _addresses(target.host, eyes.resolver)
    thorough = eyes.unsettled(place)
    seen = await asyncio.gather(*(eyes.probe(target, address, thorough) for address in addresses[:MOST_ADDRESSES]))
    return [shown for faces in seen for shown in faces]


async def _addresses(host: str, resolver: Resolver) -> tuple[str, ...]:
    answers: tuple[Answer, ...] = await asyncio.gather(resolver.ask(host, "A"), resolver.ask(host, "AAAA"))
    return tuple(sorted(str(item) for answer in answers for item in answer.items if item.type in ("A", "AAAA")))


async def _place(name: str, group: list[Sight], eyes: Eyes) -> Place:
    """Ask every authoritative server; a target without its certificate stops the whole place, for its key may need a record."""
    targets = tuple(sight.target for sight in group)
    ports = tuple(sight.port for sight in group)
    error = next((sight.error for sight in group if sight.error), None)
    if any(port.answer.security in (Security.BOGUS, Security.FAILED) for port in ports):
        return Place(targets, Look(name, ports, Consensus()), "")
    async with eyes.at_once:
        try:
            zone = await eyes.authorities.zone_of(name, ports[0].answer.zone)
            consensus = await eyes.authorities.consensus(zone, name, "TLSA")
        except Deliberate as reason:
            return Place(targets, Look(name, ports, Consensus()), "", error or reason)
    return Place(targets, Look(name, ports, consensus), zone.apex, error)
