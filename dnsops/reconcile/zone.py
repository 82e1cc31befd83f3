"""The story of a zone's records: look, plan, write the way back, then the ledger, then the zone, and see that it is so.

    look (each zone once)  ->  what a person agreed to and still holds, and we may write  ->  way back
        ->  ledger  ->  add, swap, remove  ->  read again where a name may have one record only  ->  seen

The order of writes is the promise: whatever a kill leaves behind, the ledger knows all that is ours, and the next run ends
right. A line whose records a human touched since is left and told; the rest goes on (P-17, P-18).
Fails by: one `Outcome` a zone. A zone that fails never holds up another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

from dnsops.base.errors import Deliberate, ForUser
from dnsops.plan import agreed, order, ownership, saved
from dnsops.plan.agreed import Agreed
from dnsops.plan.difference import Zone, difference
from dnsops.plan.door import CHANGING, Item, Plan, Step
from dnsops.plan.saved import Kind, Saved
from dnsops.plan.telling import short
from dnsops.providers.door import Change
from dnsops.reconcile.zone_looking import look
from dnsops.reconcile.zone_rights import permitted
from dnsops.reconcile.zone_seeing import seen
from dnsops.reconcile.zone_target import Look, Outcome, Seen, Terms, standing
from dnsops.reconcile.zone_world import World
from dnsops.resolve.answer import Security
from dnsops.rollover.look import Finding
from dnsops.wanted.door import Wish

TOUCHED = "somebody changed it since the plan was made, so it was left"
DOUBLED = "somebody wrote another in the same moment, so ours was taken back"
PLAN_AGAIN = "look at `mailsrv dns plan` again"


async def plan(wishes: Iterable[Wish], world: World, zones: Sequence[str] = ()) -> list[Outcome]:
    """What `apply` would do now; nothing is written anywhere. zones: see `look`."""
    return [Outcome(one.zone, one.plan, error=one.error) for one in await look(wishes, world, zones)]


async def apply(
    wishes: Iterable[Wish], world: World, terms: Terms = Terms(), zones: Sequence[str] = ()
) -> list[Outcome]:
    """Carry out what is planned, zone by zone, and look whether it is so. Under the caller's lock."""
    looks = await look(wishes, world, zones)
    return await _change([(one, _chosen(one, terms)) for one in looks], world)


async def undo(way: Saved, world: World) -> list[Outcome]:
    """Carry out a way back. Caps do not hold: each of its removals is of a record that came by the run it undoes."""
    looks = await asyncio.gather(*(_look_back(one, world) for one in way.plans))
    pairs = [(one, _chosen_back(one, old)) for one, old in zip(looks, way.plans, strict=True)]
    return await _change(pairs, world)


# what to carry out


def _chosen(one: Look, terms: Terms) -> Outcome:
    """The part of a zone's plan that may be carried out under these terms."""
    if one.plan is None or one.read is None:
        return Outcome(one.zone, error=one.error)
    if terms.additions:
        return _missing(one, one.plan)
    approved = one.plan if terms.agreed is None else terms.agreed.get(one.zone)
    if approved is None:
        return Outcome(one.zone, one.plan)
    if one.plan.refused and not terms.force:
        advice = "look at the plan; if it is right, say --force"
        return Outcome(one.zone, one.plan, error=ForUser(one.plan.refused, one.zone, advice))
    return _told(Outcome(one.zone, one.plan), agreed.agreed(approved, one.plan, one.read.held))


def _missing(one: Look, plan: Plan) -> Outcome:
    """Only what we wrote before and is gone. The rest waits for a person, and so does a zone that nobody applied yet."""
    if not one.ledger.records:
        return Outcome(one.zone, plan, untouched=True, tolerant=True)
    todo = tuple(item for item in plan.changes if item.step is Step.ADD and one.ledger.get(item.record))
    waiting = [item for item in plan.changes if item not in todo]
    what = f"{one.zone}: {len(waiting)} changes wait for a person, the first: {_short(waiting[0])}" if waiting else ""
    findings = (Finding(what, "`mailsrv dns plan` shows them, `mailsrv dns apply` makes them"),) if waiting else ()
    return Outcome(one.zone, plan, todo, findings=findings, tolerant=True)


def _told(outcome: Outcome, found: Agreed) -> Outcome:
    findings = tuple(Finding(f"{_short(item)}: {TOUCHED}", PLAN_AGAIN) for item in found.touched)
    return replace(outcome, todo=found.todo, findings=findings)


async def _look_back(old: Plan, world: World) -> Look:
    try:
        async with world.at_once:
            held = await asyncio.to_thread(world.provider.read, old.zone, "", True)
        read = Zone(old.zone, held)
        ledger = await asyncio.to_thread(world.ledgers.load, old.zone)
        return Look(old.zone, (), read, ledger, replace(difference(read, (), ledger, world.limits), items=old.items))
    except Deliberate as error:
        return Look(old.zone, error=error)


def _chosen_back(one: Look, old: Plan) -> Outcome:
    if one.read is None:
        return Outcome(one.zone, error=one.error)
    return _told(Outcome(one.zone, one.plan), agreed.still(old.changes, one.read.held))


# carrying it out


async def _change(pairs: Sequence[tuple[Look, Outcome]], world: World) -> list[Outcome]:
    pairs = await permitted(pairs, world)
    todo = [replace(one.plan, items=one.todo) for _, one in pairs if one.plan and one.todo]
    if todo:
        await asyncio.to_thread(_keep_way_back, todo, world)
    written = await asyncio.gather(*(_settle(look, outcome, world) for look, outcome in pairs))
    shown = await seen({one.zone: one.done for one in written}, world)
    return [_with_sight(one, shown.get(one.zone, ())) for one in written]


def _keep_way_back(plans: Sequence[Plan], world: World) -> None:
    now = world.now().wall
    way = Saved(Kind.UNDO, now.isoformat(timespec="seconds"), tuple(saved.back(plan) for plan in plans))
    path = world.ways_back.keep(way, now)
    world.log("zone.way_back", file=str(path))


async def _settle(one: Look, outcome: Outcome, world: World) -> Outcome:
    """One zone, written."""
    if one.read is None or one.plan is None or outcome.error or outcome.untouched:
        return outcome
    try:
        async with world.at_once:
            back = await asyncio.to_thread(_write, one, outcome.todo, world)
    except Deliberate as error:
        return replace(outcome, error=error)
    findings = (*outcome.findings, *(Finding(f"{_short(item)}: {DOUBLED}", PLAN_AGAIN) for item in back))
    return replace(outcome, done=_without(outcome.todo, back), findings=findings)


def _with_sight(outcome: Outcome, shown: tuple[Seen, ...]) -> Outcome:
    findings = (*outcome.findings, *(finding for finding in map(_finding, shown) if finding))
    return replace(outcome, seen=shown, findings=findings)


def _write(one: Look, todo: tuple[Item, ...], world: World) -> tuple[Item, ...]:
    """The ledger before the zone, and the zone step by step; what had to be taken back. In a thread: disks and providers block."""
    if one.plan is None or one.read is None:
        return ()
    world.ledgers.save(ledger := ownership.before(one.ledger, one.plan, todo))
    for change in order.changes(todo):
        world.provider.write(change)
    done = _without(todo, back := _taken_back(one.zone, todo, world))
    world.ledgers.save(ownership.after(ledger, standing(one.read, done)))
    if done:
        world.log("zone.written", zone=one.zone, **{step.name.lower(): _places(done, step) for step in CHANGING})
    return back


def _taken_back(zone: str, todo: tuple[Item, ...], world: World) -> tuple[Item, ...]:
    """Our additions that met a stranger's: he may have written his between our reading and our writing, and two serve nobody."""
    if not agreed.unique(todo):
        return ()
    back = agreed.doubled(todo, world.provider.read(zone, "TXT", below=True))
    if back:
        world.provider.write(Change(remove=tuple(item.record for item in back)))
        world.log("zone.taken_back", zone=zone, records=_places(back, Step.ADD))
    return back


def _without(items: tuple[Item, ...], some: tuple[Item, ...]) -> tuple[Item, ...]:
    return tuple(item for item in items if item not in some)


def _places(items: Iterable[Item], step: Step) -> list[str]:
    return [f"{item.record.name} {item.record.type}" for item in items if item.step is step]


def _finding(one: Seen) -> Finding | None:
    if one.well:
        return None
    what = f"{one.name} {one.type}: {one.why or one.security.value}"
    if one.security is Security.BOGUS:
        return Finding(what, "look at the zone's DNSSEC: validating resolvers refuse it")
    return Finding(what, "look again in a while: `mailsrv dns verify`", trouble=False)


def _short(item: Item) -> str:
    return f"{item.step.value} {short(item.record)}"
