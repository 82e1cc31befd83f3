"""APPEND (RFC 9051 6.3.12), several at once (RFC 3502), binary (RFC 3516 4.4), UTF8 (RFC 6855 4); REPLACE (RFC 8508). Pure.

Octets go into the store as they came. Several messages are accepted together or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from mailsrv.imap.commands.copy import chosen, existing
from mailsrv.imap.grammar.cursor import Cursor, Unreadable
from mailsrv.imap.grammar.dates import read_date_time
from mailsrv.imap.grammar.flags import read_flags
from mailsrv.imap.grammar.names import read_name
from mailsrv.imap.grammar.sets import Numbers, ranged, read_numbers, written
from mailsrv.imap.limits import MESSAGES
from mailsrv.imap.replies import Ok, Refused
from mailsrv.imap.session import Session
from mailsrv.store.door import Message, Place, Placed

SMALL = 32768  # bytes that are scanned at once, without a thread


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to append."""

    content: bytes
    flags: frozenset[str] = frozenset()
    received: datetime | None = None


@dataclass(frozen=True, slots=True)
class Append:
    target: str
    letters: tuple[Letter, ...]

    @classmethod
    def read(cls, cursor: Cursor) -> Append:
        cursor.space()
        target = read_name(cursor)
        letters: list[Letter] = []
        while cursor.skip(b" "):
            if len(letters) >= MESSAGES:
                raise Unreadable(f"more than {MESSAGES} messages at once")
            letters.append(read_letter(cursor))
        if not letters:
            raise Unreadable("a message expected")
        return cls(target, tuple(letters))

    async def run(self, session: Session) -> Ok:
        mailbox = await existing(session, self.target)
        if not all(letter.content for letter in self.letters):
            raise Refused("an empty message is none")
        messages = [await message(session, letter, self.target) for letter in self.letters]
        placed = await session.house.store.accept(*messages)
        return Ok("appended", appenduid(placed, mailbox.uidvalidity))


@dataclass(frozen=True, slots=True)
class Replace:
    numbers: Numbers
    target: str
    letter: Letter
    uid: bool

    @classmethod
    def read(cls, cursor: Cursor, uid: bool) -> Replace:
        cursor.space()
        numbers = read_numbers(cursor)
        cursor.space()
        target = read_name(cursor)
        cursor.space()
        return cls(numbers, target, read_letter(cursor), uid)

    async def run(self, session: Session) -> Ok:
        view = session.writable
        uids = chosen(view, self.numbers, self.uid)
        if len(uids) != 1 or uids[0] in view.gone:
            raise Refused("there is no such message to replace")
        mailbox = await existing(session, self.target)
        new = await message(session, self.letter, self.target, (view.mailbox.id, uids[0]))
        placed = await session.house.store.accept(new)
        session.send(b"* OK [%b] the new one is here\r\n" % appenduid(placed, mailbox.uidvalidity))
        return Ok("replaced")


def read_letter(cursor: Cursor) -> Letter:
    """[(flags)] ["date"] literal"""
    flags: frozenset[str] = frozenset()
    received = None
    if cursor.stands(b"("):
        flags = read_flags(cursor)
        cursor.space()
    if cursor.stands(b'"'):
        received = read_date_time(cursor)
        cursor.space()
    return Letter(read_content(cursor), flags, received)


def read_content(cursor: Cursor) -> bytes:
    if not cursor.skip(b"UTF8 ("):
        return cursor.literal(binary=True)
    if not cursor.utf8:
        raise Unreadable("UTF8 was not enabled")
    content = cursor.literal(binary=True)
    cursor.expect(b")")
    return content


async def message(session: Session, letter: Letter, target: str, replaces: tuple[int, int] | None = None) -> Message:
    """Ready for the store; what is large is scanned in a thread."""
    house = session.house
    work = partial(house.digest, letter.content)
    digest = work() if len(letter.content) <= SMALL else await session.wire.away(work)
    place = Place(session.account, target, letter.flags)
    return Message(letter.content, digest, letter.received or house.now(), (place,), replaces=replaces)


def appenduid(placed: tuple[Placed, ...], uidvalidity: int) -> bytes:
    """RFC 9051 7.1: the UIDs in order."""
    validity = placed[0].uidvalidity if placed else uidvalidity
    return b"APPENDUID %d %b" % (validity, written(ranged(sorted(each.uid for each in placed))))


replace, uid_replace = partial(Replace.read, uid=False), partial(Replace.read, uid=True)
