"""What we remember about one TLSA name between two looks, as JSON text. Pure.

The ledger is a memory, not the truth: lost or damaged, every wait begins again, and what was published before is left
alone until a person says --adopt (a mark alone may be another machine's). It is written before a change is asked for, so that a kill in between loses nothing.
Fails by: ValueError from `read`, with what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dnsops.base import versioned
from dnsops.base.moment import Moment
from dnsops.records.tlsa import Tlsa
from dnsops.rollover import lives
from dnsops.rollover.machine import Life

VERSION = 1


@dataclass(frozen=True, slots=True)
class Ledger:
    """life: the records in our care.  ours: published by us.  adopted: not made by us, but given to us by a person.

    foreign: once in our care, but another's by its mark: left alone, reported.  place: the owner name of all this.
    users: the owner names (aliases of the place, or it itself) whose ports want a record.
    matched: when every address last showed a key that a published record matches.
    """

    place: str
    life: Life[Tlsa] = field(default_factory=Life)
    ours: frozenset[Tlsa] = frozenset()
    adopted: frozenset[Tlsa] = frozenset()
    foreign: frozenset[Tlsa] = frozenset()
    users: Mapping[Tlsa, frozenset[str]] = field(default_factory=dict)
    matched: Moment | None = None

    def published(self, records: frozenset[Tlsa]) -> Ledger:
        return replace(self, ours=self.ours | records, foreign=self.foreign - records)

    def forget_absent(self, present: frozenset[Tlsa]) -> Ledger:
        """Drop notes on records that no server shows and nobody waits for."""
        alive = present | frozenset(self.life.stages)
        users = {record: names for record, names in self.users.items() if names and record in self.life.stages}
        return replace(
            self, ours=self.ours & alive, adopted=self.adopted & alive, foreign=self.foreign & present, users=users
        )


def write(ledger: Ledger) -> bytes:
    """The ledger as JSON; the same ledger gives the same bytes."""
    return versioned.write(
        VERSION,
        place=ledger.place,
        **lives.write(ledger.life, str),
        ours=sorted(map(str, ledger.ours)),
        adopted=sorted(map(str, ledger.adopted)),
        foreign=sorted(map(str, ledger.foreign)),
        users={str(record): sorted(names) for record, names in sorted(ledger.users.items())},
        matched=ledger.matched.as_json() if ledger.matched else None,
    )


def read(data: bytes) -> Ledger:
    """The inverse of `write`."""
    return versioned.read(data, VERSION, "a ledger", _ledger)


def _ledger(document: dict[str, Any]) -> Ledger:
    life = lives.read(document, Tlsa.parse)
    ours, adopted, foreign = (frozenset(map(Tlsa.parse, document[part])) for part in ("ours", "adopted", "foreign"))
    users = {Tlsa.parse(key): frozenset(map(str, names)) for key, names in document["users"].items()}
    matched = lives.moment(document["matched"])
    return Ledger(str(document["place"]), life, ours, adopted, foreign, users, matched)
