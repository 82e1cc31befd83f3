"""The books: an account's modseq and size, a mailbox's UIDs and counts. All that adds or removes messages goes through here.

Standards: RFC 9051 2.3.1.1 (UIDs), RFC 7162 3.1 (modseq), RFC 9208 (quota).
Fails by: `Absent`, `Full`; the job's savepoint then takes back what was written.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import apsw

from mailsrv.store.door import Absent, Cannot, Full, Row
from mailsrv.store.sqlite.keywords import DELETED, SEEN, Decoder
from mailsrv.store.sqlite.work import Work, moment

REMEMBERED = 10_000  # expunged UIDs a mailbox remembers at least, for QRESYNC


class Box(NamedTuple):
    """A mailbox that something is done to."""

    id: int
    account: int
    owner: str
    name: str
    uidvalidity: int
    selectable: bool


class Entry(NamedTuple):
    """A message about to be placed."""

    flags: int
    size: int
    received: int
    blob: int


class Kept(NamedTuple):
    """A message as the table has it."""

    uid: int
    modseq: int
    flags: int
    size: int
    received: int
    saved: int
    blob: int


_FREE = (
    "DELETE FROM blob WHERE id = ?",
    "DELETE FROM body WHERE blob = ?",
    "INSERT OR REPLACE INTO unindexed VALUES (?, NULL)",
)
_BOX = "SELECT mailbox.id, account.id, account.name, mailbox.name, uidvalidity, selectable FROM "
_BY_ID = _BOX + "mailbox JOIN account ON account.id = mailbox.account WHERE mailbox.id = ?"
_BY_NAME = (
    _BOX
    + """account CROSS JOIN mailbox ON mailbox.account = account.id
    WHERE account.name = ? AND mailbox.name = ?"""
)  # CROSS: in this order
KEPT = "SELECT uid, modseq, flags, size, received, saved, blob FROM message WHERE mailbox = ? "


def box(work: Work, mailbox: int) -> Box:
    """The mailbox of this number."""
    row = work.first(_BY_ID, mailbox)
    if row is None or not row[5]:
        raise Absent("there is no such mailbox")
    return Box(*row)


def named(work: Work, account: str, name: str) -> Box | None:
    """The mailbox of this name, selectable or not."""
    row = work.first(_BY_NAME, account, name)
    return None if row is None else Box(*row)


def owner(work: Work, account: str) -> int:
    """The number of an account."""
    row = work.first("SELECT id FROM account WHERE name = ?", account)
    if row is None:
        raise Absent(f"there is no account {account}")
    return int(row[0])


def kept(work: Work, mailbox: int, uids: Sequence[int]) -> list[Kept]:
    """The messages of these UIDs that are there, ascending."""
    if len(uids) == 1:
        rows = work.all(KEPT + "AND uid = ?", mailbox, uids[0])
    else:
        rows = work.all(KEPT + "AND uid IN carray(?) ORDER BY uid", mailbox, numbers(uids or [0]))
    return [Kept(*row) for row in rows]


def next_modseq(work: Work, account: int) -> int:
    [(modseq,)] = work.all("UPDATE account SET modseq = modseq + 1 WHERE id = ? RETURNING modseq", account)
    return int(modseq)


def weigh(work: Work, target: Box, size: int, messages: int) -> int:
    """Put this much more on the account, when its limits allow it; the new modseq."""
    sql = """UPDATE account SET modseq = modseq + 1, size = size + ?, messages = messages + ? WHERE id = ?
        RETURNING modseq, size > size_limit, messages > message_limit"""
    [(modseq, too_large, too_many)] = work.all(sql, size, messages, target.account)
    if (too_large and size > 0) or (too_many and messages > 0):
        raise Full(f"the mailboxes of {target.owner} are full", target.owner)
    return int(modseq)


def add(work: Work, target: Box, entries: Sequence[Entry], modseq: int) -> list[Row]:
    """Messages into a mailbox under new UIDs; the account's books are the caller's."""
    if not target.selectable:
        raise Cannot(f"{target.name} holds no messages")
    unseen = sum(not entry.flags & SEEN for entry in entries)
    deleted = sum(bool(entry.flags & DELETED) for entry in entries)
    size = sum(entry.size for entry in entries)
    sql = """UPDATE mailbox SET uidnext = uidnext + ?1, messages = messages + ?1, unseen = unseen + ?2,
        deleted = deleted + ?3, size = size + ?4, modseq = ?5 WHERE id = ?6 RETURNING uidnext"""
    [(after,)] = work.all(sql, len(entries), unseen, deleted, size, modseq, target.id)
    saved, uids = int(work.now.timestamp()), range(after - len(entries), after)
    values = [
        (target.id, uid, modseq, e.flags, e.size, e.received, saved, e.blob)
        for uid, e in zip(uids, entries, strict=True)
    ]
    work.each("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    decoder = Decoder(work.db, target.id)
    new = [row(decoder, Kept(*value[1:])) for value in values]
    work.changed(target.owner, target.id, new)
    return new


def remove(work: Work, source: Box, messages: Sequence[Kept], modseq: int) -> tuple[int, ...]:
    """Messages out of a mailbox, their UIDs remembered; blobs and the account's books are the caller's."""
    gone = tuple(message.uid for message in messages)
    work.each("DELETE FROM message WHERE mailbox = ? AND uid = ?", [(source.id, uid) for uid in gone])
    work.each("INSERT INTO expunged VALUES (?, ?, ?)", [(source.id, modseq, uid) for uid in gone])
    unseen = sum(not message.flags & SEEN for message in messages)
    deleted = sum(bool(message.flags & DELETED) for message in messages)
    size = sum(message.size for message in messages)
    sql = """UPDATE mailbox SET messages = messages - ?1, unseen = unseen - ?2, deleted = deleted - ?3, size = size - ?4,
        modseq = ?5, remembered = remembered + ?1 WHERE id = ?6 RETURNING remembered"""
    [(remembered,)] = work.all(sql, len(gone), unseen, deleted, size, modseq, source.id)
    if remembered > 2 * REMEMBERED:
        _forget(work, source.id)
    work.changed(source.owner, source.id, gone=gone)
    return gone


def release(work: Work, blobs: Iterable[int]) -> None:
    """One reference less to each; bodies nobody refers to any more go."""
    counted = list(blobs)
    work.each("UPDATE blob SET refs = refs - 1 WHERE id = ?", [(blob,) for blob in counted])
    sql = "SELECT id, file FROM blob WHERE id IN carray(?) AND refs <= 0"
    free = work.all(sql, numbers(counted)) if counted else []
    for sql in _FREE:
        work.each(sql, [(blob,) for blob, _ in free])
    work.unneeded += [file for _, file in free if file]
    work.unindexed += len(free)


def row(decoder: Decoder, message: Kept) -> Row:
    uid, modseq, flags, size, received, saved, blob = message
    return Row(uid, modseq, decoder.flags(flags), size, moment(received), blob, moment(saved))


def numbers(values: Sequence[int]) -> apsw.CArrayBinding:
    """Numbers for SQL's carray()."""
    return apsw.carray(array("q", values), flags=apsw.SQLITE_CARRAY_INT64)


def _forget(work: Work, mailbox: int) -> None:
    """Only the latest REMEMBERED stay, whole modseqs of them."""
    sql = "SELECT modseq FROM expunged WHERE mailbox = ? ORDER BY modseq DESC LIMIT 1 OFFSET ?"
    [(oldest,)] = work.all(sql, mailbox, REMEMBERED)
    work.run("DELETE FROM expunged WHERE mailbox = ? AND modseq <= ?", mailbox, oldest)
    sql = "UPDATE mailbox SET forgotten = ?1, remembered = (SELECT count(*) FROM expunged WHERE mailbox = ?2) WHERE id = ?2"
    work.run(sql, oldest, mailbox)
