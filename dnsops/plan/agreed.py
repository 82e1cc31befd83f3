"""What may still be carried out of a plan that was made earlier, now that the zone was read again. Pure.

    agreed(plan, fresh)          of a plan that follows from wishes: what we would still do, what is done, what a human touched
    still(items, held)           of a way back: the same, judged by the records alone
    doubled(done, held)          once it is carried out: what somebody else added, too, in the same moment

A line whose records are not as they were is left: the human who was there since is never fought (P-17).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dnsops.plan.door import Item, Plan, Step
from dnsops.plan.order import groups
from dnsops.plan.ownership import key
from dnsops.plan.purpose import family_of
from dnsops.providers.door import Held, Mark
from dnsops.records.rdata import Record
from dnsops.wanted.door import Family


@dataclass(frozen=True, slots=True)
class Agreed:
    """todo: to be carried out now.  done: somebody, or an interrupted run, did it.  touched: changed since by another."""

    todo: tuple[Item, ...] = ()
    done: tuple[Item, ...] = ()
    touched: tuple[Item, ...] = ()


def agreed(plan: Plan, fresh: Plan, held: Iterable[Held]) -> Agreed:
    """plan: as a person agreed to it.  fresh: as it would be made now, from `held`."""
    there = {key(one.record) for one in held}
    would = {_core(item) for item in fresh.changes}
    todo = [item for item in plan.changes if _core(item) in would]
    rest = [item for item in plan.changes if _core(item) not in would]
    done = [item for item in rest if _is_done(item, there)]
    whole = _whole(todo, fresh)
    left = [item for item in plan.changes if item not in whole and item not in done]
    return Agreed(tuple(whole), tuple(done), tuple(left))


def still(items: Iterable[Item], held: Iterable[Held]) -> Agreed:
    """items: a way back."""
    there = {key(one.record): one for one in held}
    todo, done, touched = [], [], []
    for item in items:
        if _is_done(item, there.keys()):
            done.append(item)
        elif _is_possible(item, there):
            todo.append(item)
        else:
            touched.append(item)
    return Agreed(tuple(todo), tuple(done), tuple(touched))


def doubled(done: Iterable[Item], held: Iterable[Held]) -> tuple[Item, ...]:
    """Additions beside which another stands now, where readers take neither of two (RFC 7208 4.5). held: read since."""
    there = [one.record for one in held]
    return tuple(item for item in unique(done) if any(_twin(item.record, other) for other in there))


def unique(items: Iterable[Item]) -> tuple[Item, ...]:
    """The additions of which a name may have one only."""
    return tuple(item for item in items if item.step is Step.ADD and family_of(item.record) is not Family.NONE)


def _twin(ours: Record, other: Record) -> bool:
    same_place = ours.name == other.name and family_of(ours) is family_of(other)
    return same_place and key(ours) != key(other)


def _whole(todo: list[Item], fresh: Plan) -> list[Item]:
    """Replacements that belong together happen together, or not at all."""
    cores = {_core(item) for item in todo}
    torn = {
        _core(item)
        for group in groups(fresh.changes)
        for item in group
        if any(_core(other) not in cores for other in group)
    }
    return [item for item in todo if _core(item) not in torn]


def _core(item: Item) -> tuple[Step, Record | None, Record | None]:
    """The line without its words."""
    return item.step, item.before, item.after


def _is_done(item: Item, there: Iterable[object]) -> bool:
    """What should come is there, and what should go is not."""
    present = set(there)
    comes = item.after is None or key(item.after) in present
    same = item.before and item.after and key(item.before) == key(item.after)
    goes = item.before is None or bool(same) or key(item.before) not in present
    return comes and goes and not (same and item.before != item.after)


def _is_possible(item: Item, there: dict[tuple[str, str, object], Held]) -> bool:
    if item.before is not None:
        found = there.get(key(item.before))
        return found is not None and (item.step is Step.REPLACE or found.mark is not Mark.FOREIGN)
    return not any(_clash(item.record, one.record) for one in there.values() if one.record.name == item.record.name)


def _clash(new: Record, old: Record) -> bool:
    """Whether the two cannot stand at one name."""
    family = family_of(new)
    return "CNAME" in (new.type, old.type) or (family is not Family.NONE and family_of(old) is family)
