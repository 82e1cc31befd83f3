"""IDLE (RFC 2177, RFC 9051 6.3.13): news is told as it happens, until the client says DONE. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mailsrv.imap.grammar.cursor import Cursor
from mailsrv.imap.replies import Ok, bad
from mailsrv.imap.session import Session

LONGEST = 1024


@dataclass(frozen=True, slots=True)
class Idle:
    @classmethod
    def read(cls, cursor: Cursor) -> Idle:
        return cls()

    async def run(self, session: Session) -> Ok:
        session.send(b"+ idling\r\n")
        session.idling = True
        session.wake()
        try:
            line = await session.wire.line(LONGEST)
        finally:
            session.idling = False
        if line.strip().upper() != b"DONE":
            raise bad("DONE ends IDLE, nothing else")
        return Ok("idled")
