"""Whose a record is: by the provider's mark, and by our own ledger of what this machine wrote. Pure.

A mark alone says that some mailsrv wrote a record; a second mail host of the same zone has one, too. So a record is taken
away only when the ledger has it, and no provider says that it is a stranger's.
Standards: RFC 2136 1.1.1 (what makes two records one); a TXT record is its strings' sum (RFC 7208 3.3), however it is cut.
Fails by: ValueError from `read` for what is no ledger. Limits: MOST records a ledger, LARGEST bytes.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from dnsops.base import versioned
from dnsops.plan.door import Item, Plan, Step
from dnsops.providers.door import Held, Mark
from dnsops.records.rdata import Record, parse, strings

VERSION = 1
MOST = 20_000
LARGEST = 16 << 20

Key: TypeAlias = tuple[str, str, Hashable]


class Origin(Enum):
    """How a record came into the ledger."""

    WRITTEN = "written"
    ADOPTED = "adopted"  # it stood there before, exactly as wanted
    MERGED = "merged"  # a stranger's, into which ours was worked


class Claim(Enum):
    """Whose a record is; the value is what a person reads."""

    WRITTEN = "ours"
    ADOPTED = "there before us, just as wanted"
    MERGED = "a stranger's, with ours worked into it"
    MARKED = "it carries our mark, but was not written from this machine"
    FOREIGN = "not ours"


@dataclass(frozen=True, slots=True)
class Owned:
    """A record of the ledger. base: for MERGED, the text that stood there before us."""

    record: Record
    origin: Origin
    base: str = ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What we know of one zone's records. `records` by key."""

    zone: str
    records: Mapping[Key, Owned] = field(default_factory=dict)

    def get(self, record: Record) -> Owned | None:
        return self.records.get(key(record))


@dataclass(frozen=True, slots=True)
class Claimed:
    """A record that stands there, and whose it is. base: what a merged one said before."""

    held: Held
    claim: Claim
    base: str = ""

    @property
    def record(self) -> Record:
        return self.held.record

    @property
    def yields(self) -> bool:
        """Whether it may give way to another record of ours at its place."""
        return self.claim in (Claim.WRITTEN, Claim.ADOPTED)


def key(record: Record) -> Key:
    """What makes two records one and the same; the TTL does not."""
    data = b"".join(strings(record.data)) if record.type == "TXT" else record.data
    return record.name, record.type, data


def claimed(held: Held, ledger: Ledger) -> Claimed:
    """Whose a record is."""
    known = ledger.get(held.record)
    if known is None:
        return Claimed(held, Claim.MARKED if held.mark is Mark.OURS else Claim.FOREIGN)
    if known.origin is Origin.WRITTEN:
        # somebody took our mark away: a provider that can tell says that it is theirs now
        return Claimed(held, Claim.FOREIGN if held.mark is Mark.FOREIGN else Claim.WRITTEN)
    return Claimed(held, Claim[known.origin.name], known.base)


def before(ledger: Ledger, plan: Plan, now: Iterable[Item]) -> Ledger:
    """The ledger to be saved before these items of a plan are carried out: too much rather than too little."""
    records = dict(ledger.records)
    coming = [_owned(item, ledger) for item in now if item.after is not None]
    # one that replaces several, of which a stranger began one, is as that one was
    records |= {key(one.record): one for one in sorted(coming, key=lambda one: one.origin is Origin.ADOPTED)}
    for item in plan.items:
        if item.step is Step.KEEP and item.after is not None:
            origin = Origin.MERGED if item.merged else Origin.ADOPTED
            records.setdefault(key(item.after), Owned(item.after, origin, item.merged))
    return Ledger(ledger.zone, records)


def after(ledger: Ledger, there: Iterable[Record]) -> Ledger:
    """The ledger once everything is done: of what stands there still."""
    standing = {key(record) for record in there}
    return Ledger(ledger.zone, {one: owned for one, owned in ledger.records.items() if one in standing})


def _owned(item: Item, ledger: Ledger) -> Owned:
    """A record that changes its TTL only stays whose it was; so does what a stranger began, for it keeps the stranger's mark."""
    if item.after is None:
        raise ValueError("nothing is owned after a removal")
    known = ledger.get(item.after)
    if item.merged:
        return Owned(item.after, Origin.MERGED, item.merged)
    replaced = ledger.get(item.before) if item.before else None
    if replaced and replaced.origin is Origin.ADOPTED:
        return Owned(item.after, Origin.ADOPTED)
    return Owned(item.after, known.origin if known else Origin.WRITTEN, known.base if known else "")


def write(ledger: Ledger) -> bytes:
    """The ledger as a file has it."""
    rows = [{**as_json(one.record), "origin": one.origin.value, "base": one.base} for one in ledger.records.values()]
    rows.sort(key=lambda row: (str(row["name"]), str(row["type"]), str(row["data"])))
    return versioned.write(VERSION, zone=ledger.zone, records=rows)


def read(data: bytes) -> Ledger:
    """The inverse of `write`."""
    return versioned.read(data, VERSION, "a ledger of records", _ledger, LARGEST)


def as_json(record: Record) -> dict[str, object]:
    """A record as a JSON object, read again by `from_json`."""
    return {"name": record.name, "type": record.type, "ttl": record.ttl, "data": str(record.data)}


def from_json(row: Mapping[str, Any]) -> Record:
    """KeyError, TypeError or ForUser for what is no record."""
    ttl = row["ttl"]
    if not isinstance(ttl, int) or isinstance(ttl, bool) or not 0 <= ttl < 2**31:
        raise TypeError("ttl is not a number of seconds")
    if not isinstance(row["name"], str) or not isinstance(row["type"], str):
        raise TypeError("name and type are texts")
    return Record(row["name"], row["type"], ttl, parse(row["type"], str(row["data"])))


def _ledger(document: dict[str, Any]) -> Ledger:
    rows = document["records"]
    if len(rows) > MOST:
        raise TypeError(f"more than {MOST} records")
    owned = [Owned(from_json(row), Origin(row["origin"]), str(row["base"])) for row in rows]
    return Ledger(str(document["zone"]), {key(one.record): one for one in owned})
