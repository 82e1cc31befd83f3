"""Sets of numbers (RFC 9051 9, sequence-set): `1:5,9,12:*`, and `$`, the saved result of a search (RFC 5182). Pure.

Overlapping ranges are merged before anybody counts, so that 1500 times `1:*` is one.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mailsrv.imap.grammar.cursor import UINT32, Cursor, Unreadable

CHARACTERS = re.compile(rb"[0-9*][0-9*:,]*")
RANGE = re.compile(rb"([1-9][0-9]{0,9}|\*)(?::([1-9][0-9]{0,9}|\*))?")
STAR = UINT32 + 1  # `*`, larger than any number

Ranges = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Numbers:
    """Ranges as they were written, `*` as STAR; or the saved result."""

    ranges: tuple[tuple[int, int], ...] = ()
    saved: bool = False

    def within(self, last: int) -> Ranges:
        """Merged and ascending, `*` being `last` (0: nothing there)."""
        if not last:
            return []
        pairs = ((min(a, last) if a == STAR else a, min(b, last) if b == STAR else b) for a, b in self.ranges)
        return merged((a, b) if a <= b else (b, a) for a, b in pairs)


def read_numbers(cursor: Cursor, star: bool = True) -> Numbers:
    """A sequence set; without `star` neither * nor $ (known UIDs of QRESYNC)."""
    if star and cursor.skip(b"$"):
        return Numbers(saved=True)
    ranges = tuple(read_range(part) for part in cursor.take(CHARACTERS, "a sequence set").split(b","))
    if not star and any(STAR in pair for pair in ranges):
        raise Unreadable("no * here")
    return Numbers(ranges)


def read_range(text: bytes) -> tuple[int, int]:
    found = RANGE.fullmatch(text)
    if found is None:
        raise Unreadable("not a sequence set")
    first = number(found[1])
    return (first, number(found[2]) if found[2] else first)


def number(text: bytes) -> int:
    if text == b"*":
        return STAR
    value = int(text)
    if value > UINT32:
        raise Unreadable("the number is too large")
    return value


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Ascending, without overlap; neighbours joined."""
    found: Ranges = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            if high > found[-1][1]:
                found[-1] = (found[-1][0], high)
        else:
            found.append((low, high))
    return found


def places(ranges: Ranges, uids: Sequence[int]) -> Ranges:
    """Where the UIDs of these ranges stand among ascending `uids`: half-open ranges of places, empty ones left out."""
    found = ((bisect_left(uids, low), bisect_right(uids, high)) for low, high in ranges)
    return [(a, b) for a, b in found if a < b]


def ranged(numbers: Iterable[int]) -> Ranges:
    """Ascending numbers as ranges."""
    found: Ranges = []
    low = high = -2
    for n in numbers:
        if n == high + 1:
            high = n
            continue
        if low >= 0:
            found.append((low, high))
        low = high = n
    if low >= 0:
        found.append((low, high))
    return found


def written(ranges: Ranges) -> bytes:
    """`1:5,9`"""
    return b",".join(b"%d" % a if a == b else b"%d:%d" % (a, b) for a, b in ranges)


def each(ranges: Ranges) -> Iterator[int]:
    for low, high in ranges:
        yield from range(low, high + 1)


def contains(ranges: Ranges, wanted: int) -> bool:
    at = bisect_right(ranges, (wanted, STAR)) - 1
    return at >= 0 and ranges[at][0] <= wanted <= ranges[at][1]
