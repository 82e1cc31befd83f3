"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 6.3.4-6.3.8; RFC 6154 3: USE). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from mailsrv.imap.grammar.cursor import Cursor, Unreadable
from mailsrv.imap.grammar.names import SEPARATOR, mailbox_name, read_name, wire_text
from mailsrv.imap.replies import Ok, Refused
from mailsrv.imap.session import Session
from mailsrv.store.door import Absent

SPECIAL = {name.upper(): name for name in ("\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash")}


@dataclass(frozen=True, slots=True)
class Create:
    name: str
    special: str = ""

    @classmethod
    def read(cls, cursor: Cursor) -> Create:
        cursor.space()
        text = wire_text(cursor.astring(), cursor.utf8)
        name = mailbox_name(text.removesuffix(SEPARATOR))  # a separator at the end announces children
        return cls(name, read_use(cursor) if cursor.skip(b" (USE ") else "")

    async def run(self, session: Session) -> Ok:
        store = session.house.store
        mailboxes = await store.mailboxes(session.account)
        if len(mailboxes) >= session.house.limits.mailboxes:
            raise Refused("there are too many mailboxes", b"LIMIT")
        if self.special and any(box.special == self.special for box in mailboxes):
            raise Refused("another mailbox has this use", b"USEATTR")
        mailbox = await store.create(session.account, self.name, self.special)
        return Ok("created", b"MAILBOXID (F%d)" % mailbox.id)


def read_use(cursor: Cursor) -> str:
    """(USE (\\Sent)): one use at most; the first parenthesis is open."""
    uses = cursor.listed(read_special, 6)
    cursor.expect(b")")
    if len(uses) != 1:
        raise Unreadable("a mailbox has one special use")
    return uses[0]


def read_special(cursor: Cursor) -> str:
    cursor.expect(b"\\")
    name = SPECIAL.get("\\" + cursor.word())
    if name is None:
        raise Refused("there is no such special use", b"USEATTR")
    return name


@dataclass(frozen=True, slots=True)
class Delete:
    name: str

    @classmethod
    def read(cls, cursor: Cursor) -> Delete:
        cursor.space()
        return cls(read_name(cursor))

    async def run(self, session: Session) -> Ok:
        if session.view is not None and session.view.mailbox.name == self.name:
            session.unselect()
        await session.house.store.delete(session.account, self.name)
        return Ok("deleted")


@dataclass(frozen=True, slots=True)
class Rename:
    old: str
    new: str

    @classmethod
    def read(cls, cursor: Cursor) -> Rename:
        cursor.space()
        old = read_name(cursor)
        cursor.space()
        return cls(old, read_name(cursor))

    async def run(self, session: Session) -> Ok:
        await session.house.store.rename(session.account, self.old, self.new)
        return Ok("renamed")


@dataclass(frozen=True, slots=True)
class Subscribe:
    name: str
    subscribed: bool

    @classmethod
    def read(cls, cursor: Cursor, subscribed: bool) -> Subscribe:
        cursor.space()
        return cls(read_name(cursor), subscribed)

    async def run(self, session: Session) -> Ok:
        if self.subscribed:
            await self._require(session)
        await session.house.store.subscribe(session.account, self.name, self.subscribed)
        return Ok("subscribed" if self.subscribed else "no longer subscribed")

    async def _require(self, session: Session) -> None:
        try:
            await session.house.store.mailbox(session.account, self.name)
        except Absent:
            raise Refused("there is no such mailbox", b"NONEXISTENT") from None


subscribe, unsubscribe = partial(Subscribe.read, subscribed=True), partial(Subscribe.read, subscribed=False)
