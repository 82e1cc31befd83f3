"""FETCH and UID FETCH (RFC 9051 6.4.5; CHANGEDSINCE and VANISHED: RFC 7162 3.1.4, 3.2.6). Pure.

The answer leaves in pieces of bounded size; after each the others have their turn, and a client that does not read is waited for.
A message that somebody expunged meanwhile is left out, and the end says so (RFC 5530 EXPUNGEISSUED).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from dnsops.base.errors import Later
from mailsrv.imap import columns, sections
from mailsrv.imap.columns import digest_column, index_column
from mailsrv.imap.grammar.cursor import Cursor
from mailsrv.imap.grammar.fetch import Item, Octets, Wanted, read_wanted
from mailsrv.imap.grammar.flags import SEEN
from mailsrv.imap.grammar.sets import Numbers, Ranges, contains, ranged, read_numbers, written
from mailsrv.imap.replies import CutOff, Ok, bad
from mailsrv.imap.session import Session
from mailsrv.imap.view import View, beyond
from mailsrv.store.door import Absent, Op

ROWS = 1000  # of one piece
OCTETS = 1 << 19  # of the mail in one piece
SLICE = 1 << 18  # of a large message, at a time
SLOW = 1 << 17  # octets that are taken apart in a thread


@dataclass(frozen=True, slots=True)
class Fetch:
    numbers: Numbers
    wanted: Wanted
    uid: bool

    @classmethod
    def read(cls, cursor: Cursor, uid: bool = False) -> Fetch:
        cursor.space()
        numbers = read_numbers(cursor)
        cursor.space()
        return cls(numbers, read_wanted(cursor), uid)

    async def run(self, session: Session) -> Ok:
        view = session.selected
        if not self.uid and beyond(self.numbers, len(view)):
            raise bad("there is no message of that number")
        self._check(session)
        ranges = view.places(self.numbers, self.uid)
        if self.wanted.vanished:
            await tell_vanished(session, view, self.numbers, self.wanted.changed_since or 0)
        if self.wanted.changed_since is not None:
            ranges = changed(view, ranges, self.wanted.changed_since)
        fetching = Fetching(session, view, self._items(view))
        for low, high in pieces(view, ranges, fetching.heavy):
            await fetching.piece(low, high)
        return Ok("some were gone", b"EXPUNGEISSUED") if fetching.missing else Ok("fetched")

    def _check(self, session: Session) -> None:
        wanted = self.wanted
        if wanted.vanished and ("QRESYNC" not in session.enabled or not self.uid or wanted.changed_since is None):
            raise bad("VANISHED goes with UID FETCH, CHANGEDSINCE and QRESYNC")
        if wanted.changed_since is not None or Item.MODSEQ in wanted.items:
            session.enable("CONDSTORE")

    def _items(self, view: View) -> tuple[Item | Octets, ...]:
        """What is answered: UID FETCH always says the UID, CHANGEDSINCE the modseq."""
        items = self.wanted.items
        if self.wanted.changed_since is not None and Item.MODSEQ not in items:
            items = (Item.MODSEQ, *items)
        return (Item.UID, *items) if self.uid and Item.UID not in items else items


class Fetching:
    """One FETCH under way."""

    def __init__(self, session: Session, view: View, items: tuple[Item | Octets, ...]) -> None:
        self.session, self.view, self.items = session, view, items
        self.octets = [item for item in items if isinstance(item, Octets)]
        self.heavy = bool(self.octets)
        self.sees = not view.read_only and not all(item.peek for item in self.octets)
        self.missing = False

    async def piece(self, low: int, high: int) -> None:
        """The messages at these places of the view."""
        if self.sees:
            await self._see(low, high)
        numbers, places = self._rows(low, high)
        fields = columns.digest_fields(self.items)
        digests: list[dict[str, object]] = []
        if fields:
            digests = await self._digests(places, fields)
            numbers, places, digests = self._still_there(low, high, digests)
        self.missing = self.missing or len(numbers) < high - low
        if numbers:
            await self._write(numbers, places, digests)
        await self.session.wire.drained()

    async def _see(self, low: int, high: int) -> None:
        """Reading makes \\Seen, and the client is told (RFC 9051 6.4.5)."""
        view, index = self.view, self.view.index
        seen = index.having(SEEN)
        unseen = [index.uids[at] for at in view.rows_at(low, high) if index.flagsets[at] not in seen]
        if not unseen:
            return
        await self.session.house.store.flag(view.mailbox.id, unseen, Op.ADD, frozenset({SEEN}))
        if Item.FLAGS not in self.items:
            self.items = (*self.items, Item.FLAGS)
        view.told(unseen)

    def _rows(self, low: int, high: int) -> tuple[Sequence[int], Sequence[int]]:
        """Sequence numbers, and places in the index, of what is still there."""
        if self.view.aligned:
            return range(low + 1, high + 1), range(low, high)
        found = [(at + 1, self.view.index.find(self.view.uids[at])) for at in range(low, high)]
        found = [(number, place) for number, place in found if place >= 0]
        return [number for number, _ in found], [place for _, place in found]

    async def _digests(self, places: Sequence[int], fields: tuple[str, ...]) -> list[dict[str, object]]:
        uids = list(columns.picked(self.view.index.uids, places))
        rows = await self.session.house.store.digests(self.view.mailbox.id, uids, fields)
        names = ("uid", *fields)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _still_there(
        self, low: int, high: int, digests: list[dict[str, object]]
    ) -> tuple[Sequence[int], Sequence[int], list[dict[str, object]]]:
        """While we waited for the digests, messages may have gone: rows of index and digests side by side again."""
        numbers, places = self._rows(low, high)
        uids = self.view.index.uids
        if [one["uid"] for one in digests] == list(columns.picked(uids, places)):
            return numbers, places, digests
        by_uid = {one["uid"]: one for one in digests}
        both = [(number, place) for number, place in zip(numbers, places, strict=True) if uids[place] in by_uid]
        return [n for n, _ in both], [p for _, p in both], [by_uid[uids[p]] for _, p in both]

    async def _write(self, numbers: Sequence[int], places: Sequence[int], digests: list[dict[str, object]]) -> None:
        if not self.octets:
            self._rows_out(numbers, places, digests, [])
            return
        index = self.view.index
        picked = (columns.picked(column, places) for column in (index.uids, index.blobs, index.sizes))
        rows = list(map(Letter, numbers, *picked))
        digests = digests or [{}] * len(rows)
        parts = [str(one.get("parts", "")) for one in digests]
        if len(rows) == 1 and rows[0].size > OCTETS and self._streams(rows[0], parts[0]):
            await self._stream(rows[0], places[0], digests[0])
            return
        try:
            found = await self._values(rows, parts)
        except Absent:
            await self._one_by_one(rows, digests)
            return
        self._rows_out([row.number for row in rows], self._places_now(rows), digests, found)

    async def _one_by_one(self, rows: list[Letter], digests: list[dict[str, object]]) -> None:
        """One of these went while we read: the others are still wanted."""
        if len(rows) == 1:
            self.missing = True
            return
        for row, digest in zip(rows, digests, strict=True):
            place = self.view.index.find(row.uid)
            if place >= 0:
                await self._write([row.number], [place], [digest])

    def _places_now(self, rows: list[Letter]) -> list[int]:
        """Places in the index may have moved while octets were read."""
        return [self.view.index.find(row.uid) for row in rows]

    def _rows_out(
        self, numbers: Sequence[int], places: Sequence[int], digests: list[dict[str, object]], found: list[list[bytes]]
    ) -> None:
        """All rows of the piece: a column for each item, put together by one format."""
        if -1 in places:
            kept = [at for at, place in enumerate(places) if place >= 0]
            self.missing = True
            numbers, places = [numbers[at] for at in kept], [places[at] for at in kept]
            digests = [digests[at] for at in kept]
            found = [[column[at] for at in kept] for column in found]
        octets = iter(found)
        made = [
            next(octets) if isinstance(item, Octets) else self._column(item, places, digests) for item in self.items
        ]
        form = columns.row_format(self.items)
        self.session.send(self.view.flags_line() if Item.FLAGS in self.items else b"")
        self.session.send(b"".join([form % row for row in zip(numbers, *made, strict=True)]))
        if Item.FLAGS in self.items:
            self.view.flagged.difference_update(
                self.view.index.uids[at] for at in places
            ) if self.view.flagged else None

    def _column(self, item: Item, places: Sequence[int], digests: list[dict[str, object]]) -> Iterable[object]:
        if item in columns.DIGEST:
            return digest_column(item, digests, self.session.utf8)
        return index_column(self.view, item, places)

    # octets

    async def _values(self, rows: list[Letter], parts: list[str]) -> list[list[bytes]]:
        """A column of written octets for each item that wants some."""
        if all(item.whole for item in self.octets):
            whole = await self.session.house.store.contents([row.blob for row in rows])
            return [sections.whole(item, whole) for item in self.octets]
        lines = [await self._cuts(row, part) for row, part in zip(rows, parts, strict=True)]
        return [list(column) for column in zip(*lines, strict=True)]

    async def _cuts(self, row: Letter, parts: str) -> list[bytes]:
        """All items of one message, read with one call where they lie close together."""
        slices = [sections.slice_of(item, row.size, parts) for item in self.octets]
        there = [one for one in slices if one is not None and one.length]
        if not there:
            return [self._cut(item, one, b"", parts) for item, one in zip(self.octets, slices, strict=True)]
        start, end = min(one.start for one in there), max(one.start + one.length for one in there)
        block = await self.session.house.store.content(row.blob, start, end - start)

        def work() -> list[bytes]:
            return [
                self._cut(item, one, block[one.start - start : one.start - start + one.length] if one else b"", parts)
                for item, one in zip(self.octets, slices, strict=True)
            ]

        return work() if len(block) <= SLOW else await self.session.wire.away(work)

    @staticmethod
    def _cut(item: Octets, one: sections.Slice | None, octets: bytes, parts: str) -> bytes:
        return sections.NOTHING[item.form] if one is None else sections.answer(item, octets, parts)

    # one large message

    def _streams(self, row: Letter, parts: str) -> bool:
        """Whether the octets can go out as they are read."""
        slices = [sections.slice_of(item, row.size, parts) for item in self.octets]
        return all(one is None or one.whole for one in slices)

    async def _stream(self, row: Letter, place: int, digest: dict[str, object]) -> None:
        """One row in slices. Once its literal began it must be finished: if the message goes meanwhile, the connection does."""
        session, parts = self.session, str(digest.get("parts", ""))
        made = [None if isinstance(i, Octets) else next(iter(self._column(i, [place], [digest]))) for i in self.items]
        session.send(b"* %d FETCH (" % row.number)
        for count, (item, value) in enumerate(zip(self.items, made, strict=True)):
            session.send(b" " if count else b"")
            if isinstance(item, Octets):
                await self._stream_item(item, row, sections.slice_of(item, row.size, parts))
            else:
                session.send(columns.item_format(item) % value)
        session.send(b")\r\n")

    async def _stream_item(self, item: Octets, row: Letter, one: sections.Slice | None) -> None:
        session = self.session
        if one is None:
            session.send(item.label + b" " + sections.NOTHING[item.form])
            return
        session.send(b"%b {%d}\r\n" % (item.label, one.length))
        for at in range(one.start, one.start + one.length, SLICE):
            count = min(SLICE, one.start + one.length - at)
            session.send(await self._promised(row.blob, at, count))
            await session.wire.drained()

    async def _promised(self, blob: int, start: int, count: int) -> bytes:
        """Octets that a literal has announced already."""
        try:
            octets = await self.session.house.store.content(blob, start, count)
        except (Absent, Later):
            raise CutOff("the message went while it was sent") from None
        if len(octets) != count:
            raise CutOff("the message is shorter than it was")
        return octets


class Letter(NamedTuple):
    """One message whose octets are wanted."""

    number: int
    uid: int
    blob: int
    size: int


def pieces(view: View, ranges: Ranges, heavy: bool) -> Iterator[tuple[int, int]]:
    """The places, in pieces that are small enough to answer in one go."""
    for low, high in ranges:
        at = low
        while at < high:
            end = min(at + ROWS, high)
            if heavy:
                end = light(view, at, end)
            yield at, end
            at = end


def light(view: View, low: int, high: int) -> int:
    """How far OCTETS reach from `low` on; one message at least."""
    total, sizes = 0, view.index.sizes
    for at in range(low, high):
        place = at if view.aligned else view.index.find(view.uids[at])
        total += sizes[place] if 0 <= place < len(sizes) else 0
        if total > OCTETS and at > low:
            return at
    return high


def changed(view: View, ranges: Ranges, since: int) -> Ranges:
    """Those whose modseq is higher."""
    index = view.index
    found = (
        at
        for low, high in ranges
        for at in range(low, high)
        if (place := index.find(view.uids[at])) >= 0 and index.modseqs[place] > since
    )
    return [(low, high + 1) for low, high in ranged(found)]


async def tell_vanished(session: Session, view: View, numbers: Numbers, since: int) -> None:
    """UIDs of the set that went after `since` (RFC 7162 3.2.6)."""
    gone = await session.house.store.vanished(view.mailbox.id, since)
    asked = numbers.within(max(view.index.last, gone[-1] if gone else 0))
    known = ranged(uid for uid in gone if contains(asked, uid) and not view.number(uid))
    if known:
        session.send(b"* VANISHED (EARLIER) %b\r\n" % written(known))


fetch, uid_fetch = partial(Fetch.read), partial(Fetch.read, uid=True)
