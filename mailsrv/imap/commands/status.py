"""STATUS (RFC 9051 6.3.11; RFC 7162, 7889, 8438, 8474, 9208). Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mailsrv.imap.grammar.cursor import Cursor, Unreadable
from mailsrv.imap.grammar.names import read_name
from mailsrv.imap.limits import ITEMS
from mailsrv.imap.replies import Ok
from mailsrv.imap.session import Session
from mailsrv.store.door import Mailbox

ANSWERS: dict[str, Callable[[Session, Mailbox], bytes]] = {
    "MESSAGES": lambda session, box: b"%d" % box.messages,
    "UIDNEXT": lambda session, box: b"%d" % box.uidnext,
    "UIDVALIDITY": lambda session, box: b"%d" % box.uidvalidity,
    "UNSEEN": lambda session, box: b"%d" % box.unseen,
    "DELETED": lambda session, box: b"%d" % box.deleted,
    "SIZE": lambda session, box: b"%d" % box.size,
    "HIGHESTMODSEQ": lambda session, box: b"%d" % box.highestmodseq,
    "RECENT": lambda session, box: b"0",
    "APPENDLIMIT": lambda session, box: b"%d" % session.house.limits.message,
    "MAILBOXID": lambda session, box: b"(F%d)" % box.id,
}


@dataclass(frozen=True, slots=True)
class Status:
    name: str
    items: tuple[str, ...]

    @classmethod
    def read(cls, cursor: Cursor) -> Status:
        cursor.space()
        name = read_name(cursor)
        cursor.space()
        return cls(name, read_items(cursor))

    async def run(self, session: Session) -> Ok:
        notice_condstore(session, self.items)
        mailbox = await session.house.store.mailbox(session.account, self.name)
        session.send(status_line(session, mailbox, self.items))
        return Ok("that is how it stands")


def read_items(cursor: Cursor) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cursor.listed(read_item, ITEMS)))


def read_item(cursor: Cursor) -> str:
    name = cursor.word()
    if name not in ANSWERS:
        raise Unreadable("there is no such status item")
    return name


def notice_condstore(session: Session, items: tuple[str, ...]) -> None:
    if "HIGHESTMODSEQ" in items:  # RFC 7162 3.1: whoever asks for it wants modseqs
        session.enable("CONDSTORE")


def status_line(session: Session, mailbox: Mailbox, items: tuple[str, ...]) -> bytes:
    values = b" ".join(b"%b %b" % (item.encode("ascii"), ANSWERS[item](session, mailbox)) for item in items)
    return b"* STATUS %b (%b)\r\n" % (session.name(mailbox.name), values)
