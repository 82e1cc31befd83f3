"""A certificate's turn: the next pair becomes current when nobody can be told another key than it shows.

Where TLSA records stand, or stood in our care, the story of TLSA decides (see `tlsa` and `switching`). Where none are proven
to be, or the zone is not signed, no sender verifies the key, and its turn is now.
Standards: RFC 7672 2.1 (without secure records a sender does not verify), RFC 7671 8.1.
Fails by: waiting, when the DNS gives no answer that can be trusted; a `Finding` says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from dnsops.certs.generations import Generations
from dnsops.reconcile import telling, tlsa
from dnsops.reconcile.certificate_target import Turn
from dnsops.reconcile.target import Target
from dnsops.reconcile.world import World
from dnsops.records.tlsa import Tlsa
from dnsops.resolve.answer import Answer, Security
from dnsops.rollover.look import Finding

UNTRUSTED = (Security.BOGUS, Security.FAILED)
MOST_FINDINGS = 5


async def take_turn(host: str, targets: Sequence[Target], keys: Generations, world: World, all_of_them: bool) -> Turn:
    """Let the host's next pair become current, if its turn has come.

    targets: the host's ports.  all_of_them: every one shall have TLSA records; else only those count that have some.
    """
    if await asyncio.to_thread(keys.current, host) is None:
        return await _the_first(host, targets, keys, world)
    answers = await asyncio.gather(*(world.eyes.resolver.ask(target.owner, "TLSA") for target in targets))
    doubtful = [answer for answer in answers if answer.security in UNTRUSTED]
    if doubtful:
        return Turn(findings=(_doubt(host, doubtful[0]),))
    kept = world.ledgers.owners()
    known = [t for t, answer in zip(targets, answers, strict=True) if _verified(answer) or t.owner in kept]
    if not known and (left_out := sorted(owner for owner in kept if owner.endswith(f"._tcp.{host}"))):
        return Turn(findings=(_left_out(host, left_out),))
    if not known:
        await asyncio.to_thread(keys.promote, host)
        world.log("certificate.switched", host=host, why="no TLSA record stands for the key before it")
        return Turn(switched=True)
    return await _by_tlsa(host, targets if all_of_them else known, world)


async def _the_first(host: str, targets: Sequence[Target], keys: Generations, world: World) -> Turn:
    """Nobody serves a key of ours yet, so there is none to keep; records of another server's key are told."""
    await asyncio.to_thread(keys.promote, host)
    world.log("certificate.switched", host=host, why="it is the first")
    answers = await asyncio.gather(*(world.eyes.resolver.ask(target.owner, "TLSA") for target in targets))
    advice = "before a server shows our key there, let `mailsrv tlsa reconcile` publish its record, and wait two TTLs"
    return Turn(
        switched=True,
        findings=tuple(
            Finding(f"{answer.name} has TLSA records of a key that is not ours", advice, trouble=False)
            for answer in answers
            if _verified(answer)
        ),
    )


def _verified(answer: Answer) -> bool:
    """Whether senders verify by what stands there."""
    return answer.security is Security.SECURE and any(isinstance(item, Tlsa) for item in answer.items)


def _doubt(host: str, answer: Answer) -> Finding:
    why = f"{answer.name} TLSA: {answer.security.value} {answer.why}".strip()
    return Finding(f"{host}: the new certificate is not served yet, for {why}", "the next run looks again", False)


def _left_out(host: str, owners: Sequence[str]) -> Finding:
    what = f"{host}: the new certificate is not served yet: {', '.join(owners)} has records and was not looked at"
    return Finding(what, "name all ports of the host with --port")


async def _by_tlsa(host: str, targets: Sequence[Target], world: World) -> Turn:
    """One step of the story of TLSA, which switches when every port's records are ripe."""
    told: list[str] = []

    async def run(command: Sequence[str]) -> str:
        told.append(await world.run(command))
        return told[-1]

    outcomes = await tlsa.reconcile(targets, replace(world, run=run))
    found = [finding for outcome in outcomes for finding in telling.findings_of(outcome)]
    switched = any(host in outcome.switched for outcome in outcomes)
    return Turn(switched, bool(told) and not any(told), tuple(dict.fromkeys(found))[:MOST_FINDINGS])
