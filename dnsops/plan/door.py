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
    REPLACE = "replace"  # ours said something else: the new one is added, then the old one removed
    REMOVE = "remove"
    KEEP = "in place"
    FOREIGN = "not ours: left alone"
    CONFLICT = "a person must decide"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a plan. `before` is what stands there now, `after` what will; each may be absent.

    why: the reason for the record, or for leaving it.  advice: what a person may do, for FOREIGN and CONFLICT.
    """

    step: Step
    before: Record | None
    after: Record | None
    why: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """One zone's. fingerprint: over what was read and what is to change, so that a saved plan fits only that zone.

    refused: why it may not be carried out as it is (caps), empty when it may.
    """

    zone: str
    items: tuple[Item, ...]
    fingerprint: str
    refused: str = ""

    @property
    def changes(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.step in (Step.ADD, Step.REPLACE, Step.REMOVE))
