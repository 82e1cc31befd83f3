"""When two records are one and the same, and which ones a reader asked for: the words all providers share. Pure.

Standard: RFC 2136 1.1.1 (records are compared by name, class, type and data; the TTL does not count), RFC 4343 (case).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from dnsops.providers.door import Change
from dnsops.records.names import canonical, under
from dnsops.records.rdata import Rdata, Record

Identity: TypeAlias = tuple[str, str, Rdata]


def identity(record: Record) -> Identity:
    """What makes it this record and no other."""
    return record.name, record.type, record.data


def asked(record: Record, name: str, type_name: str, below: bool) -> bool:
    """Whether a record belongs into the answer of `read`."""
    here = record.name == name or (below and under(record.name, name))
    return here and type_name.upper() in ("", record.type)


def tidy(change: Change) -> Change:
    """The change with its names in one spelling and nothing in it twice."""
    return Change(_once(change.add), _once(change.remove))


def _once(records: tuple[Record, ...]) -> tuple[Record, ...]:
    named = (replace(record, name=canonical(record.name)) for record in records)
    return tuple({identity(record): record for record in named}.values())
