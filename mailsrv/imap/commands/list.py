"""LIST with its extensions (RFC 9051 6.3.9, RFC 5258, 5819, 6154) and LSUB (RFC 3501 6.3.9). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mailsrv.imap.commands.status import notice_condstore, read_items, status_line
from mailsrv.imap.grammar.cursor import LIST_MAILBOX, Cursor, Unreadable
from mailsrv.imap.grammar.names import SEPARATOR, wire_text
from mailsrv.imap.limits import ITEMS, PATTERNS
from mailsrv.imap.matching import Pattern
from mailsrv.imap.replies import Ok
from mailsrv.imap.session import Session
from mailsrv.store.door import Mailbox

SELECTIONS = ("SUBSCRIBED", "REMOTE", "RECURSIVEMATCH", "SPECIAL-USE")
RETURNS = ("SUBSCRIBED", "CHILDREN", "SPECIAL-USE", "STATUS")


@dataclass(frozen=True, slots=True)
class List:
    reference: str
    patterns: tuple[str, ...]
    only: frozenset[str] = frozenset()
    wanted: frozenset[str] = frozenset()
    status: tuple[str, ...] = ()

    @classmethod
    def read(cls, cursor: Cursor) -> List:
        cursor.space()
        only = read_selection(cursor)
        reference = wire_text(cursor.astring(), cursor.utf8)
        cursor.space()
        patterns = cursor.listed(read_pattern, PATTERNS) if cursor.stands(b"(") else (read_pattern(cursor),)
        wanted, status = read_return(cursor) if cursor.skip(b" RETURN ") else (frozenset(), ())
        return cls(reference, patterns, only, wanted, status)

    async def run(self, session: Session) -> Ok:
        if self.patterns == ("",):
            session.send(b'* LIST (\\Noselect) "/" ""\r\n')
            return Ok("levels are parted by /")
        notice_condstore(session, self.status)
        patterns = [Pattern(self.reference + text) for text in self.patterns]
        mailboxes = {box.name: box for box in await session.house.store.mailboxes(session.account)}
        subscribed = await session.house.store.subscriptions(session.account)
        for count, found in enumerate(self._found(Known(mailboxes, subscribed), patterns), 1):
            self._show(session, found)
            if not count % 100:
                await session.wire.drained()
        return Ok("listed")

    def _found(self, known: Known, patterns: list[Pattern]) -> Iterator[Found]:
        for name in known.names(self.only):
            if any(pattern(name) for pattern in patterns):
                found = known.look(name, self.only)
                if found is not None:
                    yield found

    def _show(self, session: Session, found: Found) -> None:
        words = list(found.attributes)
        if found.subscribed and ("SUBSCRIBED" in self.wanted or "SUBSCRIBED" in self.only):
            words.append(b"\\Subscribed")
        info = b' ("CHILDINFO" ("SUBSCRIBED"))' if found.below else b""
        session.send(b'* LIST (%b) "/" %b%b\r\n' % (b" ".join(words), session.name(found.name), info))
        if self.status and found.mailbox is not None and found.mailbox.selectable:
            session.send(status_line(session, found.mailbox, self.status))


@dataclass(frozen=True, slots=True)
class Found:
    """One line of the list. `below`: it stands here for what is subscribed below it."""

    name: str
    attributes: tuple[bytes, ...]
    mailbox: Mailbox | None
    subscribed: bool = False
    below: bool = False


class Known:
    """The mailboxes and subscriptions of an account, and what lies above what."""

    def __init__(self, mailboxes: dict[str, Mailbox], subscribed: frozenset[str]) -> None:
        self.mailboxes, self.subscribed = mailboxes, subscribed
        self.parents = {parent for name in mailboxes for parent in above(name)}

    def names(self, only: frozenset[str]) -> list[str]:
        """All that may be listed, parents of what is there as well."""
        if "SUBSCRIBED" not in only:
            return sorted(self.mailboxes.keys() | self.parents, key=order)
        parents = {p for name in self.subscribed for p in above(name)} if "RECURSIVEMATCH" in only else set()
        return sorted(self.subscribed | parents, key=order)

    def look(self, name: str, only: frozenset[str]) -> Found | None:
        box = self.mailboxes.get(name)
        here = name in self.subscribed
        below = "RECURSIVEMATCH" in only and any(other.startswith(name + SEPARATOR) for other in self.subscribed)
        if "SUBSCRIBED" in only and not here and not below:
            return None
        if "SPECIAL-USE" in only and not (box and box.special):
            return None
        return Found(name, self._attributes(name, box), box, here, below)

    def _attributes(self, name: str, box: Mailbox | None) -> tuple[bytes, ...]:
        words = [] if box and box.selectable else [b"\\Noselect" if box or name in self.parents else b"\\NonExistent"]
        words.append(b"\\HasChildren" if name in self.parents else b"\\HasNoChildren")
        if box and box.special:
            words.append(box.special.encode("ascii"))
        return tuple(words)


@dataclass(frozen=True, slots=True)
class Lsub:
    reference: str
    pattern: str

    @classmethod
    def read(cls, cursor: Cursor) -> Lsub:
        cursor.space()
        reference = wire_text(cursor.astring(), cursor.utf8)
        cursor.space()
        return cls(reference, read_pattern(cursor))

    async def run(self, session: Session) -> Ok:
        pattern = Pattern(self.reference + self.pattern)
        names = await session.house.store.subscriptions(session.account)
        there = {box.name for box in await session.house.store.mailboxes(session.account) if box.selectable}
        shown = {name: name in there for name in names if pattern(name)}
        if self.pattern.endswith("%"):  # RFC 3501 6.3.9: a level above a subscription is shown, not selectable
            shown |= {p: False for name in names for p in above(name) if p not in names and pattern(p)}
        for name in sorted(shown, key=order):
            session.send(b'* LSUB (%b) "/" %b\r\n' % (b"" if shown[name] else b"\\Noselect", session.name(name)))
        return Ok("listed")


def above(name: str) -> list[str]:
    levels = name.split(SEPARATOR)
    return [SEPARATOR.join(levels[:count]) for count in range(1, len(levels))]


def order(name: str) -> tuple[bool, str]:
    """INBOX first."""
    return name != "INBOX", name


def read_pattern(cursor: Cursor) -> str:
    found = LIST_MAILBOX.match(cursor.data, cursor.at)
    if found is None:
        return wire_text(cursor.string(), cursor.utf8)
    cursor.at = found.end()
    return wire_text(found[0], cursor.utf8)


def read_selection(cursor: Cursor) -> frozenset[str]:
    if not cursor.stands(b"("):
        return frozenset()
    only = frozenset(cursor.listed(read_option, ITEMS, empty=True))
    cursor.space()
    if not only <= set(SELECTIONS):
        raise Unreadable("there is no such selection option")
    if "RECURSIVEMATCH" in only and not only - {"RECURSIVEMATCH", "REMOTE"}:
        raise Unreadable("RECURSIVEMATCH needs another selection option")
    return only


def read_option(cursor: Cursor) -> str:
    return cursor.word()


def read_return(cursor: Cursor) -> tuple[frozenset[str], tuple[str, ...]]:
    """(SUBSCRIBED CHILDREN SPECIAL-USE STATUS (...))"""
    names: set[str] = set()
    status: tuple[str, ...] = ()
    cursor.expect(b"(")
    while not cursor.skip(b")"):
        if names:
            cursor.space()
        name = cursor.word()
        if name not in RETURNS or len(names) >= ITEMS:
            raise Unreadable("there is no such return option")
        names.add(name)
        if name == "STATUS":
            cursor.space()
            status = read_items(cursor)
    return frozenset(names), status
