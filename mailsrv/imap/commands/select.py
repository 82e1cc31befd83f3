"""SELECT, EXAMINE (RFC 9051 6.3.2; CONDSTORE and QRESYNC: RFC 7162 3.1.8, 3.2.5), CLOSE and UNSELECT. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from mailsrv.imap.grammar.cursor import UINT63, Cursor, Unreadable
from mailsrv.imap.grammar.flags import DELETED, SEEN
from mailsrv.imap.grammar.names import read_name
from mailsrv.imap.grammar.sets import Numbers, contains, each, merged, ranged, read_numbers, written
from mailsrv.imap.replies import Ok, Refused, bad
from mailsrv.imap.session import Session
from mailsrv.imap.view import View
from mailsrv.store.door import Mailbox

MOST_MATCHES = 10000  # message sequence match data of QRESYNC


@dataclass(frozen=True, slots=True)
class Resync:
    """What the client remembers of this mailbox."""

    uidvalidity: int
    modseq: int
    known: Numbers | None = None
    matches: tuple[Numbers, Numbers] | None = None  # sequence numbers and the UIDs they had


@dataclass(frozen=True, slots=True)
class Select:
    name: str
    read_only: bool
    condstore: bool = False
    resync: Resync | None = None

    @classmethod
    def read(cls, cursor: Cursor, read_only: bool) -> Select:
        cursor.space()
        name = read_name(cursor)
        condstore, resync = False, None
        if cursor.skip(b" ("):
            condstore, resync = read_parameters(cursor)
        return cls(name, read_only, condstore, resync)

    async def run(self, session: Session) -> Ok:
        leave(session)
        if self.resync and "QRESYNC" not in session.enabled:
            raise bad("QRESYNC was not enabled")
        if self.condstore:
            session.enable("CONDSTORE")
        mailbox = await session.house.store.mailbox(session.account, self.name)
        if not mailbox.selectable:
            raise Refused("this is a name without a mailbox", b"NONEXISTENT")
        view = View(mailbox, await session.house.indexes.open(mailbox), self.read_only, session.wake)
        session.select(view)
        session.send(introduced(session, view, mailbox))
        if self.resync and self.resync.uidvalidity == mailbox.uidvalidity:
            await resynchronise(session, view, self.resync)
        return Ok("selected", b"READ-ONLY" if self.read_only else b"READ-WRITE")


def read_parameters(cursor: Cursor) -> tuple[bool, Resync | None]:
    """(CONDSTORE) or (QRESYNC (...)), or both; the parenthesis is open."""
    condstore, resync = False, None
    while True:
        match cursor.word():
            case "CONDSTORE":
                condstore = True
            case "QRESYNC":
                cursor.space()
                resync = read_resync(cursor)
            case _:
                raise Unreadable("there is no such parameter")
        if cursor.skip(b")"):
            return condstore, resync
        cursor.space()


def read_resync(cursor: Cursor) -> Resync:
    cursor.expect(b"(")
    uidvalidity = cursor.number()
    cursor.space()
    modseq = cursor.number(UINT63)
    known, matches = None, None
    if cursor.stands(b" ") and not cursor.stands(b" ("):
        cursor.space()
        known = read_numbers(cursor, star=False)
    if cursor.skip(b" ("):
        numbers = read_numbers(cursor, star=False)
        cursor.space()
        matches = (numbers, read_numbers(cursor, star=False))
        cursor.expect(b")")
    cursor.expect(b")")
    return Resync(uidvalidity, modseq, known, matches)


def leave(session: Session) -> None:
    """What was selected is no more (RFC 9051 6.3.2)."""
    if session.view is None:
        return
    session.unselect()
    if session.rev2 or "QRESYNC" in session.enabled:
        session.send(b"* OK [CLOSED] the previous mailbox is closed\r\n")


def introduced(session: Session, view: View, mailbox: Mailbox) -> bytes:
    """All that the client must know of the mailbox."""
    permanent = b"" if view.read_only else view.flag_names() + b" \\*"
    lines = [
        b"* FLAGS (%b)" % view.flag_names(),
        b"* OK [PERMANENTFLAGS (%b)] these stay" % permanent,
        b"* %d EXISTS" % len(view),
        *rev1_only(session, view, mailbox),
        b"* OK [UIDVALIDITY %d] UIDs are valid" % mailbox.uidvalidity,
        b"* OK [UIDNEXT %d] the next UID" % max(mailbox.uidnext, view.index.last + 1),
        b"* OK [HIGHESTMODSEQ %d] the highest" % mailbox.highestmodseq,
        b"* OK [MAILBOXID (F%d)] its identity" % mailbox.id,
    ]
    if session.rev2:
        lines.append(b'* LIST () "/" %b' % session.name(mailbox.name))
    return b"\r\n".join([*lines, b""])


def rev1_only(session: Session, view: View, mailbox: Mailbox) -> list[bytes]:
    if session.rev2:
        return []
    first = first_unseen(view) if mailbox.unseen else 0
    unseen = [b"* OK [UNSEEN %d] the first that is unseen" % first] if first else []
    return [b"* %d RECENT" % len(view.recent), *unseen]


def first_unseen(view: View) -> int:
    """Its sequence number; looked up by flag sets, of which there are few."""
    index = view.index
    seen = index.having(SEEN)
    unseen = [number for number in range(len(index.sets)) if number not in seen]
    return min((at + 1 for at in (first_place(index.flagsets, number) for number in unseen) if at >= 0), default=0)


def first_place(column: object, number: int) -> int:
    try:
        return column.index(number)  # type: ignore[attr-defined, no-any-return]
    except ValueError:
        return -1


async def resynchronise(session: Session, view: View, resync: Resync) -> None:
    """What went and what changed since (RFC 7162 3.2.5.1, 3.2.5.2)."""
    gone = await session.house.store.vanished(view.mailbox.id, resync.modseq)
    known = known_uids(view, resync)
    ranges = ranged(uid for uid in gone if known is None or contains(known, uid))
    if ranges:
        session.send(b"* VANISHED (EARLIER) %b\r\n" % written(ranges))
    index = view.index
    changed = [uid for uid, modseq in zip(index.uids, index.modseqs, strict=True) if modseq > resync.modseq]
    changed = changed if known is None else [uid for uid in changed if contains(known, uid)]
    for start in range(0, len(changed), 1000):
        session.send(b"".join(view.fetch_flags(changed[start : start + 1000])))
        await session.wire.drained()


def known_uids(view: View, resync: Resync) -> list[tuple[int, int]] | None:
    """The UIDs that the client has, without those that it proved to have right (RFC 7162 3.2.5.2)."""
    known = merged(resync.known.ranges) if resync.known else None
    if resync.matches is None:
        return known
    proven = proven_up_to(view, *resync.matches)
    if not proven:
        return known
    everything = known if known is not None else [(1, view.index.last)]
    return [(max(low, proven + 1), high) for low, high in everything if high > proven]


def proven_up_to(view: View, numbers: Numbers, uids: Numbers) -> int:
    """The highest UID up to which nothing can have gone: it still has the sequence number it had."""
    proven = 0
    for count, (number, uid) in enumerate(zip(each(merged(numbers.ranges)), each(merged(uids.ranges)), strict=False)):
        if count >= MOST_MATCHES or number > len(view) or view.uids[number - 1] != uid:
            break
        proven = uid
    return proven


@dataclass(frozen=True, slots=True)
class Close:
    """CLOSE expunges in silence; UNSELECT only leaves."""

    expunge: bool

    @classmethod
    def read(cls, cursor: Cursor, expunge: bool) -> Close:
        return cls(expunge)

    async def run(self, session: Session) -> Ok:
        view = session.selected
        if self.expunge and not view.read_only:
            deleted = view.index.having(DELETED)
            known = [
                u for u, n in zip(view.index.uids, view.index.flagsets, strict=True) if n in deleted and view.number(u)
            ]
            if known:
                await session.house.store.expunge(view.mailbox.id, known)
        session.unselect()
        return Ok("closed")


select, examine = partial(Select.read, read_only=False), partial(Select.read, read_only=True)
close, unselect = partial(Close.read, expunge=True), partial(Close.read, expunge=False)
