"""NAMESPACE (RFC 9051 6.3.10): one, personal, levels parted by `/`. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mailsrv.imap.grammar.cursor import Cursor
from mailsrv.imap.replies import Ok
from mailsrv.imap.session import Session


@dataclass(frozen=True, slots=True)
class Namespace:
    @classmethod
    def read(cls, cursor: Cursor) -> Namespace:
        return cls()

    async def run(self, session: Session) -> Ok:
        session.send(b'* NAMESPACE (("" "/")) NIL NIL\r\n')
        return Ok("all yours")
