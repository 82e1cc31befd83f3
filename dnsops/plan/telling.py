"""A plan as lines for a terminal and as JSON values. Pure: who prints decides about colour.

example.org: 3 changes, 21 records in place
  + mail.example.org CNAME mx1.example.org.
      people type it
  ~ example.org TXT "v=spf1 include:_spf.example.net -all"
         becomes TXT "v=spf1 include:_spf.example.net mx -all"
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dnsops.base.printable import printable
from dnsops.plan.door import Item, Plan, Step
from dnsops.plan.ownership import as_json
from dnsops.records.rdata import Record

SIGNS = {Step.ADD: "+", Step.REPLACE: "~", Step.REMOVE: "-", Step.KEEP: "=", Step.FOREIGN: "o", Step.CONFLICT: "!"}
COLOURS = {
    Step.ADD: "green",
    Step.REPLACE: "yellow",
    Step.REMOVE: "red",
    Step.FOREIGN: "blue",
    Step.CONFLICT: "magenta",
}
LONGEST = 160  # characters of a record's data on a line

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Line:
    """colour: a terminal's, "" for none."""

    text: str
    colour: str = ""


def lines(plan: Plan, everything: bool = False) -> Iterator[Line]:
    """A zone's plan. everything: what is in place, too."""
    yield Line(f"{plan.zone}: {summary(plan)}")
    for item in plan.items:
        if everything or item.step is not Step.KEEP:
            yield from _lines(item)
    if plan.refused:
        yield Line(f"  refused: {plan.refused} (--force)", "red")


def summary(plan: Plan) -> str:
    """`3 changes, 21 records in place`."""
    kept = sum(item.step is Step.KEEP for item in plan.items)
    parts = [_count(len(plan.changes), "change") if plan.changes else "no changes"]
    parts += [f"{_count(kept, 'record')} in place"] if kept else []
    parts += [f"{_count(len(plan.conflicts), 'conflict')} for you to decide"] if plan.conflicts else []
    return ", ".join(parts)


def totals(plans: Sequence[Plan]) -> str:
    """One line over all zones."""
    counts = {step: sum(item.step is step for plan in plans for item in plan.items) for step in Step}
    if not any(plan.changes for plan in plans):
        return "no changes"
    return f"{counts[Step.ADD]} to add, {counts[Step.REPLACE]} to replace, {counts[Step.REMOVE]} to remove"


def document(plan: Plan) -> Json:
    """A zone's plan as JSON values."""
    return {
        "zone": plan.zone,
        "fingerprint": plan.fingerprint,
        "refused": plan.refused,
        "others": plan.others,
        "items": [item_document(item) for item in plan.items],
    }


def item_document(item: Item) -> Json:
    return {
        "step": item.step.name.lower(),
        "name": item.record.name,
        "type": item.record.type,
        "before": as_json(item.before) if item.before else None,
        "after": as_json(item.after) if item.after else None,
        "why": item.why,
        "advice": item.advice,
    }


def short(record: Record) -> str:
    """A record on one line, its data cut."""
    text = printable(str(record.data))
    return f"{record.name} {record.type} {text if len(text) <= LONGEST else text[: LONGEST - 3] + '...'}"


def _lines(item: Item) -> Iterator[Line]:
    sign, colour = SIGNS[item.step], COLOURS.get(item.step, "")
    first = item.before if item.step in (Step.REPLACE, Step.CONFLICT) and item.before else item.record
    yield Line(f"  {sign} {short(first)}", colour)
    if item.before and item.after and item.step in (Step.REPLACE, Step.CONFLICT):
        word = "becomes" if item.step is Step.REPLACE else "wanted:"
        yield Line(f"    {word} {_after(item.before, item.after)}", colour)
    yield Line(f"      {item.why}")
    if item.advice:
        yield Line(f"      -> {item.advice}")


def _after(before: Record, after: Record) -> str:
    """What differs from the line above."""
    if before.data == after.data:
        return f"TTL {after.ttl}"
    return short(after).removeprefix(f"{before.name} ")


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
