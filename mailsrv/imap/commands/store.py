"""STORE (RFC 9051 6.4.6; UNCHANGEDSINCE: RFC 7162 3.1.3). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mailsrv.imap.commands.copy import chosen
from mailsrv.imap.grammar.cursor import UINT63, Cursor, Unreadable
from mailsrv.imap.grammar.flags import read_flags_bare
from mailsrv.imap.grammar.sets import Numbers, ranged, read_numbers, written
from mailsrv.imap.replies import Ok
from mailsrv.imap.session import Session
from mailsrv.imap.view import View
from mailsrv.store.door import Flagged, Op

OPS = {"FLAGS": Op.SET, "+FLAGS": Op.ADD, "-FLAGS": Op.REMOVE}
PIECE = 1000


@dataclass(frozen=True, slots=True)
class Store:
    numbers: Numbers
    op: Op
    flags: frozenset[str]
    uid: bool
    silent: bool = False
    unchanged_since: int | None = None

    @classmethod
    def read(cls, cursor: Cursor, uid: bool = False) -> Store:
        cursor.space()
        numbers = read_numbers(cursor)
        cursor.space()
        since = read_unchanged(cursor) if cursor.stands(b"(") else None
        word = cursor.word()
        op = OPS.get(word.removesuffix(".SILENT"))
        if op is None:
            raise Unreadable("FLAGS, +FLAGS or -FLAGS expected")
        cursor.space()
        return cls(numbers, op, read_flags_bare(cursor), uid, word.endswith(".SILENT"), since)

    async def run(self, session: Session) -> Ok:
        view = session.writable
        if self.unchanged_since is not None:
            session.enable("CONDSTORE")
        uids = chosen(view, self.numbers, self.uid)
        pending = frozenset(view.flagged)
        flagged = await session.house.store.flag(view.mailbox.id, uids, self.op, self.flags, self.unchanged_since)
        await self._tell(session, view, [row.uid for row in flagged.rows], pending)
        return self._told(view, flagged, bool(view.gone.intersection(uids)))

    async def _tell(self, session: Session, view: View, uids: list[int], pending: frozenset[int]) -> None:
        """The new flags; in silence only modseqs, and what others had changed before (RFC 9051 6.4.6)."""
        if not self.silent:
            await fetch_flags(session, view, uids)
            view.told(uids)
            return
        view.told(uid for uid in uids if uid not in pending)
        if view.condstore:  # RFC 7162 3.1.3: the new modseq is told even in silence
            await fetch_flags(session, view, uids, flags=False)

    def _told(self, view: View, flagged: Flagged, gone: bool) -> Ok:
        if flagged.modified:
            numbers = flagged.modified if self.uid else tuple(map(view.number, flagged.modified))
            return Ok("some had changed meanwhile", b"MODIFIED " + written(ranged(sorted(numbers))))
        return Ok("done, though some are gone", b"EXPUNGEISSUED") if gone else Ok("done")


def read_unchanged(cursor: Cursor) -> int:
    """(UNCHANGEDSINCE n) and the space behind it."""
    cursor.expect(b"(UNCHANGEDSINCE ")
    since = cursor.number(UINT63)
    cursor.expect(b")")
    cursor.space()
    return since


async def fetch_flags(session: Session, view: View, uids: list[int], flags: bool = True) -> None:
    """FETCH responses in bounded pieces."""
    session.send(view.flags_line())
    for start in range(0, len(uids), PIECE):
        session.send(b"".join(view.fetch_flags(uids[start : start + PIECE], flags)))
        await session.wire.drained()
