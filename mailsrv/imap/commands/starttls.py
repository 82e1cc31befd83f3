"""STARTTLS (RFC 9051 6.2.1): all that the client said before is forgotten, in both directions. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mailsrv.imap.grammar.cursor import Cursor
from mailsrv.imap.replies import Ok, Refused, bad
from mailsrv.imap.session import Session


@dataclass(frozen=True, slots=True)
class StartTls:
    @classmethod
    def read(cls, cursor: Cursor) -> StartTls:
        return cls()

    async def run(self, session: Session) -> Ok:
        if session.wire.peer.secure:
            raise bad("TLS is active already")
        if not session.wire.can_start_tls:
            raise Refused("there is no certificate here", b"UNAVAILABLE")
        session.wire.start_tls()
        return Ok("begin TLS now")
