"""Where a challenge record belongs, and whether everybody sees it: asked of each authoritative server, then of a resolver.

    places = await places_of(["_acme-challenge.example.org"], open_world)
    await seen({"_acme-challenge.example.org": {"text", ...}}, open_world, sleep)

Aliases are looked up at the authoritative servers themselves, so that no cache learns "there is no such name" just before
there is (RFC 2308); and each look at the validating resolver opens a new one, which remembers nothing. One that stands before a
shared cache may still be told an old answer: that is waited for as long as the zone lets old answers live, and when that is
more than LONGEST, its old answer is told and no more waited for - every server shows the record, and nothing is forged.
Standards: RFC 8555 8.4 (dns-01, aliases), RFC 2308 5 (negative TTL). Fails by: `Later` when patience ends, with who does not show it.
Limits: MOST_ALIASES in a row; PATIENCE seconds at the servers, LONGEST more at a resolver.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from dnsops.base.errors import ForUser, Later
from dnsops.records.rdata import Rdata, txt
from dnsops.resolve.answer import Answer, Consensus, Resolver, Security, Zone

MOST_ALIASES = 8
PATIENCE, LONGEST = 300.0, 300.0
GRACE = 5.0
FIRST_GAP, GROWTH, LONGEST_GAP = 0.1, 1.5, 10.0
TRUSTED = (Security.SECURE, Security.INSECURE)


class Authorities(Protocol):
    """Every authoritative server's own word (dnsops/resolve/authority)."""

    async def zone_of(self, name: str, apex: str | None = None) -> Zone: ...

    async def consensus(self, zone: Zone, name: str, type_name: str) -> Consensus: ...


@dataclass(frozen=True, slots=True)
class Eyes:
    resolver: Resolver
    authorities: Authorities


Open = Callable[[], AbstractAsyncContextManager[Eyes]]
Sleep = Callable[[float], Awaitable[None]]
Wanted = Mapping[str, frozenset[str]]  # place -> texts


@dataclass(frozen=True, slots=True)
class Missing:
    """What a resolver does not show. stale: it trusts its answer, which is an older one."""

    why: str
    stale: bool


@dataclass
class Patience:
    """Growing gaps until their sum is used up."""

    left: float
    gap: float = FIRST_GAP

    async def rest(self, sleep: Sleep, why: str) -> None:
        if self.left <= 0:
            raise Later(f"not everybody sees the challenge records: {why}")
        pause = min(self.gap, LONGEST_GAP, self.left)
        self.gap, self.left = self.gap * GROWTH, self.left - pause
        await sleep(pause)


async def places_of(owners: Iterable[str], open_world: Open) -> dict[str, str]:
    """Owner name -> where its record has to stand: the end of its aliases."""
    async with open_world() as eyes:
        wanted = list(dict.fromkeys(owners))
        found = await asyncio.gather(*(_place(owner, eyes) for owner in wanted))
    return dict(zip(wanted, found, strict=True))


async def _place(owner: str, eyes: Eyes) -> str:
    here = owner
    for _ in range(MOST_ALIASES):
        target = await _alias(here, eyes)
        if target is None:
            return here
        here = target
    raise ForUser(f"more than {MOST_ALIASES} aliases in a row, or a circle", owner, "let its CNAME lead to the record")


async def _alias(name: str, eyes: Eyes) -> str | None:
    """Where a name's CNAME leads; None when it has none. The name above is asked for its zone: it exists, mostly."""
    zone = await eyes.authorities.zone_of(name.partition(".")[2])
    if not zone.servers:
        raise Later(zone.why)
    said = [told.items for told in (await eyes.authorities.consensus(zone, name, "CNAME")).told]
    heard = [items for items in said if items is not None]
    if not heard:  # a zone of its own begins here, or nobody answers: the resolver knows
        answer = await eyes.resolver.ask(name, "TXT")
        _trust(answer)
        return answer.canonical if answer.canonical not in ("", name) else None
    targets = sorted(str(item).lower().rstrip(".") for items in heard for item in items)
    return targets[0] if targets else None


async def seen(wanted: Wanted, open_world: Open, sleep: Sleep = asyncio.sleep) -> str:
    """Returns when every authoritative server and the validating resolver show all texts; a sentence when its cache is too old."""
    async with open_world() as eyes:
        kept = max(await asyncio.gather(*(_at_servers(*one, eyes, sleep) for one in wanted.items())), default=0.0)
    patience = Patience(min(kept + GRACE, LONGEST))
    while missing := await _not_resolved(wanted, open_world):
        if missing.stale and kept + GRACE > LONGEST and patience.left <= 0:
            return missing.why
        await patience.rest(sleep, missing.why)
    return ""


async def _at_servers(place: str, texts: frozenset[str], eyes: Eyes, sleep: Sleep) -> float:
    """Waits for the servers of one place; gives how long a cache may keep what was there before: nothing, or other texts."""
    patience = Patience(PATIENCE)
    zone = await eyes.authorities.zone_of(place.partition(".")[2])
    own = await _own_zone(place, zone, eyes)
    while missing := _missing(place, texts, consensus := await eyes.authorities.consensus(own, place, "TXT")):
        await patience.rest(sleep, missing)
    answer = await eyes.resolver.ask(own.apex, "SOA")
    minima = [int(str(item).split()[-1]) for item in answer.items if item.type == "SOA"]
    return max(float(max(minima, default=LONGEST)), float(consensus.ttl))


async def _own_zone(place: str, above: Zone, eyes: Eyes) -> Zone:
    """The zone of the place itself, where it is not the one above it."""
    if not above.servers:
        raise Later(above.why)
    told = (await eyes.authorities.consensus(above, place, "TXT")).told
    return above if any(one.items is not None for one in told) else await eyes.authorities.zone_of(place)


def _missing(place: str, texts: frozenset[str], consensus: Consensus) -> str:
    """Who does not show it yet, as a sentence; "" when all do."""
    if not consensus.told:
        return f"{place}: its name servers could not be found out"
    wanted = _data(texts)
    silent = [f"{told.server} {told.why}" for told in consensus.silent]
    behind = [str(told.server) for told in consensus.told if told.items is not None and not wanted <= told.items]
    if silent:
        return f"{place}: {silent[0][:200]}"
    return f"{place}: {', '.join(behind[:3])} not yet" if behind else ""


async def _not_resolved(wanted: Wanted, open_world: Open) -> Missing | None:
    async with open_world() as eyes:
        answers = await asyncio.gather(*(eyes.resolver.ask(place, "TXT") for place in wanted))
    for answer, (place, texts) in zip(answers, wanted.items(), strict=True):
        if answer.security not in TRUSTED:
            return Missing(f"{place}: {answer.why or answer.security.value}", stale=False)
        if not _data(texts) <= answer.items:
            return Missing(f"{place}: the validating resolver does not show it yet", stale=True)
    return None


def _data(texts: Iterable[str]) -> frozenset[Rdata]:
    return frozenset(map(txt, texts))


def _trust(answer: Answer) -> None:
    if answer.security not in TRUSTED:
        raise Later(f"{answer.name}: {answer.why or answer.security.value}")
