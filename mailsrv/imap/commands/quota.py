"""GETQUOTA, GETQUOTAROOT (RFC 9208): one root an account, its name is empty. Limits are set elsewhere. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mailsrv.imap.grammar.cursor import Cursor
from mailsrv.imap.grammar.names import read_name
from mailsrv.imap.replies import Ok, Refused
from mailsrv.imap.session import Session


@dataclass(frozen=True, slots=True)
class GetQuota:
    root: str

    @classmethod
    def read(cls, cursor: Cursor) -> GetQuota:
        cursor.space()
        return cls(cursor.text())

    async def run(self, session: Session) -> Ok:
        if self.root:
            raise Refused("there is no such quota root", b"NONEXISTENT")
        session.send(await quota_line(session))
        return Ok("that is the quota")


@dataclass(frozen=True, slots=True)
class GetQuotaRoot:
    name: str

    @classmethod
    def read(cls, cursor: Cursor) -> GetQuotaRoot:
        cursor.space()
        return cls(read_name(cursor))

    async def run(self, session: Session) -> Ok:
        await session.house.store.mailbox(session.account, self.name)
        session.send(b'* QUOTAROOT %b ""\r\n' % session.name(self.name) + await quota_line(session))
        return Ok("that is the quota")


async def quota_line(session: Session) -> bytes:
    """Bytes in units of 1024 (RFC 9208 5.1), rounded up so that a full mailbox looks full."""
    usage = await session.house.store.usage(session.account)
    parts = []
    if usage.size_limit is not None:
        parts.append(b"STORAGE %d %d" % (-(-usage.size // 1024), usage.size_limit // 1024))
    if usage.message_limit is not None:
        parts.append(b"MESSAGE %d %d" % (usage.messages, usage.message_limit))
    return b'* QUOTA "" (%b)\r\n' % b" ".join(parts)
