"""FETCH and UID FETCH (RFC 9051 6.4.5; CHANGEDSINCE and VANISHED: RFC 7162 3.1.4, 3.2.6). Pure.

The answer leaves in pieces of bounded size; after each the others have their turn, and a client that does not read is waited for.
A message that somebody expunged meanwhile is left out, and the end says so (RFC 5530 EXPUNGEISSUED).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from dnsops.base.errors import Later
from mailsrv.imap import columns, sections
from mailsrv.imap.columns import Rows, digest_column, index_column
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
        for low, high in pieces(view, ranges, bool(fetching.octets)):
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
        self.session, self.view = session, view
        self.octets = [item for item in items if isinstance(item, Octets)]
        self.sees = not view.read_only and not all(item.peek for item in self.octets)
        self.missing = False
        self._ask(items)

    def _ask(self, items: tuple[Item | Octets, ...]) -> None:
        self.items, self._form, self._fields = items, columns.row_format(items), columns.digest_fields(items)

    async def piece(self, low: int, high: int) -> None:
        """The messages at these places of the view."""
        if self.sees:
            await self._see(low, high)
        rows = await self._digested(low, high) if self._fields else self._rows(low, high)
        self.missing = self.missing or len(rows) < high - low
        if len(rows):
            await self._write(rows)
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
            self._ask((*self.items, Item.FLAGS))
        view.told(unseen)

    def _rows(self, low: int, high: int) -> Rows:
        """What is still there."""
        if self.view.aligned:
            return Rows(range(low + 1, high + 1), range(low, high))
        found = [(at + 1, self.view.index.find(self.view.uids[at])) for at in range(low, high)]
        found = [both for both in found if both[1] >= 0]
        return Rows([number for number, _ in found], [place for _, place in found])

    async def _digested(self, low: int, high: int) -> Rows:
        """With digests; while we waited for them messages may have gone."""
        view, names = self.view, ("uid", *self._fields)
        uids = list(columns.picked(view.index.uids, self._rows(low, high).places))
        found = await self.session.house.store.digests(view.mailbox.id, uids, self._fields)
        empty: dict[str, Sequence[object]] = dict.fromkeys(names, ())
        digests = dict(zip(names, zip(*found, strict=True), strict=True)) if found else empty
        return columns.beside(self._rows(low, high), view.index.uids, digests)

    async def _write(self, rows: Rows) -> None:
        if not self.octets:
            self._rows_out(rows, [])
            return
        index = self.view.index
        picked = (columns.picked(column, rows.places) for column in (index.uids, index.blobs, index.sizes))
        letters = list(map(Letter, rows.numbers, *picked))
        parts = [str(one) for one in rows.digests.get("parts", ())] or [""] * len(letters)
        if len(letters) == 1 and letters[0].size > OCTETS and self._streams(letters[0], parts[0]):
            await self._stream(letters[0], rows, parts[0])
            return
        try:
            found = await self._values(letters, parts)
        except Absent:
            await self._one_by_one(rows, letters)
            return
        self._rows_out(self._moved(rows, letters), found)

    async def _one_by_one(self, rows: Rows, letters: list[Letter]) -> None:
        """One of these went while we read: the others are still wanted."""
        if len(letters) == 1:
            self.missing = True
            return
        for at in range(len(letters)):
            row = self._moved(rows, letters).only([at])
            self.missing = self.missing or row.places[0] < 0
            if row.places[0] >= 0:
                await self._write(row)

    def _moved(self, rows: Rows, letters: list[Letter]) -> Rows:
        """Places in the index may be others since octets were read, -1 where a message went."""
        return replace(rows, places=[self.view.index.find(letter.uid) for letter in letters])

    def _rows_out(self, rows: Rows, found: list[list[bytes]]) -> None:
        """All rows of the piece: a column for each item, put together by one format."""
        if -1 in rows.places:
            kept = [at for at, place in enumerate(rows.places) if place >= 0]
            self.missing = True
            rows, found = rows.only(kept), [[column[at] for at in kept] for column in found]
        octets = iter(found)
        made = [next(octets) if isinstance(item, Octets) else self._column(item, rows) for item in self.items]
        flags = Item.FLAGS in self.items
        lines = [self._form % row for row in zip(rows.numbers, *made, strict=True)]
        self.session.send(b"".join([self.view.flags_line() if flags else b"", *lines]))
        if flags and self.view.flagged:
            self.view.told(columns.picked(self.view.index.uids, rows.places))

    def _column(self, item: Item, rows: Rows) -> Iterable[object]:
        if item in columns.DIGEST:
            return digest_column(item, rows.digests, self.session.utf8)
        return index_column(self.view, item, rows.places)

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

    async def _stream(self, row: Letter, rows: Rows, parts: str) -> None:
        """One row in slices. Once its literal began it must be finished: if the message goes meanwhile, the connection does."""
        session = self.session
        made = [None if isinstance(item, Octets) else next(iter(self._column(item, rows))) for item in self.items]
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
