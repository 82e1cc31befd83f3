"""ENABLE (RFC 5161, RFC 9051 6.3.1). Unknown names are passed over; what was enabled is said. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mailsrv.imap.capabilities import ENABLED
from mailsrv.imap.grammar.cursor import Cursor, Unreadable
from mailsrv.imap.replies import Ok
from mailsrv.imap.session import Session

MOST = 32


@dataclass(frozen=True, slots=True)
class Enable:
    names: tuple[str, ...]

    @classmethod
    def read(cls, cursor: Cursor) -> Enable:
        names: list[str] = []
        while cursor.skip(b" "):
            names.append(cursor.word())
            if len(names) > MOST:
                raise Unreadable("too many names")
        if not names:
            raise Unreadable("what shall be enabled?")
        return cls(tuple(names))

    async def run(self, session: Session) -> Ok:
        known = [name for name in self.names if name in ENABLED and not set(ENABLED[name]) <= session.enabled]
        for name in known:
            session.enable(*ENABLED[name])
        spelled = ["IMAP4rev2" if name == "IMAP4REV2" else name for name in known]
        session.send(" ".join(["* ENABLED", *spelled]).encode("ascii") + b"\r\n")
        return Ok("enabled")
