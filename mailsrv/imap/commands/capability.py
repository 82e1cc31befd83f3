"""CAPABILITY (RFC 9051 6.1.1), NOOP (6.1.2), CHECK (RFC 3501 6.4.1): news comes with every answer anyway. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mailsrv.imap.capabilities import capabilities
from mailsrv.imap.grammar.cursor import Cursor
from mailsrv.imap.replies import Ok
from mailsrv.imap.session import Session


@dataclass(frozen=True, slots=True)
class Capability:
    @classmethod
    def read(cls, cursor: Cursor) -> Capability:
        return cls()

    async def run(self, session: Session) -> Ok:
        session.send(b"* CAPABILITY %b\r\n" % capabilities(session))
        return Ok("that is what I can")


@dataclass(frozen=True, slots=True)
class Noop:
    @classmethod
    def read(cls, cursor: Cursor) -> Noop:
        return cls()

    async def run(self, session: Session) -> Ok:
        return Ok("done nothing")
