"""The public DNS against what is wanted, without any credential: what a stranger sees is what counts.

    checks = await verify(found, resolver, merge)         the resolver's word
    public = await look(found, eyes, merge)               and that of every authoritative server

Each wish is asked for through the validating resolver. Expectations (reverse names, DS) are looked for, too.
Standards: RFC 4035 4.3 (what DNSSEC says), RFC 1034 4.2.1 (authoritative servers).
Fails by: `Check` with the reason. Limits: AT_ONCE questions at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from dnsops.plan.ownership import Key, key
from dnsops.plan.purpose import Merge
from dnsops.reconcile.zone_checks import TROUBLE, Check, Public, State, Unequal, checks_of, questions, strays
from dnsops.reconcile.zone_world import Eyes
from dnsops.records.rdata import Rdata, Record
from dnsops.resolve.answer import Answer, Consensus, Resolver, Security
from dnsops.wanted.door import Keeper, Wanted

__all__ = ["TROUBLE", "Check", "Public", "State", "Unequal", "look", "verify"]

AT_ONCE = 64
ANSWERED = (Security.SECURE, Security.INSECURE)


async def verify(found: Wanted, resolver: Resolver, merge: Merge) -> list[Check]:
    """Every wish and every expectation, in their order."""
    return checks_of(found, await _asked(questions(found), resolver), merge)


async def look(found: Wanted, eyes: Eyes, merge: Merge, known: Iterable[Record] = ()) -> Public:
    """The same, what stands beside ours, and which servers say otherwise. known: as of `strays`."""
    answers = await _asked(questions(found), eyes.resolver)
    mine = {(wish.record.name, wish.record.type) for wish in found.wishes if wish.keeper is not Keeper.ACME}
    places = sorted(place for place in mine if _own(answers[place]))
    unequal = await asyncio.gather(*(_unequal(answers[place], eyes) for place in places))
    told = dict.fromkeys(one for group in unequal for one in group)
    return Public(tuple(checks_of(found, answers, merge)), tuple(strays(found, answers, known)), tuple(told))


def _own(answer: Answer) -> bool:
    """Whether it is the name itself that answered, so that its servers must say the same."""
    return answer.security in ANSWERED and answer.canonical in ("", answer.name)


async def _unequal(answer: Answer, eyes: Eyes) -> list[Unequal]:
    zone = await eyes.authorities.zone_of(answer.place)
    if not zone.servers:
        return []  # told by the care of the zone itself
    consensus = await eyes.authorities.consensus(zone, answer.place, answer.type)
    return _differing(answer, consensus)


def _differing(answer: Answer, consensus: Consensus) -> list[Unequal]:
    """Servers that show something else; one that is silent about everything is told by the care of the zone."""
    wanted = _keys(answer, answer.items)
    return [
        Unequal(answer.name, answer.type, str(told.server), _shown(told.items))
        for told in consensus.told
        if told.items is not None and _keys(answer, told.items) != wanted
    ]


def _shown(items: frozenset[Rdata]) -> str:
    return "shows " + (", ".join(sorted(map(str, items)))[:200] or "nothing")


def _keys(answer: Answer, items: Iterable[Rdata]) -> set[Key]:
    return {key(Record(answer.name, answer.type, 0, data)) for data in items if data.type == answer.type}


async def _asked(questions: Iterable[tuple[str, str]], resolver: Resolver) -> dict[tuple[str, str], Answer]:
    room = asyncio.Semaphore(AT_ONCE)

    async def one(name: str, type_name: str) -> tuple[tuple[str, str], Answer]:
        async with room:
            return (name, type_name), await resolver.ask(name, type_name)

    return dict(await asyncio.gather(*(one(*question) for question in sorted(questions))))
