"""Which messages match (RFC 9051 6.4.4)? Key by key; the index answers most, digests and the store the rest. Pure.

A result is a mask: one octet for each message of the view, 1 where it matches. Columns become masks at the speed of `map`, masks
are combined as numbers. Messages that are gone never match. After each key others have their turn.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from functools import partial
from itertools import compress
from typing import cast

from mailsrv.imap.columns import thread_name
from mailsrv.imap.grammar.search import (
    Among,
    And,
    Day,
    Every,
    Flag,
    Header,
    Identity,
    Key,
    ModSeq,
    Not,
    Or,
    Recent,
    Size,
    Within,
    Words,
)  # fmt: skip
from mailsrv.imap.grammar.sets import Numbers
from mailsrv.imap.replies import Refused, bad
from mailsrv.imap.session import Session
from mailsrv.imap.view import View, beyond
from mailsrv.message.header import Header as Fields
from mailsrv.message.header import body_start
from mailsrv.store.door import Absent, email_id

Mask = bytes

PIECE = 2000  # digests asked for at a time
HEADERS = 1 << 18  # octets of a message in which a header field is looked for
LETTERS = 200  # messages whose headers are read at a time
KEPT = {"subject": "subject", "from": "sender", "to": "to", "cc": "cc", "message-id": "message_id"}
EPOCH = date(1970, 1, 1)


class Searching:
    """One search of one view."""

    def __init__(self, session: Session, view: View) -> None:
        self._session, self._view = session, view

    async def uids(self, key: Key) -> list[int]:
        """What matches and is known to the client, ascending."""
        mask = await self._match(key)
        return list(compress(self._view.uids, both(mask, self._there())))

    def _there(self) -> Mask:
        view = self._view
        return bytes([uid not in view.gone for uid in view.uids]) if view.gone else b"\1" * len(view)

    async def _match(self, key: Key) -> Mask:
        match key:
            case Every():
                return self._there()
            case Not(inner):
                return neither(await self._match(inner))
            case Or(left, right):
                return either(await self._match(left), await self._match(right))
            case And(keys):
                return await self._all(keys)
        found = await self._single(key, self._there())
        await self._session.wire.drained()
        return found

    async def _all(self, keys: tuple[Key, ...]) -> Mask:
        """What costs least first; what is out already is not asked about again."""
        found = self._there()
        for key in sorted(keys, key=cost):
            if not any(found):
                break
            mask = (
                await self._single(key, found)
                if cost(key) > 1 and not isinstance(key, Not | Or | And)
                else await self._match(key)
            )
            found = both(found, mask)
        return found

    async def _single(self, key: Key, among: Mask) -> Mask:
        """One key that is no combination; costly ones look only `among` those that may still match."""
        match key:
            case Words(field, words):
                return await self._words(field, words)
            case Header(name, words):
                return await self._header(name.lower(), words.lower(), among)
            case Day("sent", when, day):
                return await self._by_digest(("sent",), lambda sent: sent_on(when, day, sent), among)
            case Identity(thread=True, id=wanted):
                return await self._by_digest(("message_id", "references"), partial(in_thread, wanted), among)
            case Among(numbers, uid):
                return self._among(numbers, uid)
            case Recent(there):
                recent = self._of(self._view.recent)
                return recent if there else neither(recent)
            case Within(younger, seconds):
                limit = int(self._session.house.now().timestamp()) - seconds
                return self._column(self._view.index.dates, lambda moment: (moment >= limit) is younger)
            case _:
                return self._from_index(key)

    def _of(self, uids: Collection[int]) -> Mask:
        """The mask of these UIDs."""
        view = self._view
        if len(uids) * 8 > len(view):
            return bytes(map(frozenset(uids).__contains__, view.uids))
        mask = bytearray(len(view))
        for number in map(view.number, uids):
            if number:
                mask[number - 1] = 1
        return bytes(mask)

    def _among(self, numbers: Numbers, uid: bool) -> Mask:
        if not uid and beyond(numbers, len(self._view)):
            raise bad("there is no message of that number")
        mask = bytearray(len(self._view))
        for low, high in self._view.places(numbers, uid):
            mask[low:high] = b"\1" * (high - low)
        return bytes(mask)

    def _column(self, column: Sequence[int], fits: Callable[[int], bool]) -> Mask:
        """The mask of the rows whose value fits."""
        view = self._view
        if view.aligned:
            return bytes(map(fits, column[: len(view)]))
        left = iter(column)  # rows of the index are those of the view without what is gone, in the same order
        return bytes([uid not in view.gone and fits(next(left)) for uid in view.uids])

    def _from_index(self, key: Key) -> Mask:
        index = self._view.index
        match key:
            case Flag(name, there):
                sets = index.having(name)
                table = [(number in sets) is there for number in range(len(index.sets))]
                fits: Callable[[int], bool] = table.__getitem__
                return self._column(index.flagsets, fits)
            case Size(larger, octets):
                return self._column(index.sizes, octets.__lt__ if larger else octets.__gt__)
            case Day("received", when, day):
                low, high = days(when, day)
                return self._column(index.dates, lambda moment: low <= moment < high)
            case Day("saved", when, day):
                low, high = days(when, day)
                return self._column(index.saved, lambda moment: bool(moment) and low <= moment < high)
            case ModSeq(least):
                return self._column(index.modseqs, least.__le__)
            case Identity(thread=False, id=wanted):
                return self._column(index.blobs, lambda blob: email_id(blob) == wanted)
        raise Refused("this cannot be searched for")

    async def _words(self, field: str, words: str) -> Mask:
        if not words:
            return self._there()
        return self._of(await self._session.house.store.search(self._view.mailbox.id, words, field))

    async def _by_digest(self, fields: Sequence[str], fits: Callable[..., bool], among: Mask) -> Mask:
        found: set[int] = set()
        uids = list(compress(self._view.uids, among))
        for start in range(0, len(uids), PIECE):
            rows = await self._session.house.store.digests(self._view.mailbox.id, uids[start : start + PIECE], fields)
            found.update(cast("int", uid) for uid, *values in rows if fits(*values))
            await self._session.wire.drained()
        return self._of(found)

    async def _header(self, name: str, words: str, among: Mask) -> Mask:
        if name in KEPT and words:
            words = words.strip("<>") if name == "message-id" else words  # it is kept without
            return await self._by_digest((KEPT[name],), lambda value: words in value.lower(), among)
        found: set[int] = set()
        index = self._view.index
        rows = [(uid, index.blobs[at]) for uid in compress(self._view.uids, among) if (at := index.find(uid)) >= 0]
        for start in range(0, len(rows), LETTERS):
            blocks = [(uid, await self._head(blob)) for uid, blob in rows[start : start + LETTERS]]
            work = partial(having_field, blocks, name.encode("utf-8", "replace"), words)
            found.update(await self._session.wire.away(work))
        return self._of(found)

    async def _head(self, blob: int) -> bytes:
        """The beginning of a message, which holds its header."""
        try:
            return await self._session.house.store.content(blob, 0, HEADERS)
        except Absent:
            return b""


def cost(key: Key) -> int:
    """From the index, by full text, by digests, by reading mail."""
    match key:
        case Not(inner):
            return cost(inner)
        case And(keys):
            return max(map(cost, keys))
        case Or(left, right):
            return max(cost(left), cost(right))
        case Words():
            return 1
        case Day("sent") | Identity(thread=True):
            return 2
        case Header():
            return 2 if key.name.lower() in KEPT else 3
    return 0


def both(left: Mask, right: Mask) -> Mask:
    return (int.from_bytes(left) & int.from_bytes(right)).to_bytes(len(left))


def either(left: Mask, right: Mask) -> Mask:
    return (int.from_bytes(left) | int.from_bytes(right)).to_bytes(len(left))


def neither(mask: Mask) -> Mask:
    return mask.translate(TURNED)


TURNED = bytes([1, 0]) + bytes(254)


def days(when: str, day: date) -> tuple[int, int]:
    """From and until, disregarding time and zone (RFC 9051 6.4.4); our moments are in UTC."""
    start = (day - EPOCH).days * 86400
    return {"BEFORE": (-(1 << 62), start), "ON": (start, start + 86400), "SINCE": (start, 1 << 62)}[when]


def sent_on(when: str, day: date, sent: object) -> bool:
    """The sender's own day."""
    if not isinstance(sent, datetime):
        return False
    on = sent.date()
    return {"BEFORE": on < day, "ON": on == day, "SINCE": on >= day}[when]


def in_thread(wanted: str, message_id: str, references: tuple[str, ...]) -> bool:
    return thread_name(message_id, references) == wanted


def having_field(blocks: list[tuple[int, bytes]], name: bytes, words: str) -> list[int]:
    """UIDs of the headers in which a field of that name holds the words."""
    found = []
    for uid, block in blocks:
        values = Fields(block, 0, body_start(block, 0, len(block))).every(name)
        if any(words in value.decode("utf-8", "replace").lower() for value in values):
            found.append(uid)
    return found
