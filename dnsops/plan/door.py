"""A plan as values: each step with its reason, and what is left alone. Pure.

Order is part of a plan: every addition of a zone stands before every removal (P-18).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from dnsops.records.rdata import Record


class Step(Enum):
    """What happens to one record; the value is what a person reads."""

    ADD = "add"
    REPLACE = "replace"  # in one step, together with all that replace or are replaced at that name and type
    REMOVE = "remove"
    KEEP = "in place"
    FOREIGN = "not ours: left alone"
    CONFLICT = "a person must decide"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a plan. `before` is what stands there now, `after` what will; each may be absent.

    why: the reason for the record, or for leaving it.  advice: what a person may do, for FOREIGN and CONFLICT.
    merged: what a stranger's record said before ours was worked into it, as text; empty for all others.
    """

    step: Step
    before: Record | None
    after: Record | None
    why: str
    advice: str = ""
    merged: str = ""

    @property
    def record(self) -> Record:
        """The record that the line is about."""
        record = self.after or self.before
        if record is None:
            raise ValueError("an item without a record")
        return record


CHANGING = (Step.ADD, Step.REPLACE, Step.REMOVE)


@dataclass(frozen=True, slots=True)
class Plan:
    """One zone's. fingerprint: over what was read and what is to change, so that a saved plan fits only that zone.

    refused: why it may not be carried out as it is (caps), empty when it may.  others: records there that are none of
    our business.
    """

    zone: str
    items: tuple[Item, ...]
    fingerprint: str
    refused: str = ""
    others: int = 0

    @property
    def changes(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.step in CHANGING)

    @property
    def conflicts(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.step is Step.CONFLICT)
