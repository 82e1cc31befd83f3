"""The last part of the zone's story: what was written is looked for at every authoritative server, then through DNSSEC.

Fails by: a `Seen` that says why, when patience ends. Limits: world.patience seconds a zone, all records at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dnsops.plan.door import Item
from dnsops.plan.ownership import Key, key
from dnsops.reconcile.zone_target import Seen
from dnsops.reconcile.zone_world import Eyes, World
from dnsops.records.rdata import Rdata, Record
from dnsops.resolve.answer import Answer, Consensus, Security

ALIAS = "it shows an alias"  # how a server's word begins that points elsewhere (resolve/authority)
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds


@dataclass(frozen=True)
class Expected:
    """What an RRset must have, and must not have any more."""

    name: str
    type: str
    there: frozenset[Key]
    gone: frozenset[Key]


async def seen(done: Mapping[str, Iterable[Item]], world: World) -> dict[str, tuple[Seen, ...]]:
    """Each RRset that was changed. done: items by zone."""
    wanted = {zone: expected(items) for zone, items in done.items()}
    if not any(wanted.values()):
        return {}
    async with world.eyes() as eyes:
        found = await asyncio.gather(*(_all_seen(zone, some, eyes, world) for zone, some in wanted.items()))
    return dict(zip(wanted, found, strict=True))


async def _all_seen(zone: str, wanted: Iterable[Expected], eyes: Eyes, world: World) -> tuple[Seen, ...]:
    return tuple(await asyncio.gather(*(_seen(zone, one, eyes, world) for one in wanted)))


def expected(items: Iterable[Item]) -> list[Expected]:
    """By name and type."""
    there: dict[tuple[str, str], set[Key]] = {}
    gone: dict[tuple[str, str], set[Key]] = {}
    for item in items:
        for record, keys in ((item.before, gone), (item.after, there)):
            if record is not None:
                keys.setdefault((record.name, record.type), set()).add(key(record))
    places = dict.fromkeys([*there, *gone])
    return [_expected(place, there.get(place, set()), gone.get(place, set())) for place in places]


def _expected(place: tuple[str, str], there: set[Key], gone: set[Key]) -> Expected:
    """What changes its TTL only, stays."""
    return Expected(*place, frozenset(there), frozenset(gone - there))


async def _seen(zone: str, wanted: Expected, eyes: Eyes, world: World) -> Seen:
    why = await _lagging(zone, wanted, eyes)
    for pause in _pauses(world.patience):
        if not why:
            break
        await world.sleep(pause)
        why = await _lagging(zone, wanted, eyes)
    if why:
        return Seen(wanted.name, wanted.type, False, Security.FAILED, why)
    answer = await eyes.resolver.ask(wanted.name, wanted.type)
    return Seen(wanted.name, wanted.type, True, answer.security, _doubt(answer, wanted))


async def _lagging(zone: str, wanted: Expected, eyes: Eyes) -> str:
    """Who does not show it yet; "" when all do."""
    public = await eyes.authorities.zone_of(wanted.name, zone)
    if not public.servers:
        return public.why or f"nobody serves {zone}"
    consensus = await eyes.authorities.consensus(public, wanted.name, wanted.type)
    return _disagreement(consensus, wanted)


def _disagreement(consensus: Consensus, wanted: Expected) -> str:
    for told in consensus.told:
        shown = _keys(wanted, told.items or frozenset())
        if not wanted.there and told.why.startswith(ALIAS):
            continue  # an alias took the place of what was there
        if told in consensus.silent:
            return f"{told.server} gives no answer ({told.why})"
        if told.items is not None and wanted.there - shown:
            return f"{told.server} does not show it yet"
        if wanted.gone & shown:
            return f"{told.server} still shows what was there before"
    return ""


def _doubt(answer: Answer, wanted: Expected) -> str:
    shown = _keys(wanted, answer.items) if answer.canonical in ("", wanted.name) else set()
    if answer.security in (Security.BOGUS, Security.FAILED):
        return answer.why or answer.security.value
    if wanted.there - shown or wanted.gone & shown:
        return f"{answer.by or 'the resolver'} still has an older answer"
    return ""


def _keys(wanted: Expected, items: Iterable[Rdata]) -> set[Key]:
    return {key(Record(wanted.name, wanted.type, 0, data)) for data in items if data.type == wanted.type}


def _pauses(patience: float) -> Iterator[float]:
    """Longer and longer ones, together as long as patience."""
    left, pause = patience, FIRST_PAUSE
    while left > 0:
        yield min(pause, left)
        left, pause = left - pause, min(pause * 1.6, LONGEST_PAUSE)
