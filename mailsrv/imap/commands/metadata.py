"""GETMETADATA, SETMETADATA (RFC 5464). Entries are kept by the store, names in lower case, values as they came. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailsrv.imap import writers
from mailsrv.imap.grammar.cursor import Cursor, Unreadable
from mailsrv.imap.grammar.names import mailbox_name, wire_text
from mailsrv.imap.limits import ENTRIES
from mailsrv.imap.replies import Ok, Refused
from mailsrv.imap.session import Session

ENTRY = re.compile(r"/(?:private|shared)(?:/[a-z0-9._:+-]+)+")
LONGEST_NAME, LONGEST_VALUE, MOST = 200, 65536, 200
INFINITE = 1000


@dataclass(frozen=True, slots=True)
class GetMetadata:
    name: str
    entries: tuple[str, ...]
    depth: int = 0
    longest: int | None = None

    @classmethod
    def read(cls, cursor: Cursor) -> GetMetadata:
        cursor.space()
        depth, longest = read_options(cursor)
        name = read_target(cursor)
        cursor.space()
        if cursor.stands(b"(") and depth is None and longest is None:
            depth, longest, entries = read_late_options(cursor)
        else:
            entries = read_entries(cursor)
        return cls(name, entries, depth or 0, longest)

    async def run(self, session: Session) -> Ok:
        found = await session.house.store.metadata(session.account, self.name, {})
        wanted = {name: value for name, value in sorted(found.items()) if self._asked(name)}
        fit = {n: v for n, v in wanted.items() if self.longest is None or len(v) <= self.longest}
        if fit:
            pairs = [word for n, v in fit.items() for word in (n.encode("utf-8"), writers.literal8(v))]
            session.send(b"* METADATA %b %b\r\n" % (target_text(session, self.name), writers.listed(pairs)))
        longest = max((len(v) for n, v in wanted.items() if n not in fit), default=0)
        return Ok("that is known", b"METADATA LONGENTRIES %d" % longest if longest else b"")

    def _asked(self, name: str) -> bool:
        for entry in self.entries:
            if name == entry:
                return True
            if name.startswith(entry + "/") and name[len(entry) :].count("/") <= self.depth:
                return True
        return False


@dataclass(frozen=True, slots=True)
class SetMetadata:
    name: str
    changes: tuple[tuple[str, bytes | None], ...]

    @classmethod
    def read(cls, cursor: Cursor) -> SetMetadata:
        cursor.space()
        name = read_target(cursor)
        cursor.space()
        return cls(name, cursor.listed(read_change, ENTRIES))

    async def run(self, session: Session) -> Ok:
        if any(value is not None and len(value) > LONGEST_VALUE for _, value in self.changes):
            raise Refused("the value is too long", b"METADATA MAXSIZE %d" % LONGEST_VALUE)
        store = session.house.store
        present = await store.metadata(session.account, self.name, {})
        if len(present.keys() | {name for name, value in self.changes if value is not None}) > MOST:
            raise Refused("there are too many entries", b"METADATA TOOMANY")
        await store.metadata(session.account, self.name, dict(self.changes))
        return Ok("noted")


def read_target(cursor: Cursor) -> str:
    """A mailbox, or "" for the server."""
    text = wire_text(cursor.astring(), cursor.utf8)
    return mailbox_name(text) if text else ""


def target_text(session: Session, name: str) -> bytes:
    return session.name(name) if name else b'""'


def read_entries(cursor: Cursor) -> tuple[str, ...]:
    return cursor.listed(read_entry, ENTRIES) if cursor.stands(b"(") else (read_entry(cursor),)


def read_entry(cursor: Cursor) -> str:
    name = cursor.text().lower()
    if len(name) > LONGEST_NAME or not ENTRY.fullmatch(name):
        raise Unreadable("an entry is named like /private/comment")
    return name


def read_change(cursor: Cursor) -> tuple[str, bytes | None]:
    name = read_entry(cursor)
    cursor.space()
    if cursor.stands(b"~{"):
        return name, cursor.literal(binary=True)
    return name, cursor.nstring()


def read_options(cursor: Cursor) -> tuple[int | None, int | None]:
    """(MAXSIZE n DEPTH d) before the mailbox."""
    if not cursor.stands(b"("):
        return None, None
    found = read_option_list(cursor)
    cursor.space()
    return found


def read_late_options(cursor: Cursor) -> tuple[int | None, int | None, tuple[str, ...]]:
    """RFC 5464 shows the options behind the mailbox as well; a list that begins with / is one of entries."""
    if cursor.stands(b"(/") or cursor.stands(b'("/'):
        return None, None, read_entries(cursor)
    depth, longest = read_option_list(cursor)
    cursor.space()
    return depth, longest, read_entries(cursor)


def read_option_list(cursor: Cursor) -> tuple[int | None, int | None]:
    depth = longest = None
    cursor.expect(b"(")
    while True:
        match cursor.word():
            case "MAXSIZE":
                cursor.space()
                longest = cursor.number()
            case "DEPTH":
                cursor.space()
                depth = read_depth(cursor)
            case _:
                raise Unreadable("there is no such option")
        if cursor.skip(b")"):
            return depth, longest
        cursor.space()


def read_depth(cursor: Cursor) -> int:
    word = cursor.word()
    if word not in ("0", "1", "INFINITY"):
        raise Unreadable("DEPTH is 0, 1 or infinity")
    return INFINITE if word == "INFINITY" else int(word)
