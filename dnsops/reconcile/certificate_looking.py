"""The first part of a certificate's story: what we have, and which of the names can be proven.

With dns-01 a name can be proven when a zone that we may write holds its challenge, wherever an alias leads it; whether the
name has an address does not matter. Otherwise it must lead to the addresses that the host's own name has.
A name that cannot be proven is left out and told: it never holds up the others.
Fails by: `Later` when the DNS gives no answer that can be trusted, for then a name might be left out by mistake.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from dnsops.base.errors import ForUser, Later
from dnsops.reconcile.certificate_names import MOST
from dnsops.reconcile.certificate_target import Target
from dnsops.reconcile.certificate_world import World
from dnsops.resolve.answer import Security
from dnsops.rollover.certificate import Look
from dnsops.rollover.look import Finding

UNTRUSTED = (Security.BOGUS, Security.FAILED)


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


async def _unprovable(names: Iterable[str], target: Target, world: World) -> dict[str, Finding]:
    """Each name that cannot be proven, and why."""
    by_dns = target.challenge == "dns-01"
    ours = frozenset() if by_dns else await _addresses(target.host, world)
    reasons = {
        name: await (_no_zone(name, target, world) if by_dns else _elsewhere(name, ours, world)) for name in names
    }
    advice = "the certificate is issued without it" + ("" if by_dns else "; with `dns` configured it could have it")
    return {name: Finding(f"{name}: {why}", advice, trouble=False) for name, why in reasons.items() if why}


async def _no_zone(name: str, target: Target, world: World) -> str:
    """Why no challenge can be written for a name; "" when one can."""
    if target.provider is None:
        return ""
    answer = await world.resolver.ask(f"_acme-challenge.{name.removeprefix('*.')}", "TXT")
    if answer.security in UNTRUSTED:
        raise Later(f"{answer.name} TXT: {answer.security.value} {answer.why}".strip())
    try:
        await asyncio.to_thread(target.provider().read, answer.canonical or answer.name, "TXT")
    except ForUser as error:
        return error.what
    return ""


async def _elsewhere(name: str, ours: frozenset[str], world: World) -> str:
    """Why the authority would not find us at a name; "" when it would."""
    if name.startswith("*."):
        return "a wildcard can only be proven by DNS"
    theirs = await _addresses(name, world)
    if not theirs:
        return "it has no address"
    return "" if theirs <= ours else f"it leads elsewhere, to {', '.join(sorted(theirs - ours))}"


async def _addresses(name: str, world: World) -> frozenset[str]:
    answers = await asyncio.gather(*(world.resolver.ask(name, kind) for kind in ("A", "AAAA")))
    for answer in answers:
        if answer.security in UNTRUSTED:
            raise Later(f"{answer.name} {answer.type}: {answer.security.value} {answer.why}".strip())
    return frozenset(str(item) for answer in answers for item in answer.items if item.type in ("A", "AAAA"))
