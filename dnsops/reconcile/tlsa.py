"""The story of TLSA reconciliation: look, decide, publish or prune, and switch keys when their records are ripe.

Standards: RFC 7671 8, RFC 7672. The order of writes is the promise: the ledger first, then the zone; the zone long before
the key; the key long before the removal. A kill between any two leaves both records published and the old key served.
Fails by: one `Outcome` a place. A place that fails never holds up another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

from dnsops.base.errors import Deliberate, ForUser, Later
from dnsops.providers.door import Change, Held, Mark, Provider
from dnsops.reconcile.looking import look_at
from dnsops.reconcile.switching import due, switch_keys
from dnsops.reconcile.target import Outcome, Place, Target
from dnsops.reconcile.world import World
from dnsops.records.rdata import Record
from dnsops.records.tlsa import Tlsa
from dnsops.rollover.ledger import Ledger
from dnsops.rollover.look import Finding, Policy
from dnsops.rollover.machine import Life
from dnsops.rollover.tlsa import Action, Decision, decide


async def reconcile(targets: Sequence[Target], world: World, dry_run: bool = False) -> list[Outcome]:
    """One run over all targets. With `dry_run` nothing is written anywhere."""
    unannounced = {} if dry_run else await asyncio.to_thread(_announce_keys, targets)
    places = await look_at(targets, world.eyes)
    settled = await asyncio.gather(*(_settle(place, world, dry_run) for place in places))
    pairs = list(zip(places, settled, strict=True))
    if not dry_run:
        pairs = await switch_keys(pairs, world)
    return [_with_trouble(place, outcome, unannounced) for place, outcome in pairs]


def _announce_keys(targets: Iterable[Target]) -> dict[str, Deliberate]:
    """Each host whose keys are ours always has a next one to announce; where none can be made, why not."""
    failed = {}
    for host, keys in {target.host: target.keys for target in targets if target.keys}.items():
        try:
            if keys.next(host) is None:
                keys.make_next(host)
        except Deliberate as error:
            failed[host] = error
    return failed


def _with_trouble(place: Place, outcome: Outcome, unannounced: dict[str, Deliberate]) -> Outcome:
    hosts = dict.fromkeys(target.host for target in place.targets if target.host in unannounced)
    trouble = tuple(Finding(f"{host} has no next key: {unannounced[host]}") for host in hosts)
    return replace(outcome, findings=(*outcome.findings, *trouble))


async def _settle(place: Place, world: World, dry_run: bool) -> Outcome:
    """Decide for one place, and do it. What a target's missing certificate forbids, the decision knows."""
    try:
        ledger = world.ledgers.load(place.look.place)
        decision = decide(ledger, place.look, _policy(place), world.now())
        outcome = Outcome(place.look, decision, place.zone, error=place.error)
        if dry_run or decision.action in (Action.LATER, Action.REFUSE):
            return outcome
        async with world.writes:
            return await asyncio.to_thread(_carry_out, place, outcome, decision, world)
    except Deliberate as error:
        return Outcome(place.look, zone=place.zone, error=error)


def _policy(place: Place) -> Policy:
    """One policy for all targets of a place: every form that any of them wants, what all of them allow, a switch when due."""
    policies = [target.policy for target in place.targets]
    return Policy(
        forms=tuple(dict.fromkeys(form for policy in policies for form in policy.forms)),
        allow_insecure=all(policy.allow_insecure for policy in policies),
        adopt=all(policy.adopt for policy in policies),
        switch=any(due(target, place) for target in place.targets),
    )


def _carry_out(place: Place, outcome: Outcome, decision: Decision, world: World) -> Outcome:
    """Change the zone. Runs in a thread: disks and providers block."""
    ledger = decision.ledger.published(decision.publish)
    world.ledgers.save(ledger)
    if decision.publish:
        return _publish(place, outcome, decision, world)
    if decision.prune:
        return _prune(place, outcome, decision, ledger, world)
    return outcome


def _publish(place: Place, outcome: Outcome, decision: Decision, world: World) -> Outcome:
    """Add what no server shows, and with it whatever else must stand there: adding what is there already changes nothing."""
    ttl, name = place.targets[0].ttl, place.look.place
    _provider(place).write(Change(add=tuple(Record(name, "TLSA", ttl, record) for record in sorted(decision.needed))))
    world.log("tlsa.published", name=name, records=[record.short for record in sorted(decision.publish)])
    return replace(outcome, added=decision.publish)


def _prune(place: Place, outcome: Outcome, decision: Decision, ledger: Ledger, world: World) -> Outcome:
    """Remove what is ours, after reading the zone once more: a human may have been there since we looked."""
    name, provider = place.look.place, _provider(place)
    held = provider.read(name, "TLSA")
    lost = decision.needed - {entry.record.data for entry in held}
    if lost:
        missing = ", ".join(record.short for record in sorted(lost) if isinstance(record, Tlsa))
        raise Later(f"{name}: somebody removed {missing} since we looked; nothing was removed by us")
    mine = tuple(entry.record for entry in held if entry.record.data in decision.prune and _owned(entry, ledger))
    others = decision.prune & {entry.record.data for entry in held} - {record.data for record in mine}
    if mine:
        provider.write(Change(remove=mine))
        world.log("tlsa.pruned", name=name, records=[str(record.data)[:14] for record in mine])
    if others:
        world.ledgers.save(_given_up(ledger, frozenset(r for r in others if isinstance(r, Tlsa))))
    findings = tuple(Finding(f"left alone, it does not carry our mark: {r}", trouble=False) for r in others)
    removed = frozenset(record.data for record in mine if isinstance(record.data, Tlsa))
    return replace(outcome, removed=removed, findings=findings)


def _owned(entry: Held, ledger: Ledger) -> bool:
    match entry.mark:
        case Mark.OURS:
            return True
        case Mark.UNKNOWN:
            return entry.record.data in ledger.ours | ledger.adopted
        case Mark.FOREIGN:
            return entry.record.data in ledger.adopted


def _given_up(ledger: Ledger, records: frozenset[Tlsa]) -> Ledger:
    """Records that turned out to be another's leave our care."""
    stages = {record: stage for record, stage in ledger.life.stages.items() if record not in records}
    life = Life(stages, ledger.life.ttl, ledger.life.ttl_seen)
    return replace(ledger, life=life, ours=ledger.ours - records, foreign=ledger.foreign | records)


def _provider(place: Place) -> Provider:
    for target in place.targets:
        if target.provider:
            return target.provider()
    raise ForUser(
        "there are records to write, and nobody to write them",
        place.look.place,
        "name who holds the zone: --provider cloudflare, rfc2136:SERVER or zonefile:PATH",
    )
