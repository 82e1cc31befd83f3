"""The first part of a certificate's story: what we have, and which of the names can be proven.

With dns-01 a name can be proven when a zone that we may write holds its challenge, wherever an alias leads it; whether the
name has an address does not matter. Otherwise it must lead to the addresses that the host's own name has.
A name that cannot be proven is left out and told: it never holds up the others.
A name whose zone is broken now is among them; it is ordered again when it is well.
Fails by: `Later` and `ForUser` for the host's own name, without which there is nothing to order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from dnsops.base.errors import ForUser, Later
from dnsops.providers.door import Provider
from dnsops.reconcile.certificate_names import MOST
from dnsops.reconcile.certificate_target import Target
from dnsops.reconcile.certificate_world import World
from dnsops.resolve.answer import Answer, Security
from dnsops.rollover.certificate import Look
from dnsops.rollover.look import Finding


async def look_at(target: Target, world: World) -> tuple[Look, tuple[Finding, ...]]:
    """What there is. Names that the latest certificate has need no proof now; of the others those that we can prove."""
    look = await asyncio.to_thread(_on_disk, target, world)
    latest = look.latest
    fresh = [name for name in target.names[1:] if latest is None or not latest.covers(name)]
    findings = await _unprovable(fresh, target, world) if latest else {}
    kept = tuple(name for name in target.names if name not in findings)[:MOST]
    return Look(look.host, kept, look.current, look.next, served=look.served), tuple(findings.values())


async def prove(target: Target, world: World) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """The names to order, the host first, and what is left out."""
    findings = await _unprovable(target.names[1:], target, world)
    able = tuple(name for name in target.names if name not in findings)
    found = list(findings.values())
    if len(able) > MOST:
        what = (
            f"the certificate of {target.host} is for {MOST} names: {len(able) - MOST} are left out, {able[MOST]} first"
        )
        found.append(Finding(what, "name a wildcard in acme.names, which stands for all names of a domain"))
    return able[:MOST], tuple(found)


def _on_disk(target: Target, world: World) -> Look:
    current, upcoming = world.keys.current(target.host), world.keys.next(target.host)
    return Look(
        target.host,
        target.names,
        current.chain if current else None,
        upcoming.chain if upcoming else None,
        served=current is not None,
    )


async def _unprovable(names: Sequence[str], target: Target, world: World) -> dict[str, Finding]:
    """Each name that cannot be proven, and why. What is wrong with the host itself is raised: it is not about a name."""
    by_dns = target.challenge == "dns-01"
    reasons = await (_without_zone if by_dns else _elsewhere)(names, target, world) if names else {}
    advice = "the certificate is issued without it" + ("" if by_dns else "; with `dns` configured it could have it")
    return {name: Finding(f"{name}: {why}", advice, trouble=False) for name, why in reasons.items() if why}


async def _without_zone(names: Sequence[str], target: Target, world: World) -> dict[str, str]:
    """Why no challenge can be written for a name; "" when one can. Each zone is looked for once."""
    if target.provider is None:
        return {}
    provider = target.provider()
    seen = {await _zone(target.host, world): ""}
    await asyncio.to_thread(provider.read, next(iter(seen)))
    reasons = {}
    for name in names:
        try:
            zone = await _zone(name, world)
            if zone not in seen:
                seen[zone] = await asyncio.to_thread(_refusal, provider, zone)
            reasons[name] = seen[zone]
        except Later as error:
            reasons[name] = error.reason
    return reasons


async def _zone(name: str, world: World) -> str:
    """The zone where the challenge of a name would stand, wherever an alias leads it; that place, where nobody knows."""
    answer = await world.resolver.ask(f"_acme-challenge.{name.removeprefix('*.')}", "TXT")
    return _trusted(answer).zone or answer.canonical or answer.name


def _refusal(provider: Provider, zone: str) -> str:
    """Why the provider does not hold a zone; "" when it does."""
    try:
        provider.read(zone)
    except ForUser as error:
        return error.what
    return ""


async def _elsewhere(names: Sequence[str], target: Target, world: World) -> dict[str, str]:
    """Why the authority would not find us at a name; "" when it would."""
    ours = await _addresses(target.host, world)
    return {name: await _other_place(name, ours, world) for name in names}


async def _other_place(name: str, ours: frozenset[str], world: World) -> str:
    if name.startswith("*."):
        return "a wildcard can only be proven by DNS"
    try:
        theirs = await _addresses(name, world)
    except Later as error:
        return error.reason
    if not theirs:
        return "it has no address"
    return "" if theirs <= ours else f"it leads elsewhere, to {', '.join(sorted(theirs - ours))}"


async def _addresses(name: str, world: World) -> frozenset[str]:
    answers = [
        _trusted(answer) for answer in await asyncio.gather(*(world.resolver.ask(name, k) for k in ("A", "AAAA")))
    ]
    return frozenset(str(item) for answer in answers for item in answer.items if item.type in ("A", "AAAA"))


def _trusted(answer: Answer) -> Answer:
    if answer.security in (Security.BOGUS, Security.FAILED):
        raise Later(f"{answer.name} {answer.type}: {answer.security.value} {answer.why}".strip())
    return answer
