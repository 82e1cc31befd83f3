"""THREAD and UID THREAD (RFC 5256): the threading itself is `mailsrv.message.threads`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import cast

from mailsrv.imap.commands.search import by_modseq, check_charset
from mailsrv.imap.commands.sort import Values, gather
from mailsrv.imap.grammar.cursor import Cursor, Unreadable
from mailsrv.imap.grammar.search import Key, read_keys
from mailsrv.imap.replies import Ok
from mailsrv.imap.searching import Searching
from mailsrv.imap.session import Session
from mailsrv.message.subjects import base_subject
from mailsrv.message.threads import ALGORITHMS, Letter, Node, text

FIELDS = ("message_id", "references", "base", "subject", "sent")


@dataclass(frozen=True, slots=True)
class Thread:
    algorithm: str
    key: Key
    uid: bool

    @classmethod
    def read(cls, cursor: Cursor, uid: bool = False) -> Thread:
        cursor.space()
        algorithm = cursor.word()
        if algorithm not in ALGORITHMS:
            raise Unreadable("there is no such way to thread")
        cursor.space()
        check_charset(cursor.astring())
        cursor.space()
        return cls(algorithm, read_keys(cursor), uid)

    async def run(self, session: Session) -> Ok:
        view = session.selected
        if by_modseq(self.key):
            session.enable("CONDSTORE")
        uids = await Searching(session, view).uids(self.key)
        rows = await gather(session, view, uids, FIELDS)
        number = (lambda uid: uid) if self.uid else view.number
        work = partial(
            threaded, ALGORITHMS[self.algorithm], [letter(row, number(cast("int", row["uid"]))) for row in rows]
        )
        session.send(b"* THREAD %b\r\n" % await session.wire.away(work) if rows else b"* THREAD\r\n")
        return Ok("threaded")


def threaded(algorithm: Callable[[Sequence[Letter]], list[Node]], letters: list[Letter]) -> bytes:
    return text(algorithm(letters))


def letter(row: Values, number: int) -> Letter:
    """A message as threading sees it."""
    sent = row["sent"]
    moment = sent if isinstance(sent, datetime) else datetime.fromtimestamp(cast("int", row["arrival"]), UTC)
    answers = base_subject(cast("str", row["subject"])).answers
    references = cast("tuple[str, ...]", row["references"])
    return Letter(number, cast("str", row["message_id"]), references, cast("str", row["base"]), moment, answers)


thread, uid_thread = partial(Thread.read), partial(Thread.read, uid=True)
