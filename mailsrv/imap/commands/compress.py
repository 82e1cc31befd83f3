"""COMPRESS DEFLATE (RFC 4978). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mailsrv.imap.grammar.cursor import Cursor, Unreadable
from mailsrv.imap.replies import Ok, Refused
from mailsrv.imap.session import Session


@dataclass(frozen=True, slots=True)
class Compress:
    @classmethod
    def read(cls, cursor: Cursor) -> Compress:
        cursor.space()
        if cursor.word() != "DEFLATE":
            raise Unreadable("DEFLATE is the only way to compress")
        return cls()

    async def run(self, session: Session) -> Ok:
        if session.wire.compressed:
            raise Refused("compressed already", b"COMPRESSIONACTIVE")
        session.wire.start_deflate()
        return Ok("deflating from here")
