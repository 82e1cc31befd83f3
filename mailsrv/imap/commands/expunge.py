"""EXPUNGE and UID EXPUNGE (RFC 9051 6.4.3, 6.4.9). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mailsrv.imap.grammar.cursor import Cursor
from mailsrv.imap.grammar.flags import DELETED
from mailsrv.imap.grammar.sets import Numbers, read_numbers
from mailsrv.imap.replies import Ok
from mailsrv.imap.session import Session
from mailsrv.imap.view import View


@dataclass(frozen=True, slots=True)
class Expunge:
    uids: Numbers | None = None

    @classmethod
    def read(cls, cursor: Cursor) -> Expunge:
        return cls()

    @classmethod
    def read_uid(cls, cursor: Cursor) -> Expunge:
        cursor.space()
        return cls(read_numbers(cursor))

    async def run(self, session: Session) -> Ok:
        view = session.writable
        among = None if self.uids is None else frozenset(view.uids_at(view.places(self.uids, uid=True)))
        wanted = [uid for uid in deleted(view) if among is None or uid in among]
        went = await session.house.store.expunge(view.mailbox.id, wanted) if wanted else ()
        code = await highest(session, view) if went and view.qresync else b""
        return Ok("expunged", code)


def deleted(view: View) -> list[int]:
    """UIDs that carry \\Deleted and that the client knows."""
    sets = view.index.having(DELETED)
    if not sets:
        return []
    found = [uid for uid, number in zip(view.index.uids, view.index.flagsets, strict=True) if number in sets]
    return [uid for uid in found if view.number(uid)]


async def highest(session: Session, view: View) -> bytes:
    """HIGHESTMODSEQ after what went (RFC 7162 3.2.7)."""
    mailbox = await session.house.store.mailbox(session.account, view.mailbox.name)
    return b"HIGHESTMODSEQ %d" % mailbox.highestmodseq
