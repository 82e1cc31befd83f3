"""SORT (RFC 5256 3, ESORT: RFC 5267 3.1, SORT=DISPLAY: RFC 5957) and THREAD (RFC 5256). Pure.

What to sort by was made at delivery (Digest); sorting and threading of many runs in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import cast

from mailsrv.imap.addresses import display_name, first_mailbox
from mailsrv.imap.commands.search import answer_extended, by_modseq, check_charset, read_return, save, spaced
from mailsrv.imap.grammar.cursor import Cursor, Unreadable
from mailsrv.imap.grammar.search import Key, read_keys
from mailsrv.imap.limits import SORT_KEYS
from mailsrv.imap.replies import Ok
from mailsrv.imap.searching import PIECE, Searching
from mailsrv.imap.session import Session
from mailsrv.imap.view import View

Values = dict[str, object]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Criterion:
    """How messages are compared: fields of the digest that it needs, and what it makes of them."""

    fields: tuple[str, ...]
    key: Callable[[Values], int | float | str]


def moment(values: Values) -> float:
    """RFC 5256 2.2: the Date field, or else when it arrived."""
    sent = values["sent"]
    return sent.timestamp() if isinstance(sent, datetime) else cast("int", values["arrival"])


CRITERIA: dict[str, Criterion] = {
    "ARRIVAL": Criterion((), lambda values: cast("int", values["arrival"])),
    "SIZE": Criterion((), lambda values: cast("int", values["size"])),
    "DATE": Criterion(("sent",), moment),
    "SUBJECT": Criterion(("base",), lambda values: cast("str", values["base"])),
    "FROM": Criterion(("envelope",), lambda values: first_mailbox(cast("bytes", values["envelope"]), "from")),
    "TO": Criterion(("envelope",), lambda values: first_mailbox(cast("bytes", values["envelope"]), "to")),
    "CC": Criterion(("envelope",), lambda values: first_mailbox(cast("bytes", values["envelope"]), "cc")),
    "DISPLAYFROM": Criterion(("envelope",), lambda values: display_name(cast("bytes", values["envelope"]), "from")),
    "DISPLAYTO": Criterion(("envelope",), lambda values: display_name(cast("bytes", values["envelope"]), "to")),
}


@dataclass(frozen=True, slots=True)
class Sort:
    order: tuple[tuple[str, bool], ...]  # criterion, and whether it is turned round
    key: Key
    uid: bool
    wanted: frozenset[str] | None = None

    @classmethod
    def read(cls, cursor: Cursor, uid: bool = False) -> Sort:
        cursor.space()
        wanted = read_return(cursor)
        order = cursor.listed(read_criterion, SORT_KEYS)
        cursor.space()
        check_charset(cursor.astring())
        cursor.space()
        return cls(order, read_keys(cursor), uid, wanted)

    async def run(self, session: Session) -> Ok:
        view = session.selected
        if by_modseq(self.key):
            session.enable("CONDSTORE")
        uids = await Searching(session, view).uids(self.key)
        fields = tuple(dict.fromkeys(field for name, _ in self.order for field in CRITERIA[name].fields))
        rows = await gather(session, view, uids, fields)
        ordered = await session.wire.away(partial(sorted_uids, rows, self.order))
        numbers = ordered if self.uid else [number for number in map(view.number, ordered) if number]
        if self.wanted is None:
            session.send(b"* SORT%b\r\n" % spaced(numbers))
        else:
            answer_extended(session, self.uid, self.wanted, numbers, 0, ordered=True)
            save(view, self.wanted, uids)
        return Ok("sorted")


def read_criterion(cursor: Cursor) -> tuple[str, bool]:
    name = cursor.word()
    turned = name == "REVERSE"
    if turned:
        cursor.space()
        name = cursor.word()
    if name not in CRITERIA:
        raise Unreadable("there is no such way to sort")
    return name, turned


async def gather(session: Session, view: View, uids: Sequence[int], fields: Sequence[str]) -> list[Values]:
    """The digests' fields, arrival and size of these messages."""
    found: list[Values] = []
    for start in range(0, len(uids), PIECE):
        piece = uids[start : start + PIECE]
        rows = (
            await session.house.store.digests(view.mailbox.id, piece, fields) if fields else [(uid,) for uid in piece]
        )
        found += filter(None, (described(view, row, fields) for row in rows))
        await session.wire.drained()
    return found


def described(view: View, row: tuple[object, ...], fields: Sequence[str]) -> Values | None:
    uid = cast("int", row[0])
    at = view.index.find(uid)
    if at < 0:
        return None
    return {
        "uid": uid,
        "arrival": view.index.dates[at],
        "size": view.index.sizes[at],
        **dict(zip(fields, row[1:], strict=True)),
    }


def sorted_uids(rows: list[Values], order: tuple[tuple[str, bool], ...]) -> list[int]:
    """By the last criterion first, as Python's sort keeps what is equal in its order; at the bottom by UID."""
    for name, turned in reversed(order):
        rows.sort(key=CRITERIA[name].key, reverse=turned)
    return [cast("int", row["uid"]) for row in rows]


sort, uid_sort = partial(Sort.read), partial(Sort.read, uid=True)
