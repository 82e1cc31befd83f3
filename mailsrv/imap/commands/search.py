"""SEARCH and UID SEARCH (RFC 9051 6.4.4; RETURN: RFC 4731, SAVE: RFC 5182, MODSEQ: RFC 7162 3.1.5). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from mailsrv.imap.grammar.cursor import Cursor, Unreadable
from mailsrv.imap.grammar.search import And, Key, ModSeq, Not, Or, read_keys
from mailsrv.imap.grammar.sets import ranged, written
from mailsrv.imap.replies import Ok, Refused
from mailsrv.imap.searching import Searching
from mailsrv.imap.session import Session
from mailsrv.imap.view import View
from mailsrv.imap.writers import string

RETURNS = ("MIN", "MAX", "ALL", "COUNT", "SAVE")
CHARSETS = ("US-ASCII", "UTF-8")


@dataclass(frozen=True, slots=True)
class Search:
    key: Key
    uid: bool
    wanted: frozenset[str] | None = None  # of RETURN; None: there was none

    @classmethod
    def read(cls, cursor: Cursor, uid: bool = False) -> Search:
        cursor.space()
        wanted = read_return(cursor)
        if cursor.skip(b"CHARSET "):
            check_charset(cursor.astring())
            cursor.space()
        return cls(read_keys(cursor), uid, wanted)

    async def run(self, session: Session) -> Ok:
        view = session.selected
        modseq = by_modseq(self.key)
        if modseq:
            session.enable("CONDSTORE")
        uids = await self._found(session, view)
        numbers = uids if self.uid else view.numbers(uids)
        highest = (
            max((view.index.modseqs[at] for at in map(view.index.find, uids) if at >= 0), default=0) if modseq else 0
        )
        if self.wanted is not None or session.rev2:
            wanted = self.wanted if self.wanted is not None else frozenset({"ALL"})
            answer_extended(session, self.uid, wanted, numbers, highest)
            save(view, wanted, uids)
        else:
            tail = b" (MODSEQ %d)" % highest if highest else b""
            session.send(b"* SEARCH%b%b\r\n" % (spaced(numbers), tail))
        return Ok("searched")

    async def _found(self, session: Session, view: View) -> list[int]:
        try:
            return await Searching(session, view).uids(self.key)
        except Refused:
            if self.wanted and "SAVE" in self.wanted:
                view.saved = frozenset()  # RFC 5182 2.1: a search that failed leaves nothing
            raise


def spaced(numbers: list[int]) -> bytes:
    """Each with a space before it."""
    return (" " + " ".join(map(str, numbers))).encode("ascii") if numbers else b""


def read_return(cursor: Cursor) -> frozenset[str] | None:
    """RETURN (MIN MAX ALL COUNT SAVE) and the space behind it; empty means ALL."""
    if not cursor.skip(b"RETURN "):
        return None
    names = frozenset(cursor.listed(Cursor.word, len(RETURNS) * 2, empty=True))
    if not names <= set(RETURNS):
        raise Unreadable("there is no such return option")
    cursor.space()
    return names or frozenset({"ALL"})


def check_charset(name: bytes) -> None:
    if name.upper().decode("ascii", "replace") not in CHARSETS:
        raise Refused("that charset is not spoken here", b"BADCHARSET (US-ASCII UTF-8)")


def answer_extended(
    session: Session, uid: bool, wanted: frozenset[str], numbers: list[int], modseq: int, ordered: bool = False
) -> None:
    """ESEARCH (RFC 4731 3.1); `ordered`: the order means something, as SORT's does."""
    words = [b"* ESEARCH (TAG %b)%b" % (string(session.tag), b" UID" if uid else b"")]
    if numbers and "MIN" in wanted:
        words.append(b"MIN %d" % (numbers[0] if ordered else min(numbers)))
    if numbers and "MAX" in wanted:
        words.append(b"MAX %d" % (numbers[-1] if ordered else max(numbers)))
    if numbers and "ALL" in wanted:
        words.append(b"ALL " + written(ranged(numbers)))
    if "COUNT" in wanted:
        words.append(b"COUNT %d" % len(numbers))
    if modseq:
        words.append(b"MODSEQ %d" % modseq)
    if wanted != {"SAVE"}:
        session.send(b" ".join(words) + b"\r\n")


def save(view: View, wanted: frozenset[str], uids: list[int]) -> None:
    """RFC 5182 2.4: with MIN or MAX and neither ALL nor COUNT only these are kept."""
    if "SAVE" not in wanted:
        return
    ends = wanted & {"MIN", "MAX"}
    if not uids or not ends or wanted & {"ALL", "COUNT"}:
        view.saved = frozenset(uids)
        return
    view.saved = frozenset(([min(uids)] if "MIN" in ends else []) + ([max(uids)] if "MAX" in ends else []))


def by_modseq(key: Key) -> bool:
    """Whether MODSEQ is among the keys."""
    match key:
        case ModSeq():
            return True
        case Not(inner):
            return by_modseq(inner)
        case Or(left, right):
            return by_modseq(left) or by_modseq(right)
        case And(keys):
            return any(map(by_modseq, keys))
    return False


search, uid_search = partial(Search.read), partial(Search.read, uid=True)
