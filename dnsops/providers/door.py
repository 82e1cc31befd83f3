"""The door to whoever holds the zone: `read` what is there, `write` what changes. Pure types.

Every provider keeps these promises, and one shared suite tests them all:
- `write` adds first and removes after; an identical record that is there already, or a removal of what is gone, is success.
- `write` returns only after the provider has acknowledged. A lost answer is settled by reading again, never by hope.
- What is swapped changes in one step, between additions and removals; where it is not as told any more, `Later` says so.
- It never touches a record that it was not given, and never adds and removes TLSA at one name in one call: between
  the two must lie time (RFC 7671 8.1), and a provider's edge does not change atomically.
- Errors: `ForUser` when a person must act (token, rights, no such zone), `Later` when waiting helps (429, 5xx, time-out).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, runtime_checkable

from dnsops.records.rdata import Record


class Mark(Enum):
    """Whose record it is, as the provider can tell."""

    OURS = "carries our mark"
    FOREIGN = "carries no mark of ours"
    UNKNOWN = "this provider cannot carry marks: only our own ledger knows"


@dataclass(frozen=True, slots=True)
class Held:
    """A record as the provider holds it. proxied: its name servers answer something else than this record."""

    record: Record
    mark: Mark
    proxied: bool = False


@dataclass(frozen=True, slots=True)
class Swap:
    """At one name, `old` gives way to `new` in one step: no question in between finds both, or neither.

    For what may stand there only once: an SPF record, an alias, a null MX. The same data with another TTL is a swap, too.
    """

    old: tuple[Record, ...]
    new: tuple[Record, ...]

    def __post_init__(self) -> None:
        if not self.old or not self.new or len({record.name for record in (*self.old, *self.new)}) != 1:
            raise ValueError("a swap takes old and new records of one name")
        if any(record.type == "TLSA" for record in (*self.old, *self.new)):
            raise ValueError("TLSA is never swapped: between the new and the old must lie time (RFC 7671 8.1)")


@dataclass(frozen=True, slots=True)
class Change:
    """What to add, to swap and to remove, in this order. Removals match name, type and data; their TTL does not matter."""

    add: tuple[Record, ...] = ()
    remove: tuple[Record, ...] = ()
    swap: tuple[Swap, ...] = ()

    def __post_init__(self) -> None:
        torn = {r.name for r in self.add if r.type == "TLSA"} & {r.name for r in self.remove if r.type == "TLSA"}
        if torn:
            raise ValueError(f"TLSA added and removed in one change at {', '.join(sorted(torn))}")


class Provider(Protocol):
    """Three functions. All block; callers run them off the event loop."""

    def zone_of(self, name: str) -> str:
        """The apex of the zone here that holds a name; `ForUser` when none does."""
        ...

    def read(self, name: str, type_name: str = "", below: bool = False) -> tuple[Held, ...]:
        """The records at a name, of one type or all; with `below` also those of every name under it."""
        ...

    def write(self, change: Change) -> None:
        """Make the change, as the module's promises say."""
        ...


class Grade(Enum):
    """What a look at our rights found, before anything is written."""

    FINE = "as it should be"
    WIDE = "it works, and allows more than is needed, or not for long"
    UNKNOWN = "it can only be found out by writing"
    LACKING = "writing would fail: a person must act first"


@dataclass(frozen=True, slots=True)
class Access:
    """What may be done with a zone. zone: empty when it is about the credential itself."""

    zone: str
    grade: Grade
    what: str
    advice: str = ""

    def __str__(self) -> str:
        sentence = f"{self.zone}: {self.what}" if self.zone else self.what
        return f"{sentence} - {self.advice}" if self.advice else sentence


@runtime_checkable
class Checked(Protocol):
    """A provider that can tell its rights without using them."""

    def check(self, zones: Sequence[str]) -> tuple[Access, ...]:
        """Whether each zone can be read and written. Nothing changes by it, no serial number either.

        What a person must do is an `Access`, not an exception; `Later` when nobody answers.
        """
        ...
