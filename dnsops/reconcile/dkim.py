"""The story of DKIM reconciliation: make keys when they are due, publish them, sign when the world knows them, retire the old.

Standards: RFC 6376 3.6. The order of writes is the promise: keys before the ring that names them; the ledger before the zone;
the zone long before the first signature; the last signature long before the removal. A kill between any two loses nothing.
Fails by: one `Outcome` a domain. A domain that fails never holds up another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from dnsops.base.errors import Deliberate, ForUser
from dnsops.dkim.ring import Generation, Ring, Role, Selector
from dnsops.providers.door import Change, Held, Mark, Provider
from dnsops.reconcile.dkim_looking import look_at
from dnsops.reconcile.dkim_target import Outcome, Target
from dnsops.reconcile.dkim_world import World
from dnsops.records.rdata import Record, txt
from dnsops.rollover.dkim import Action, Decision, decide, due
from dnsops.rollover.dkim_ledger import Ledger
from dnsops.rollover.dkim_look import Look, same, texts
from dnsops.rollover.look import Finding


async def reconcile(targets: Sequence[Target], world: World, dry_run: bool = False) -> list[Outcome]:
    """One run over all domains. With `dry_run` nothing is written anywhere."""
    return list(await asyncio.gather(*(_reconcile(target, world, dry_run) for target in targets)))


async def _reconcile(target: Target, world: World, dry_run: bool) -> Outcome:
    """One domain: its keys, a look, a decision, and what follows from it."""
    outcome = Outcome(target.domain, Ring(target.domain), Look(target.domain))
    try:
        ring, why = await asyncio.to_thread(_keys, target, world, dry_run)
        ledger = Ledger(target.domain) if target.given else world.ledgers.load(target.domain)
        selectors = [*ring.selectors, *ledger.life.stages]
        look = await look_at(target.domain, (selector.name for selector in selectors), world)
        decision = decide(ring, ledger, look, target.policy, world.now())
        outcome = Outcome(target.domain, ring, look, decision, why)
        if dry_run or decision.action in (Action.LATER, Action.REFUSE):
            return outcome
        async with world.writes:
            return await asyncio.to_thread(_carry_out, target, outcome, decision, world)
    except Deliberate as error:
        return replace(outcome, error=error)


def _keys(target: Target, world: World, dry_run: bool) -> tuple[Ring, str]:
    """The domain's ring, with new keys in it when they are due, and why they were."""
    now = world.now().wall
    if target.given:
        return Ring(target.domain, (Generation("given", Role.CURRENT, now, target.given),)), ""
    if target.policy.leaked and not dry_run:
        world.keys.leaked(target.domain)
        world.log("dkim.leaked", domain=target.domain)
    ring = world.keys.ring(target.domain)
    why = due(ring, target.policy, now)
    if why and not dry_run:
        ring = world.keys.make_next(target.domain, target.policy.algorithms, now)
        made = [selector.name for selector in ring.next.selectors] if ring.next else []
        world.log("dkim.made", domain=target.domain, selectors=made, why=why)
    return ring, why


def _carry_out(target: Target, outcome: Outcome, decision: Decision, world: World) -> Outcome:
    """Change the zone, then who signs, then what is kept. Runs in a thread: disks and providers block."""
    try:
        if not target.given:
            world.ledgers.save(decision.ledger)
            world.keys.tidy(target.domain)
        if decision.publish:
            outcome = _publish(target, outcome, decision, world)
        elif decision.prune:
            outcome = _prune(target, outcome, decision, world)
        return outcome if target.given else _turn(target, outcome, decision, world)
    except Deliberate as error:
        return replace(outcome, error=error)


def _publish(target: Target, outcome: Outcome, decision: Decision, world: World) -> Outcome:
    """Add what nobody shows, and with it whatever else must stand there: adding what is there already changes nothing."""
    lost = decision.publish
    names = {selector.name for selector in lost}
    records = [_record(target, outcome.look, one) for one in sorted(decision.needed) if one.name in names]
    _provider(target, "there are records to publish").write(Change(add=tuple(records)))
    world.log("dkim.published", domain=target.domain, selectors=sorted(names))
    return replace(outcome, added=lost)


def _prune(target: Target, outcome: Outcome, decision: Decision, world: World) -> Outcome:
    """Remove what is ours, after reading each name once more: what a person typed there is for that person to remove."""
    provider = _provider(target, "there are records to remove")
    removed: set[Selector] = set()
    findings = []
    for selector in sorted(decision.prune):
        held = provider.read(_place(outcome.look, selector, target), "TXT")
        found = [entry for entry in held if _is(entry, selector)]
        mine = tuple(entry.record for entry in found if entry.mark is not Mark.FOREIGN)
        if mine:
            provider.write(Change(remove=mine))
            removed.add(selector)
            world.log("dkim.pruned", domain=target.domain, selector=selector.name)
        if len(mine) < len(found):
            what = f"{selector.owner(target.domain)} is not needed any more, and does not carry our mark"
            findings.append(Finding(what, "remove the record by hand, as it was published"))
    return replace(outcome, removed=frozenset(removed), findings=(*outcome.findings, *findings))


def _turn(target: Target, outcome: Outcome, decision: Decision, world: World) -> Outcome:
    """Each generation's next role, where it has come to it."""
    now, ring, keys = world.now().wall, outcome.ring, world.keys
    if decision.ready:
        ring = keys.promote(target.domain, now)
        signing = [selector.name for selector in ring.current.selectors] if ring.current else []
        world.log("dkim.switched", domain=target.domain, selectors=signing)
    for name in decision.gone:
        ring = keys.gone(target.domain, name, now)
    for name in decision.over:
        ring = keys.forget(target.domain, name, target.policy.publish_retired)
        world.log("dkim.forgotten", domain=target.domain, generation=name, published=target.policy.publish_retired)
    return replace(outcome, ring=ring, switched=decision.ready)


def _record(target: Target, look: Look, selector: Selector) -> Record:
    return Record(_place(look, selector, target), "TXT", target.ttl, txt(selector.text))


def _place(look: Look, selector: Selector, target: Target) -> str:
    """Where the selector's name leads."""
    sight = look.sight(selector.name)
    return sight.place if sight else selector.owner(target.domain)


def _is(entry: Held, selector: Selector) -> bool:
    return any(same(selector.text, text) for text in texts([entry.record.data]))


def _provider(target: Target, why: str) -> Provider:
    if target.provider:
        return target.provider()
    raise ForUser(
        f"{why}, and nobody to do it",
        target.domain,
        "name who holds the zone: --provider cloudflare, rfc2136:SERVER or zonefile:PATH; "
        f"or do by hand what `mailsrv dkim show --domain {target.domain}` says",
    )
