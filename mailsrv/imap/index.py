"""The rows of one mailbox as columns, shared by every session that has it selected. Pure.

About 50 bytes a message. A flag set is kept once, with its IMAP text beside it; a row has its number.
What the store tells (`Change`) is applied at once and in any order of arrival: a row counts only if its modseq is newer.
Each `View` hears what happened and tells its client when the RFC lets it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from mailsrv.imap import writers
from mailsrv.store.door import Change, Row

BLOCK = 16
MOST_SETS = 4096  # flag sets that are kept although no row has them any more


class Hears(Protocol):
    """Someone who looks at the mailbox."""

    def learn(self, flagged: Sequence[int], gone: Sequence[int], fresh: bool) -> None:
        """UIDs whose flags changed, UIDs that are gone, whether there is new mail."""
        ...


class Index:
    """UIDs ascending; all columns have the same length."""

    __slots__ = (
        "_numbers", "blobs", "claimed", "dates", "flagsets", "keywords", "last", "modseqs", "saved",
        "sets", "sizes", "texts", "uids", "views",
    )  # fmt: skip

    def __init__(self, rows: Sequence[Row] = ()) -> None:
        self.uids, self.modseqs, self.flagsets = array("I"), array("Q"), array("I")
        self.sizes, self.dates, self.saved, self.blobs = array("Q"), array("q"), array("q"), array("q")
        self.sets: list[frozenset[str]] = []
        self.texts: list[bytes] = []
        self._numbers: dict[frozenset[str], int] = {}
        self.keywords: dict[str, None] = {}  # in order of appearance
        self.last = 0  # the highest UID we ever saw
        self.views: set[Hears] = set()
        self._load(rows)
        self.claimed = self.last  # up to here nothing is \Recent

    def __len__(self) -> int:
        return len(self.uids)

    def find(self, uid: int) -> int:
        """Its place, -1 when it is not there."""
        at = bisect_left(self.uids, uid)
        return at if at < len(self.uids) and self.uids[at] == uid else -1

    def contents_of(self, uids: Iterable[int]) -> list[int]:
        """What the store calls their contents; those that are gone are left out."""
        return [self.blobs[at] for uid in uids if (at := self.find(uid)) >= 0]

    def apply(self, rows: Sequence[Row] = (), gone: Sequence[int] = ()) -> None:
        """What a change brought; again without effect when it is known."""
        flagged: list[int] = []
        fresh = False
        if len(rows) > BLOCK and self._update_block(rows, flagged):
            rows = ()
        for row in rows:
            if row.uid > self.last:
                self._append(row)
                fresh = True
            elif self._update(row):
                flagged.append(row.uid)
        went = self._remove(gone)
        if flagged or went or fresh:
            for view in self.views:
                view.learn(flagged, went, fresh)

    def tell(self, change: Change) -> None:
        self.apply(change.rows, change.gone)

    def flags(self, at: int) -> frozenset[str]:
        return self.sets[self.flagsets[at]]

    def having(self, flag: str) -> frozenset[int]:
        """The numbers of the flag sets that hold this flag (in any case)."""
        wanted = flag.lower()
        return frozenset(n for n, names in enumerate(self.sets) if any(name.lower() == wanted for name in names))

    def _load(self, rows: Sequence[Row]) -> None:
        """All at once: a mailbox of 50 000 is opened before anybody notices."""
        if not rows:
            return
        uids, modseqs, flags, sizes, received, blobs, saved = zip(*rows, strict=True)
        self.uids, self.modseqs, self.sizes, self.blobs = (
            array("I", uids),
            array("Q", modseqs),
            array("Q", sizes),
            array("q", blobs),
        )
        self.flagsets = array("I", map(self._number, flags))
        self.dates = array("q", map(seconds, received))
        self.saved = array("q", [seconds(moment) if moment else 0 for moment in saved])
        self.last = uids[-1]

    def _append(self, row: Row) -> None:
        self.uids.append(row.uid)
        self.modseqs.append(row.modseq)
        self.flagsets.append(self._number(row.flags))
        self.sizes.append(row.size)
        self.dates.append(seconds(row.received))
        self.saved.append(seconds(row.saved) if row.saved else 0)
        self.blobs.append(row.blob)
        self.last = row.uid

    def _update_block(self, rows: Sequence[Row], flagged: list[int]) -> bool:
        """Neighbours that all changed (STORE 1:*): whole columns at once. False when they are not such."""
        uids, modseqs, flags, *_ = zip(*rows, strict=True)
        low = self.find(uids[0])
        high = low + len(uids)
        if low < 0 or self.uids[low:high] != array("I", uids) or min(modseqs) <= max(self.modseqs[low:high]):
            return False
        numbers = array("I", map(self._number, flags))
        self.modseqs[low:high], self.flagsets[low:high] = array("Q", modseqs), numbers
        flagged.extend(uids)
        return True

    def _update(self, row: Row) -> bool:
        at = self.find(row.uid)
        if at < 0 or row.modseq <= self.modseqs[at]:
            return False
        self.modseqs[at] = row.modseq
        self.flagsets[at] = self._number(row.flags)
        return True

    def _remove(self, gone: Sequence[int]) -> list[int]:
        places = [at for at in map(self.find, gone) if at >= 0]
        went = [self.uids[at] for at in places]
        if len(places) == 1:
            for column in self._columns():
                del column[places[0]]
        elif places:
            self._keep_without(frozenset(places))
        if not self.uids and len(self.sets) > MOST_SETS:
            self._forget_sets()
        return went

    def _columns(self) -> tuple[array[int], ...]:
        return self.uids, self.modseqs, self.flagsets, self.sizes, self.dates, self.saved, self.blobs

    def _keep_without(self, places: frozenset[int]) -> None:
        left = [at for at in range(len(self.uids)) if at not in places]
        for column in self._columns():
            column[:] = array(column.typecode, [column[at] for at in left])

    def _number(self, names: frozenset[str]) -> int:
        number = self._numbers.get(names)
        if number is not None:
            return number
        if len(self.sets) > MOST_SETS + 2 * len(self.uids):
            self._forget_sets()
        self.keywords.update((name, None) for name in sorted(names) if not name.startswith("\\"))
        self._numbers[names] = len(self.sets)
        self.sets.append(names)
        self.texts.append(writers.flags(names))
        return len(self.sets) - 1

    def _forget_sets(self) -> None:
        """Number anew those flag sets that some row has."""
        old, self.sets, self.texts, self._numbers = self.sets, [], [], {}
        self.flagsets = array("I", [self._number(old[number]) for number in self.flagsets])


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())
