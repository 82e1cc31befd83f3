"""COPY and MOVE (RFC 9051 6.4.7, 6.4.8, COPYUID 7.1). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from mailsrv.imap.grammar.cursor import Cursor
from mailsrv.imap.grammar.names import read_name
from mailsrv.imap.grammar.sets import Numbers, ranged, read_numbers, written
from mailsrv.imap.replies import Ok, Refused, bad
from mailsrv.imap.session import Session
from mailsrv.imap.view import View, beyond
from mailsrv.store.door import Absent, Copied, Mailbox

JUNK, TRASH = "\\Junk", "\\Trash"
MOST_JUDGED = 100  # messages that one command tells us are junk, or are not


@dataclass(frozen=True, slots=True)
class Copy:
    numbers: Numbers
    target: str
    uid: bool
    move: bool

    @classmethod
    def read(cls, cursor: Cursor, uid: bool = False, move: bool = False) -> Copy:
        cursor.space()
        numbers = read_numbers(cursor)
        cursor.space()
        return cls(numbers, read_name(cursor), uid, move)

    async def run(self, session: Session) -> Ok:
        view = session.writable if self.move else session.selected
        uids = chosen(view, self.numbers, self.uid)
        target = await existing(session, self.target)
        if not uids:
            return Ok("nothing to do")
        junk, blobs = target.special == JUNK, []
        if junk != (view.mailbox.special == JUNK) and (junk or target.special != TRASH):
            blobs = view.index.contents_of(uids[:MOST_JUDGED])
        act = session.house.store.move if self.move else session.house.store.copy
        copied = await act(view.mailbox.id, uids, target.id)
        if blobs:
            session.house.judged(session.account, blobs, junk)
        return self._told(session, copied)

    def _told(self, session: Session, copied: Copied) -> Ok:
        if not copied.source:
            return Ok("they are gone already", b"EXPUNGEISSUED")
        code = copyuid(copied)
        if not self.move:
            return Ok("copied", code)
        session.send(b"* OK [%b] moved\r\n" % code)  # RFC 9051 6.4.8: before the EXPUNGE responses
        return Ok("moved")


def chosen(view: View, numbers: Numbers, uid: bool) -> list[int]:
    """The UIDs that are meant."""
    if not uid and beyond(numbers, len(view)):
        raise bad("there is no message of that number")
    return view.uids_at(view.places(numbers, uid))


async def existing(session: Session, name: str) -> Mailbox:
    """The mailbox where something goes."""
    try:
        mailbox = await session.house.store.mailbox(session.account, name)
    except Absent:
        raise Refused("there is no such mailbox", b"TRYCREATE") from None
    if not mailbox.selectable:
        raise Refused("this is a name without a mailbox", b"TRYCREATE")
    return mailbox


def copyuid(copied: Copied) -> bytes:
    """Source and target UIDs in the same order; ours are ascending, so that ranges keep it."""
    pairs = sorted(zip(copied.source, copied.target, strict=True))
    source, target = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    right = written(ranged(target)) if target == sorted(target) else b",".join(b"%d" % uid for uid in target)
    return b"COPYUID %d %b %b" % (copied.uidvalidity, written(ranged(source)), right)


copy, uid_copy = partial(Copy.read), partial(Copy.read, uid=True)
move, uid_move = partial(Copy.read, move=True), partial(Copy.read, uid=True, move=True)
