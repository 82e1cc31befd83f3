"""A plan's changes as what a provider is asked to do, in an order that leaves mail deliverable after any step. Pure.

    1  additions: hosts before what names them, MX after that, and what makes others strict (DMARC, MTA-STS) last
    2  swaps: each in one step
    3  removals

A cut after any of them leaves more in the zone than wanted, never less (P-18).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dnsops.plan import safety
from dnsops.plan.door import Item, Step
from dnsops.plan.purpose import family_of
from dnsops.providers.door import Change, Swap
from dnsops.records.rdata import Record
from dnsops.wanted.door import Family

RANKS = {"A": 0, "AAAA": 0, "CNAME": 1, "TXT": 2, "CAA": 3, "SRV": 4, "MX": 5}
STRICT = {Family.DMARC: 6, Family.MTA_STS: 7}


def changes(items: Sequence[Item]) -> tuple[Change, ...]:
    """At most three, none of them empty."""
    safety.check(items)
    add = [item.after for item in items if item.step is Step.ADD and item.after]
    remove = [item.before for item in items if item.step is Step.REMOVE and item.before]
    found = (
        Change(add=tuple(sorted(add, key=rank))),
        Change(swap=tuple(_swap(group) for group in groups(items))),
        Change(remove=tuple(sorted(remove, key=rank, reverse=True))),
    )
    return tuple(one for one in found if one != Change())


def groups(items: Iterable[Item]) -> list[list[Item]]:
    """Replacements that must happen together: those that meet in a name and type, before or after."""
    found: list[list[Item]] = []
    for item in items:
        if item.step is not Step.REPLACE:
            continue
        met = [group for group in found if any(_places(other) & _places(item) for other in group)]
        found = [group for group in found if group not in met]
        found.append([*(other for group in met for other in group), item])
    return found


def rank(record: Record) -> int:
    """When a record comes, among those that are added."""
    return STRICT.get(family_of(record), RANKS.get(record.type, 3))


def _places(item: Item) -> set[tuple[str, str]]:
    return {(record.name, record.type) for record in (item.before, item.after) if record}


def _swap(group: Iterable[Item]) -> Swap:
    pairs = [(item.before, item.after) for item in group if item.before and item.after]
    return Swap(tuple(dict.fromkeys(old for old, _ in pairs)), tuple(dict.fromkeys(new for _, new in pairs)))
