"""What one session knows of its selected mailbox, and what it has not yet been told. Pure.

Sequence numbers belong to the view (RFC 9051 2.3.1.2): a message stays in it until its EXPUNGE was sent, whatever the index
says. `news` gives the untagged responses that bring the client up to date, as far as the moment allows (RFC 9051 5.2, 7.5.1).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence

from mailsrv.imap.grammar.sets import STAR, Numbers, Ranges, merged, places, ranged, written
from mailsrv.imap.index import Index
from mailsrv.store.door import Mailbox

SYSTEM_FLAGS = b"\\Answered \\Flagged \\Deleted \\Seen \\Draft"


class View:
    """A selected mailbox."""

    __slots__ = (
        "_fresh", "_keywords", "_wake", "condstore", "deleted", "flagged", "gone", "index", "mailbox", "qresync", "quiet",
        "read_only", "recent", "rev1", "saved", "uids",
    )  # fmt: skip

    def __init__(self, mailbox: Mailbox, index: Index, read_only: bool, wake: Callable[[], None]) -> None:
        self.mailbox, self.index, self.read_only, self._wake = mailbox, index, read_only, wake
        self.condstore = self.qresync = self.quiet = False
        self.rev1 = True
        self.uids = array("I", index.uids)
        self.gone: set[int] = set()
        self.flagged: set[int] = set()
        self.saved: frozenset[int] = frozenset()  # SEARCH RETURN (SAVE)
        self.recent: set[int] = set()
        self.deleted = False  # the mailbox itself
        self._fresh = False
        self._keywords = len(index.keywords)
        self._claim(self.uids)
        index.views.add(self)

    def close(self) -> None:
        self.index.views.discard(self)

    def __len__(self) -> int:
        return len(self.uids)

    # what happens

    def learn(self, flagged: Sequence[int], gone: Sequence[int], fresh: bool) -> None:
        """From the index."""
        self.flagged.update(flagged)
        self.gone.update(gone)
        self._fresh = self._fresh or fresh
        self._wake()

    def vanish(self) -> None:
        """The mailbox itself was deleted."""
        self.deleted = True
        self._wake()

    def told(self, uids: Iterable[int]) -> None:
        """The client got their flags as they are now."""
        self.flagged.difference_update(uids)

    @property
    def aligned(self) -> bool:
        """Whether the rows of the index stand at the same places as ours (new ones behind them)."""
        return not self.gone

    # who is meant

    def places(self, numbers: Numbers, uid: bool) -> Ranges:
        """Half-open ranges of places in the view. Sequence numbers beyond the last: the caller refuses them before."""
        if numbers.saved:
            return ranged_places(sorted(self.saved), self.uids)
        if uid:
            return joined(places(numbers.within(self._last_uid(numbers)), self.uids))
        count = len(self.uids)
        return [(low - 1, min(high, count)) for low, high in numbers.within(count) if low <= count]

    def _last_uid(self, numbers: Numbers) -> int:
        return self.uids[-1] if self.uids else 0

    def uids_at(self, ranges: Ranges) -> list[int]:
        found: list[int] = []
        for low, high in ranges:
            found.extend(self.uids[low:high])
        return found

    def rows_at(self, low: int, high: int) -> Sequence[int]:
        """Places in the index of those at low..high in the view; what is gone is left out."""
        if self.aligned:
            return range(low, high)
        found = map(self.index.find, self.uids[low:high])
        return [at for at in found if at >= 0]

    def number(self, uid: int) -> int:
        """Its sequence number, 0 when the client does not know it."""
        at = bisect_left(self.uids, uid)
        return at + 1 if at < len(self.uids) and self.uids[at] == uid else 0

    def numbers(self, uids: Sequence[int]) -> list[int]:
        """The sequence numbers of ascending UIDs."""
        if len(uids) * 8 > len(self.uids):
            wanted = frozenset(uids)
            return [number for number, uid in enumerate(self.uids, 1) if uid in wanted]
        return [number for number in map(self.number, uids) if number]

    # what the client must hear

    def news(self, expunge: bool = True) -> bytes:
        """Untagged responses; with `expunge` false nothing that renumbers."""
        out: list[bytes] = []
        if self._fresh:
            out += self._arrivals()
        if self.gone and expunge:
            out += self._departures()
        if self.flagged:
            out += self._flags()
        return b"".join(out)

    @property
    def has_news(self) -> bool:
        return bool(self._fresh or self.gone or self.flagged)

    def _arrivals(self) -> list[bytes]:
        self._fresh = False
        start = bisect_right(self.index.uids, self.uids[-1] if self.uids else 0)
        new = self.index.uids[start:]
        self.uids.extend(new)
        self._claim(new)
        out = [b"* %d EXISTS\r\n" % len(self.uids)]
        return [*out, b"* %d RECENT\r\n" % len(self.recent)] if self.rev1 else out

    def _claim(self, uids: array[int]) -> None:
        """\\Recent belongs to the first session that is told (RFC 3501 2.3.2); one that may only look takes nothing."""
        new = uids[bisect_right(uids, self.index.claimed) :]
        self.recent.update(new)
        if new and not self.read_only:
            self.index.claimed = new[-1]

    def _departures(self) -> list[bytes]:
        known = sorted(uid for uid in self.gone if self.number(uid))
        self.gone.clear()
        if not known:
            return []
        numbers = [self.number(uid) for uid in known]
        self.flagged.difference_update(known)
        self.recent.difference_update(known)
        self.saved -= frozenset(known)
        for number in reversed(numbers) if len(numbers) < 50 else ():
            del self.uids[number - 1]
        if len(numbers) >= 50:
            went = frozenset(known)
            self.uids = array("I", [uid for uid in self.uids if uid not in went])
        if self.qresync:
            return [b"* VANISHED %b\r\n" % written(ranged(known))]
        return [b"* %d EXPUNGE\r\n" % number for number in reversed(numbers)]

    def _flags(self) -> list[bytes]:
        uids = sorted(uid for uid in self.flagged if self.number(uid))
        self.flagged.clear()
        return [self.flags_line(), *self.fetch_flags(uids)]

    def flags_line(self) -> bytes:
        """`* FLAGS` again when a keyword is new to the client."""
        if len(self.index.keywords) == self._keywords:
            return b""
        self._keywords = len(self.index.keywords)
        return b"* FLAGS (%b)\r\n" % self.flag_names()

    def flag_names(self) -> bytes:
        return b" ".join([SYSTEM_FLAGS, *(name.encode("ascii", "replace") for name in self.index.keywords)])

    def fetch_flags(self, uids: Iterable[int], flags: bool = True) -> list[bytes]:
        """`* n FETCH (UID u FLAGS (...))`, with MODSEQ where that was asked for."""
        out = []
        for uid in uids:
            at, number = self.index.find(uid), self.number(uid)
            if at >= 0 and number:
                names = b" FLAGS (%b)" % self.flags_text(at) if flags else b""
                modseq = b" MODSEQ (%d)" % self.index.modseqs[at] if self.condstore else b""
                out.append(b"* %d FETCH (UID %d%b%b)\r\n" % (number, uid, names, modseq))
        return out

    def flags_text(self, at: int) -> bytes:
        text = self.index.texts[self.index.flagsets[at]]
        if self.rev1 and self.recent and self.index.uids[at] in self.recent:
            return b"\\Recent " + text if text else b"\\Recent"
        return text


def ranged_places(uids: Sequence[int], within: Sequence[int]) -> Ranges:
    found = [bisect_left(within, uid) for uid in uids]
    return [
        (low, high + 1)
        for low, high in ranged(
            at for at, uid in zip(found, uids, strict=True) if at < len(within) and within[at] == uid
        )
    ]


def joined(ranges: Ranges) -> Ranges:
    """Half-open ranges, those that touch made one."""
    return [(low, high + 1) for low, high in merged((a, b - 1) for a, b in ranges)]


def beyond(numbers: Numbers, count: int) -> bool:
    """Whether a sequence number is written that no message has; `n:*` always means something, if only nothing."""
    return any(max(pair) > count for pair in numbers.ranges if STAR not in pair)
