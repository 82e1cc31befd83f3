"""The story's first part: look at every target, and put together those whose records stand at one place.

Tells: calls the resolver, the authorities, the sources and the ports; all targets at once, a bounded number at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from dnsops.base.errors import Deliberate
from dnsops.certs.chain import Chain
from dnsops.reconcile.target import Place, Target
from dnsops.resolve.answer import Consensus, Resolver, Security, Zone
from dnsops.rollover.look import Look, Port, Shown

MOST_ADDRESSES = 16
UNTRUSTED = (Security.BOGUS, Security.FAILED)


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
    places = await asyncio.gather(*(_place(name, group, eyes) for name, group in by_place.items()))
    return [replace(place, look=replace(place.look, elsewhere=_elsewhere(place, sights))) for place in places]


def _elsewhere(place: Place, sights: Iterable[Sight]) -> frozenset[str]:
    """Owner names of this run that surely do not lead to this place."""
    answers = [sight.port.answer for sight in sights]
    return frozenset(
        answer.name for answer in answers if answer.security not in UNTRUSTED and answer.place != place.look.place
    )


async def _sight(target: Target, eyes: Eyes) -> Sight:
    async with eyes.at_once:
        answer, addresses = await asyncio.gather(eyes.resolver.ask(target.owner, "TLSA"), _addresses(target, eyes))
        port = Port(target.host, target.port, answer, probe=target.policy.probe)
        try:
            port = replace(port, shown=await _faces(target, addresses, answer.place, eyes))
            port = replace(port, current=await asyncio.to_thread(_certificates, target))
            chains, keys = await asyncio.to_thread(_announced, target)
        except Deliberate as error:
            return Sight(target, port, error)
        return Sight(target, replace(port, next_chains=chains, next_keys=keys))


def _certificates(target: Target) -> tuple[Chain, ...]:
    """What the sources hold. In a thread: sources read disks and networks."""
    return tuple(source.read(target.host) for source in target.sources)


def _announced(target: Target) -> tuple[tuple[Chain, ...], tuple[bytes, ...]]:
    """The certificates and keys that will be served later."""
    chains = tuple(source.read(target.host) for source in target.next_sources)
    own = target.keys.next(target.host) if target.keys else None
    if own is None:
        return chains, ()
    return ((*chains, own.chain), ()) if own.chain else (chains, (own.spki,))


async def _faces(target: Target, addresses: tuple[Shown, ...], place: str, eyes: Eyes) -> tuple[Shown, ...]:
    """What every address of the host shows; an address that is unknown shows nothing that we could see."""
    thorough = eyes.unsettled(place)
    known = [one.address for one in addresses if not one.error]
    seen = await asyncio.gather(*(eyes.probe(target, address, thorough) for address in known))
    return (*(shown for faces in seen for shown in faces), *(one for one in addresses if one.error))


async def _addresses(target: Target, eyes: Eyes) -> tuple[Shown, ...]:
    """Where to look, and where nobody can, with the reason."""
    if not target.policy.probe:
        return ()
    if target.addresses:
        return _bounded(target.addresses)
    kinds = ("A", "AAAA")
    answers = await asyncio.gather(*(eyes.resolver.ask(target.host, kind) for kind in kinds))
    found = sorted(str(item) for answer in answers for item in answer.items if item.type in kinds)
    doubts = [
        Shown(f"{answer.type} records", error=f"{answer.security.value} {answer.why}".strip())
        for answer in answers
        if answer.security in UNTRUSTED
    ]
    return (*_bounded(found), *doubts)


def _bounded(addresses: Sequence[str]) -> tuple[Shown, ...]:
    beyond = [Shown(address, error="not looked at: too many addresses") for address in addresses[MOST_ADDRESSES:]]
    return (*(Shown(address) for address in addresses[:MOST_ADDRESSES]), *beyond[:1])


async def _place(name: str, group: list[Sight], eyes: Eyes) -> Place:
    """Ask every authoritative server. What a target without its certificate needs is unknown: nothing is removed there."""
    targets = tuple(sight.target for sight in group)
    error = next((sight.error for sight in group if sight.error), None)
    look = Look(name, tuple(sight.port for sight in group), Consensus(), partial=error is not None)
    if any(port.answer.security in UNTRUSTED for port in look.ports):
        return Place(targets, look, "")
    async with eyes.at_once:
        try:
            zone = await eyes.authorities.zone_of(name, look.ports[0].answer.zone)
            consensus = await eyes.authorities.consensus(zone, name, "TLSA")
        except Deliberate as reason:
            return Place(targets, look, "", error or reason)
    return Place(targets, replace(look, consensus=consensus), zone.apex, error)
