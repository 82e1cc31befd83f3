"""What is asked of mailboxes and messages. Every function reads in one transaction, on a reader's connection.

Fails by: `Absent`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import apsw

from mailsrv.store.door import Absent, Digest, Mailbox, Row, Usage
from mailsrv.store.names import proper
from mailsrv.store.sqlite.keywords import Decoder
from mailsrv.store.sqlite.ledger import KEPT, numbers
from mailsrv.store.sqlite.work import moment
from mailsrv.store.words import FIELDS, wanted

MOST_ROWS = 300_000  # that all mailboxes together keep in memory
COLUMNS = {field.name for field in fields(Digest)} - {"text"}

_MAILBOX = """SELECT mailbox.id, account.name, mailbox.name, uidvalidity, uidnext, mailbox.modseq, mailbox.messages, unseen,
    deleted, mailbox.size, special,
    EXISTS (SELECT 1 FROM subscription s WHERE s.account = account.id AND s.name = mailbox.name), selectable
    FROM mailbox JOIN account ON account.id = mailbox.account WHERE account.name = ? """


def mailboxes(db: apsw.Connection, account: str) -> tuple[Mailbox, ...]:
    """All of an account, by name."""
    owner(db, account)
    return tuple(_mailbox(found) for found in db.execute(_MAILBOX + "ORDER BY mailbox.name", (account,)))


def mailbox(db: apsw.Connection, account: str, name: str) -> Mailbox:
    """The one of this name."""
    name = proper(name)
    for found in db.execute(_MAILBOX + "AND mailbox.name = ?", (account, name)).fetchall():
        return _mailbox(found)
    raise Absent(f"there is no mailbox {name}")


def subscriptions(db: apsw.Connection, account: str) -> frozenset[str]:
    """Names, also of mailboxes that are gone."""
    rows = db.execute("SELECT name FROM subscription WHERE account = ?", (owner(db, account),))
    return frozenset(str(name) for (name,) in rows)


def usage(db: apsw.Connection, account: str) -> Usage:
    """What an account holds and may hold."""
    sql = "SELECT size, messages, size_limit, message_limit FROM account WHERE name = ?"
    found: list[Any] = db.execute(sql, (account,)).fetchall()
    if not found:
        raise Absent(f"there is no account {account}")
    return Usage(*found[0])


def owner(db: apsw.Connection, account: str) -> int:
    for (number,) in db.execute("SELECT id FROM account WHERE name = ?", (account,)).fetchall():
        return int(str(number))
    raise Absent(f"there is no account {account}")


def vanished(db: apsw.Connection, mailbox: int, since: int) -> tuple[int, ...]:
    """UIDs that went; where the memory does not reach that far, all that are not there (RFC 7162 3.2.5.1)."""
    _, forgotten, uidnext = _state(db, mailbox)
    if since < forgotten:
        there = {uid for (uid,) in db.execute("SELECT uid FROM message WHERE mailbox = ?", (mailbox,))}
        return tuple(uid for uid in range(1, uidnext) if uid not in there)
    sql = "SELECT uid FROM expunged WHERE mailbox = ? AND modseq > ? ORDER BY uid"
    return tuple(int(str(uid)) for (uid,) in db.execute(sql, (mailbox, since)))


def digests(db: apsw.Connection, mailbox: int, uids: Sequence[int], names: Collection[str]) -> list[tuple[object, ...]]:
    """Columns of the digest, in the order of the UIDs."""
    columns = "".join(f', "{_column(field)}"' for field in names)
    sql = f"SELECT uid{columns} FROM message JOIN blob ON blob.id = message.blob WHERE mailbox = ? AND uid "  # noqa: S608 - one of COLUMNS
    asked, ordered = set(uids), list(uids) == sorted(set(uids))
    if len(asked) > 100:  # mostly a range: read it through
        between = db.execute(sql + "BETWEEN ? AND ? ORDER BY uid", (mailbox, min(asked), max(asked)))
        rows = [found for found in between if found[0] in asked]
    else:
        rows = list(db.execute(sql + "IN carray(?) ORDER BY uid", (mailbox, numbers(sorted(asked) or [0]))))
    if not ordered:
        by_uid = {found[0]: found for found in rows}
        rows = [by_uid[uid] for uid in uids if uid in by_uid]
    turns = [(place, TURN[field]) for place, field in enumerate(names, 1) if field in TURN]
    return [_turned(found, turns) for found in rows] if turns else rows


def search(db: apsw.Connection, mailbox: int, words: str, field: str) -> frozenset[int]:
    """By the full-text index; without a word in `words`, everything."""
    _state(db, mailbox)
    phrase = wanted(words)
    if not phrase:
        rows = db.execute("SELECT uid FROM message WHERE mailbox = ?", (mailbox,))
        return frozenset(int(str(uid)) for (uid,) in rows)
    if field and field not in FIELDS:
        raise KeyError(field)
    query = (f'"{field}" : ' if field else "") + '"' + " ".join(phrase) + '" *'
    sql = "SELECT uid FROM message WHERE mailbox = ? AND blob IN (SELECT rowid FROM words WHERE words MATCH ?)"
    return frozenset(int(str(uid)) for (uid,) in db.execute(sql, (mailbox, query)))


def file(db: apsw.Connection, blob: int) -> tuple[int, str]:
    """Size and file of a large body."""
    found: list[Any] = db.execute("SELECT size, file FROM blob WHERE id = ? AND file IS NOT NULL", (blob,)).fetchall()
    if not found:
        raise Absent("this message is gone")
    return int(found[0][0]), str(found[0][1])


def inline(db: apsw.Connection, blob: int, start: int, length: int | None) -> bytes | None:
    """Bytes of a small body; None when it is not kept here."""
    if start == 0 and length is None:
        found: list[Any] = db.execute("SELECT content FROM body WHERE blob = ?", (blob,)).fetchall()
    else:
        sql = "SELECT substr(content, ?, coalesce(?, length(content))) FROM body WHERE blob = ?"
        found = db.execute(sql, (start + 1, length, blob)).fetchall()
    return bytes(found[0][0]) if found else None


@dataclass(slots=True)
class _Cached:
    modseq: int
    rows: dict[int, Row]
    tuple: tuple[Row, ...]


class Rows:
    """Rows of mailboxes, kept in memory and brought up to date by modseq: the second SELECT reads only what changed."""

    def __init__(self, most: int = MOST_ROWS) -> None:
        self._most = most
        self._cached: OrderedDict[int, _Cached] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, db: apsw.Connection, mailbox: int, since: int = 0) -> tuple[Row, ...]:
        """All rows, or those with a higher modseq."""
        modseq, forgotten, _ = _state(db, mailbox)
        if since:
            return tuple(_rows(db, mailbox, since)) if since < modseq else ()
        with self._lock:
            known = self._cached.get(mailbox)
        if known is None or known.modseq < forgotten or known.modseq > modseq:
            rows = {each.uid: each for each in _rows(db, mailbox)}
        elif known.modseq == modseq:
            return known.tuple
        else:
            rows = known.rows | {each.uid: each for each in _rows(db, mailbox, known.modseq)}
            for uid in vanished(db, mailbox, known.modseq):
                rows.pop(uid, None)
        return self._keep(mailbox, _Cached(modseq, rows, tuple(rows.values())))

    def _keep(self, mailbox: int, fresh: _Cached) -> tuple[Row, ...]:
        with self._lock:
            self._cached[mailbox] = fresh
            self._cached.move_to_end(mailbox)
            while len(self._cached) > 1 and sum(len(each.rows) for each in self._cached.values()) > self._most:
                self._cached.popitem(last=False)
        return fresh.tuple


def _rows(db: apsw.Connection, mailbox: int, since: int = 0) -> list[Row]:
    decoder = Decoder(db, mailbox)
    if since:
        found: Any = db.execute(KEPT + "AND modseq > ? ORDER BY uid", (mailbox, since))
    else:
        found = db.execute(KEPT + "ORDER BY uid", (mailbox,))
    flags, moments = decoder.flags, _Moments()
    return [
        Row(uid, modseq, flags(bits), size, moments[received], blob, moments[saved])
        for uid, modseq, bits, size, received, saved, blob in found
    ]


class _Moments(dict[int, datetime]):
    """Each moment is made once: mailboxes that were moved or imported have the same one many times."""

    def __missing__(self, kept: int) -> datetime:
        made = self[kept] = moment(kept)
        return made


def _state(db: apsw.Connection, mailbox: int) -> tuple[int, int, int]:
    """Highest modseq, the one up to which expunged UIDs are forgotten, and UIDNEXT."""
    sql = "SELECT modseq, forgotten, uidnext FROM mailbox WHERE id = ? AND selectable"
    for found in db.execute(sql, (mailbox,)).fetchall():
        state: Any = found
        return state  # type: ignore[no-any-return]
    raise Absent("there is no such mailbox")


def _mailbox(found: tuple[Any, ...]) -> Mailbox:
    return replace(Mailbox(*found), subscribed=bool(found[-2]), selectable=bool(found[-1]))


def _column(name: str) -> str:
    """A name that may stand in SQL."""
    if name not in COLUMNS:
        raise KeyError(name)
    return name


def _turned(found: tuple[Any, ...], turns: list[tuple[int, Callable[[Any], object]]]) -> tuple[object, ...]:
    values = list(found)
    for place, turn in turns:
        values[place] = turn(values[place])
    return tuple(values)


TURN: dict[str, Callable[[Any], object]] = {
    "sent": lambda text: datetime.fromisoformat(text) if text else None,
    "references": lambda text: tuple(text.split("\n")) if text else (),
}
