"""When two records are one and the same, and which ones a reader asked for: the words all providers share. Pure.

Standard: RFC 2136 1.1.1 (records are compared by name, class, type and data; the TTL does not count), RFC 4343 (case).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from typing import TypeAlias

from dnsops.base.errors import Later
from dnsops.providers.door import Change, Swap
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
    swaps = tuple(Swap(_once(swap.old), _once(swap.new)) for swap in change.swap)
    return Change(_once(change.add), _once(change.remove), swaps)


def open_swap(swap: Swap, there: Iterable[Record], key: Callable[[Record], Hashable] = identity) -> bool:
    """Whether a swap is still to be done, as its name stands now. `Later` when neither before nor after it: a human was there.

    there: the records of the swap's types at its name.
    """
    present = {key(record): record.ttl for record in there}
    old, new = {key(record) for record in swap.old}, {key(record): record.ttl for record in swap.new}
    if old <= present.keys():
        return old != new.keys() or any(present[one] != ttl for one, ttl in new.items())
    if new.keys() <= present.keys() and not (old - new.keys()) & present.keys():
        return False
    types = " and ".join(sorted({record.type for record in swap.old}))
    raise Later(f"{swap.old[0].name}: somebody changed its {types} records meanwhile; nothing was changed by us")


def _once(records: tuple[Record, ...]) -> tuple[Record, ...]:
    named = (replace(record, name=canonical(record.name)) for record in records)
    return tuple({identity(record): record for record in named}.values())
