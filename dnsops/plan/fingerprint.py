"""A short name for a plan: what is to change, and everything that stands at the names where it does. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from dnsops.plan.door import CHANGING, Item
from dnsops.providers.door import Held
from dnsops.records.rdata import Record

LENGTH = 32  # hex digits


def of(zone: str, held: Iterable[Held], items: Iterable[Item]) -> str:
    """The same zone with the same records at those names, and the same changes, give the same fingerprint."""
    changes = [item for item in items if item.step in CHANGING]
    names = {item.record.name for item in changes}
    there = sorted(f"{one.record} {one.mark.name}" for one in held if one.record.name in names)
    steps = sorted(f"{item.step.name} {_text(item.before)} > {_text(item.after)}" for item in changes)
    return hashlib.sha256("\n".join([zone, *there, "--", *steps]).encode()).hexdigest()[:LENGTH]


def _text(record: Record | None) -> str:
    return str(record) if record else "-"
