"""Flags as bits: the system's five in every mailbox, keywords numbered by each mailbox for itself.

Fails by: `Full` when a mailbox has as many keywords in use as there are bits.
"""

from __future__ import annotations

from collections.abc import Iterable

import apsw

from mailsrv.store.door import Full
from mailsrv.store.flags import MOST_KEYWORDS, SYSTEM, proper
from mailsrv.store.sqlite.work import Work

BITS = {flag: 1 << place for place, flag in enumerate(SYSTEM)}
SEEN, DELETED = BITS["\\Seen"], BITS["\\Deleted"]
FIRST = len(SYSTEM)
ALL_SYSTEM = (1 << FIRST) - 1


class Decoder:
    """Bits to flags for one mailbox; each combination is made once."""

    def __init__(self, db: apsw.Connection, mailbox: int) -> None:
        self._db, self._mailbox = db, mailbox
        self._names: dict[int, str] | None = None
        self._made: dict[int, frozenset[str]] = {}

    def flags(self, bits: int) -> frozenset[str]:
        made = self._made.get(bits)
        if made is None:
            made = self._made[bits] = frozenset(self._each(bits))
        return made

    def _each(self, bits: int) -> Iterable[str]:
        yield from (flag for flag, bit in BITS.items() if bits & bit)
        if bits > ALL_SYSTEM:
            if self._names is None:
                self._names = names(self._db, self._mailbox)
            yield from (name for place, name in self._names.items() if bits >> (FIRST + place) & 1)


def encode(work: Work, mailbox: int, flags: Iterable[str], new: bool = True) -> int:
    """Flags to bits; keywords the mailbox does not know get a number when `new`, else are left out."""
    bits = 0
    others = []
    for flag in proper(flags):
        if flag in BITS:
            bits |= BITS[flag]
        else:
            others.append(flag)
    return bits | _keywords(work, mailbox, others, new) if others else bits


def names(db: apsw.Connection, mailbox: int) -> dict[int, str]:
    rows = db.execute("SELECT bit, name FROM keyword WHERE mailbox = ?", (mailbox,)).fetchall()
    return {int(str(bit)): str(name) for bit, name in rows}


def _keywords(work: Work, mailbox: int, flags: list[str], new: bool) -> int:
    places = {name.lower(): place for place, name in names(work.db, mailbox).items()}
    wanted = {flag.lower(): flag for flag in sorted(flags, reverse=True)}
    chosen = {places[lower] for lower in wanted.keys() & places.keys()}
    for lower, flag in sorted(wanted.items()):
        if new and lower not in places:
            chosen.add(_place(work, mailbox, flag, set(places.values()) | chosen, chosen))
    return sum(1 << (FIRST + place) for place in chosen)


def _place(work: Work, mailbox: int, flag: str, taken: set[int], chosen: set[int]) -> int:
    """A number for a new keyword: one never given, else one that no message carries any more."""
    free = set(range(MOST_KEYWORDS)) - taken
    if not free:
        used = 0
        for (bits,) in work.db.execute("SELECT DISTINCT flags FROM message WHERE mailbox = ?", (mailbox,)):
            used |= int(str(bits))
        free = {place for place in range(MOST_KEYWORDS) if not used >> (FIRST + place) & 1} - chosen
    if not free:
        raise Full(f"a mailbox holds {MOST_KEYWORDS} different keywords at most")
    place = min(free)
    work.run("INSERT OR REPLACE INTO keyword VALUES (?, ?, ?)", mailbox, place, flag)
    return place
