"""NOTIFY (RFC 5465): tell me of other mailboxes too, and do not wait until I ask. Pure.

Metadata events are not offered; who asks for them gets NO [BADEVENT] with those that are.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailsrv.imap.commands.fetch import Fetch
from mailsrv.imap.grammar.cursor import Cursor, Unreadable
from mailsrv.imap.grammar.fetch import Item, Octets, Wanted, read_item
from mailsrv.imap.grammar.names import read_name
from mailsrv.imap.grammar.sets import Numbers
from mailsrv.imap.limits import ITEMS, PATTERNS
from mailsrv.imap.noticing import EVENTS, Group, Scope, begin
from mailsrv.imap.replies import Ok, Refused
from mailsrv.imap.session import Session

UNOFFERED = ("ANNOTATIONCHANGE", "MAILBOXMETADATACHANGE", "SERVERMETADATACHANGE")
OFFERED = b"BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange)"
SELECTED = (Scope.SELECTED, Scope.DELAYED)


@dataclass(frozen=True, slots=True)
class Notify:
    groups: tuple[Group, ...] | None = None  # None: no more of it
    status: bool = False

    @classmethod
    def read(cls, cursor: Cursor) -> Notify:
        cursor.space()
        word = cursor.word()
        if word == "NONE":
            return cls()
        if word != "SET":
            raise Unreadable("SET or NONE expected")
        status = cursor.skip(b" STATUS")
        groups: list[Group] = []
        while cursor.skip(b" "):
            if len(groups) >= PATTERNS:
                raise Unreadable("too many groups")
            groups.append(read_group(cursor))
        if not groups:
            raise Unreadable("of what shall be told?")
        return cls(tuple(groups), status)

    async def run(self, session: Session) -> Ok:
        if self.groups is None:
            session.notice(None)
            return Ok("silent from here")
        if any(event in UNOFFERED for group in self.groups for event in group.events):
            raise Refused("not all of these events can be told", OFFERED)
        notices = await begin(session, self.groups, show)
        session.notice(notices)
        if self.status:
            await notices.introduce(session)
        return Ok("will be told")


async def show(session: Session, items: tuple[Item | Octets, ...], uids: list[int]) -> None:
    """MessageNew with items: FETCH what has just arrived."""
    numbers = Numbers(tuple((uid, uid) for uid in uids))
    await Fetch(numbers, Wanted(items), uid=True).run(session)


def read_group(cursor: Cursor) -> Group:
    """(mailboxes (events)) or (mailboxes NONE)"""
    cursor.expect(b"(")
    scope = read_scope(cursor.word())
    names: tuple[str, ...] = ()
    if scope in (Scope.SUBTREE, Scope.MAILBOXES):
        cursor.space()
        names = cursor.listed(read_name, ITEMS) if cursor.stands(b"(") else (read_name(cursor),)
    cursor.space()
    events, items = (frozenset[str](), ()) if cursor.skip(b"NONE") else read_events(cursor)
    cursor.expect(b")")
    return Group(scope, names, events, items)


def read_scope(word: str) -> Scope:
    try:
        return Scope(word)
    except ValueError:
        raise Unreadable("there is no such group of mailboxes") from None


def read_events(cursor: Cursor) -> tuple[frozenset[str], tuple[Item | Octets, ...]]:
    cursor.expect(b"(")
    events: set[str] = set()
    items: tuple[Item | Octets, ...] = ()
    while not cursor.skip(b")"):
        if events:
            cursor.space()
        event = cursor.word()
        if event not in EVENTS and event not in UNOFFERED:
            raise Unreadable("there is no such event")
        events.add(event)
        if event == "MESSAGENEW" and cursor.skip(b" "):
            if not cursor.stands(b"("):
                cursor.at -= 1
                continue
            items = cursor.listed(read_item, ITEMS)
    return frozenset(events), items
