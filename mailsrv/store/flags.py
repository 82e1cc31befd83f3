"""Flags: the system's five, keywords, and STORE's three ways (RFC 9051 2.3.2). Pure.

Fails by: `Cannot` for a flag that nobody may set.
"""

from __future__ import annotations

from collections.abc import Iterable

from mailsrv.store.door import Cannot, Op

SYSTEM = ("\\Seen", "\\Deleted", "\\Flagged", "\\Answered", "\\Draft")
SEEN, DELETED = SYSTEM[:2]
CANONICAL = {flag.lower(): flag for flag in SYSTEM}
LONGEST = 200  # characters of a keyword
MOST_KEYWORDS = 58  # of a mailbox: what a 63-bit number holds besides the system's five


def proper(flags: Iterable[str]) -> frozenset[str]:
    """System flags in their one spelling; keywords as they came."""
    return frozenset(map(_proper, flags))


def combine(before: frozenset[str], op: Op, flags: frozenset[str]) -> frozenset[str]:
    """What STORE makes of a message's flags."""
    match op:
        case Op.SET:
            return flags
        case Op.ADD:
            return before | flags
        case Op.REMOVE:
            return before - flags


def combine_bits(before: int, op: Op, bits: int) -> int:
    """The same for flags as bits."""
    match op:
        case Op.SET:
            return bits
        case Op.ADD:
            return before | bits
        case Op.REMOVE:
            return before & ~bits


def _proper(flag: str) -> str:
    known = CANONICAL.get(flag.lower())
    if known:
        return known
    if flag.startswith("\\") or not flag or len(flag) > LONGEST:
        raise Cannot("no such flag may be set")
    return flag
