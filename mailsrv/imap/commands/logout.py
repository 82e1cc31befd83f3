"""LOGOUT (RFC 9051 6.1.3). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mailsrv.imap.grammar.cursor import Cursor
from mailsrv.imap.replies import Ok
from mailsrv.imap.session import Session


@dataclass(frozen=True, slots=True)
class Logout:
    @classmethod
    def read(cls, cursor: Cursor) -> Logout:
        return cls()

    async def run(self, session: Session) -> Ok:
        session.close()
        session.send(b"* BYE until next time\r\n")
        return Ok("logged out")
