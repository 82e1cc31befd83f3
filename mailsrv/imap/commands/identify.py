"""ID (RFC 2971): who are you? We answer with our name and no version. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mailsrv.imap.grammar.cursor import Cursor
from mailsrv.imap.replies import Ok
from mailsrv.imap.session import Session

MOST = 60  # 30 pairs (RFC 2971 3.3)


@dataclass(frozen=True, slots=True)
class Id:
    @classmethod
    def read(cls, cursor: Cursor) -> Id:
        cursor.space()
        if not cursor.skip(b"NIL"):
            cursor.listed(Cursor.nstring, MOST, empty=True)
        return cls()

    async def run(self, session: Session) -> Ok:
        session.send(b'* ID ("name" "mailsrv")\r\n')
        return Ok("pleased to meet you")
