"""A plan on disk: to be looked at today and carried out tomorrow, or the way back of one that was carried out. Pure.

    saved = Saved(Kind.PLAN, "2026-11-26T12:00:00+00:00", plans)     read(write(saved)) == saved, but for what is in place

What is in place already is left out; it is counted when the zone is read again.
Fails by: ValueError from `read` for what is no such file. Limits: LARGEST bytes, MOST lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from dnsops.base import versioned
from dnsops.plan.door import CHANGING, Item, Plan, Step
from dnsops.plan.ownership import as_json, from_json
from dnsops.records.rdata import Record

VERSION = 1
LARGEST = 16 << 20
MOST = 50_000


class Kind(Enum):
    """What carrying it out means."""

    PLAN = "plan"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Saved:
    """made: when, ISO 8601 in UTC."""

    kind: Kind
    made: str
    plans: tuple[Plan, ...]

    @property
    def changes(self) -> int:
        return sum(len(plan.changes) for plan in self.plans)


def write(saved: Saved) -> bytes:
    return versioned.write(VERSION, kind=saved.kind.value, made=saved.made, zones=[_plan(one) for one in saved.plans])


def read(data: bytes) -> Saved:
    """The inverse of `write`."""
    return versioned.read(data, VERSION, "a saved plan", _saved, LARGEST)


def back(plan: Plan) -> Plan:
    """The way back from a plan's changes: in place of what came, what went."""
    return replace(plan, items=tuple(_back(item) for item in reversed(plan.changes)), refused="")


def _back(item: Item) -> Item:
    steps = {Step.ADD: Step.REMOVE, Step.REMOVE: Step.ADD, Step.REPLACE: Step.REPLACE}
    return Item(steps[item.step], item.after, item.before, f"the way back: {item.why}", merged=item.merged)


def _plan(plan: Plan) -> dict[str, object]:
    items = [_item(item) for item in plan.items if item.step is not Step.KEEP]
    return {"zone": plan.zone, "fingerprint": plan.fingerprint, "refused": plan.refused, "items": items}


def _item(item: Item) -> dict[str, object]:
    return {
        "step": item.step.name.lower(),
        "before": as_json(item.before) if item.before else None,
        "after": as_json(item.after) if item.after else None,
        "why": item.why,
        "advice": item.advice,
        "merged": item.merged,
    }


def _saved(document: dict[str, Any]) -> Saved:
    zones = document["zones"]
    if sum(len(zone["items"]) for zone in zones) > MOST:
        raise TypeError(f"more than {MOST} lines")
    return Saved(Kind(document["kind"]), str(document["made"]), tuple(map(_read_plan, zones)))


def _read_plan(zone: Mapping[str, Any]) -> Plan:
    items = tuple(map(_read_item, zone["items"]))
    return Plan(str(zone["zone"]), items, str(zone["fingerprint"]), str(zone["refused"]))


def _read_item(row: Mapping[str, Any]) -> Item:
    step, before, after = Step[str(row["step"]).upper()], _record(row["before"]), _record(row["after"])
    if step in CHANGING and (before is None, after is None) != (step is Step.ADD, step is Step.REMOVE):
        raise TypeError(f"{step.value} with the wrong records")
    if before is None and after is None:
        raise TypeError("a line without a record")
    return Item(step, before, after, str(row["why"]), str(row["advice"]), str(row["merged"]))


def _record(row: Mapping[str, Any] | None) -> Record | None:
    return None if row is None else from_json(row)
