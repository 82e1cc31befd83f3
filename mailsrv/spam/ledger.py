"""What greylisting and reputation remember between mails: one small SQLite file in the state directory, `spam.sqlite`.

    async with Ledger(directory, log) as ledger:
        answer = await ledger.knock(triplet, now)            greylist.Answer
        ledger.note_sent("user1", ["bob@example.net"], now)  we wrote to them
        ledger.note_received("user1", "bob@example.net", aligned=True, now=now)
        ledger.note_moved("user1", "bob@example.net", aligned=True, to_junk=True, now=now)
        record = await ledger.record("user1", "bob@example.net", aligned=True)

It is worked on by a thread of its own, never in the event loop; several processes may share it. Notes wait for nothing: they
are written together after PAUSE seconds, or before the next question; what was asked a moment ago is answered without it. It is memory, not mail: what a power cut takes (WAL,
synchronous=NORMAL) is learned again. What waits is kept as a digest, so that the file tells less.
Limits: 10 000 notes that wait (then they are dropped), 200 000 rows of each table, the longest untouched go first; PATIENCE of greylisting, two years of acquaintance.
Fails by: forgetting. A ledger that cannot be used answers as an empty one that lets everyone in, and says so in the log.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Protocol, Self, TypeAlias, TypeVar

import apsw

from dnsops.base import files
from dnsops.base.errors import Later
from dnsops.base.log import Value
from mailsrv.directory.address import folded
from mailsrv.spam import greylist, reputation
from mailsrv.spam.greylist import Answer, State, Triplet
from mailsrv.spam.lately import Change, Keys, Lately, Row
from mailsrv.spam.reputation import Mark, Record
from mailsrv.store.sqlite.opening import alone, pragma, version
from mailsrv.store.sqlite.trouble import TROUBLE, reason

T = TypeVar("T")
Note: TypeAlias = "tuple[str, list[tuple[str, str, float]]]"  # what is done, to whom and when

FILE = "spam.sqlite"
APPLICATION = 0x6D737370  # PRAGMA application_id: "mssp"
VERSION = 1
BUSY = 2_000  # ms
MOST = 200_000
SWEEP = 500  # changes between two looks for what is too much
PAUSE = 1.0
MOST_NOTES = 10_000
REMEMBERED = 2 * 365 * 86400.0
MOST_RECIPIENTS = 1000
TABLES = """
CREATE TABLE knock (key BLOB PRIMARY KEY, first REAL, good REAL, touched REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX knock_touched ON knock (touched);
CREATE TABLE acquaintance (
    account TEXT NOT NULL, who TEXT NOT NULL, received INTEGER NOT NULL DEFAULT 0, sent INTEGER NOT NULL DEFAULT 0,
    mark INTEGER NOT NULL DEFAULT 0, touched REAL NOT NULL, PRIMARY KEY (account, who)) WITHOUT ROWID;
CREATE INDEX acquaintance_touched ON acquaintance (touched);
"""
_NOTE = """
INSERT INTO acquaintance (account, who, {column}, touched) VALUES (?, ?, {value}, ?)
ON CONFLICT (account, who) DO UPDATE SET {change}, touched = max(touched, excluded.touched)
"""
RECEIVED, SENT = Change("received", 1), Change("sent", 1)
MARKED = {mark: Change("mark", mark.value) for mark in (Mark.JUNK, Mark.NOT_JUNK)}
NOTES = {
    RECEIVED: _NOTE.format(column="received", value=1, change="received = received + 1"),
    SENT: _NOTE.format(column="sent", value=1, change="sent = sent + 1"),
    **{
        change: _NOTE.format(column="mark", value=change.value, change="mark = excluded.mark")
        for change in MARKED.values()
    },
}

_TOO_MANY = (
    "DELETE FROM {0} WHERE ({1}) IN (SELECT {1} FROM {0} ORDER BY touched LIMIT max(0, (SELECT count(*) FROM {0}) - ?))"
)
TOO_MANY = (_TOO_MANY.format("knock", "key"), _TOO_MANY.format("acquaintance", "account, who"))


class Events(Protocol):
    """Where log lines go: `dnsops.base.log.Log`."""

    def __call__(self, event: str, **fields: Value) -> None: ...


class Ledger:
    """`log`: called from the event loop only. Opened at the first use."""

    def __init__(self, directory: Path, log: Events, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = directory / FILE
        self._log, self._clock, self._lately = log, clock, Lately()
        self._thread = ThreadPoolExecutor(1, "spam-ledger")
        self._db: apsw.Connection | None = None
        self._changes = SWEEP  # the first one looks
        self._notes: list[Note] = []
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._do(lambda: None, None)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._shut)
        self._thread.shutdown()

    async def knock(self, triplet: Triplet, now: float) -> Answer:
        """One attempt of a stranger: may it pass, and what is known from now on."""
        return await self._do(partial(self._knock, triplet, now), Answer.KNOWN)

    def note_sent(self, account: str, recipients: Iterable[str], now: float) -> None:
        """The account wrote to them. Their proven mail is a known correspondent's from now on."""
        known = [names for each in list(recipients)[:MOST_RECIPIENTS] if (names := reputation.names(each)) is not None]
        whos = [who for names in known for who in (names.proven, names.claimed)]
        self._note(SENT, account, whos, now)

    def note_received(self, account: str, sender: str, aligned: bool, now: float) -> None:
        """A mail was delivered to the account. `sender`: of From.  aligned: DMARC passes."""
        names = reputation.names(sender)
        whos = [names.proven, names.domain] if names and aligned else [names.claimed] if names else []
        self._note(RECEIVED, account, whos, now)

    def note_moved(self, account: str, sender: str, aligned: bool, to_junk: bool, now: float) -> None:
        """The user moved a mail into Junk, or out of it. `aligned`: as it was when that mail came."""
        names = reputation.names(sender)
        whos = [names.proven if aligned else names.claimed] if names else []
        self._note(MARKED[Mark.JUNK if to_junk else Mark.NOT_JUNK], account, whos, now)

    async def record(self, account: str, sender: str, aligned: bool) -> Record:
        """What is known; an empty record when nothing is."""
        names = reputation.names(sender)
        if names is None:
            return Record()
        keys = (folded(account), names.proven if aligned else names.claimed), (folded(account), names.domain)
        own, domain = self._lately.find(keys, self._clock()) or await self._rows(keys)
        return Record(own.received, own.sent, Mark(own.mark), domain.received if aligned else 0)

    async def _rows(self, keys: Keys) -> Sequence[Row]:
        """From the file; what is noted meanwhile is added to what is remembered of them."""
        reading, found = self._lately.begin(keys), list[Row]()
        try:
            found = await self._do(partial(self._read, keys), found)
        finally:
            self._lately.end(reading, found, self._clock())
        return found or [Row() for _ in keys]

    def _note(self, change: Change, account: str, whos: list[str], now: float) -> None:
        rows = [(folded(account), who, now) for who in whos]
        if rows and len(self._notes) < MOST_NOTES:
            self._notes.append((NOTES[change], rows))
            for key, who, _ in rows:
                self._lately.noted((key, who), change)
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(PAUSE, self._flush)

    def _flush(self) -> None:
        self._timer = None
        self._writing = asyncio.create_task(self._do(lambda: None, None))

    async def _do(self, act: Callable[[], T], otherwise: T) -> T:
        """`act` in the thread, after what was noted before."""
        notes, self._notes = self._notes, []
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, partial(self._after, notes, act))
        except Later as later:
            self._log("spam.ledger_trouble", why=later.reason, path=str(self.path))
            return otherwise

    # in the thread

    def _after(self, notes: list[Note], act: Callable[[], T]) -> T:
        if notes:
            now = max(rows[-1][2] for _, rows in notes)
            self._transaction(partial(_written, notes), now, sum(len(rows) for _, rows in notes))
        return act()

    def _knock(self, triplet: Triplet, now: float) -> Answer:
        def act(db: apsw.Connection) -> Answer:
            waiting, pair = _digest(triplet.waiting), _digest(triplet.pair)
            first, _ = _times(db, waiting)
            _, good = _times(db, pair)
            state, answer = greylist.step(State(first, good), now)
            if state.good is None:
                db.execute("INSERT OR REPLACE INTO knock VALUES (?, ?, NULL, ?)", (waiting, state.first, now))
            else:
                db.execute("DELETE FROM knock WHERE key = ?", (waiting,))
                db.execute("INSERT OR REPLACE INTO knock VALUES (?, NULL, ?, ?)", (pair, state.good, now))
            return answer

        return self._transaction(act, now)

    def _read(self, keys: Keys) -> list[Row]:
        sql = "SELECT received, sent, mark FROM acquaintance WHERE account = ? AND who = ?"

        def act(db: apsw.Connection) -> list[Row]:
            found = (next(iter(db.execute(sql, key)), (0, 0, 0)) for key in keys)
            return [Row(int(received), int(sent), int(mark)) for received, sent, mark in found]

        return self._used(act)

    def _transaction(self, act: Callable[[apsw.Connection], T], now: float, changes: int = 1) -> T:
        def whole(db: apsw.Connection) -> T:
            with alone(db):
                result = act(db)
                self._changes += changes
                if self._changes >= SWEEP:
                    _sweep(db, now)
                    self._changes = 0
            return result

        return self._used(whole)

    def _used(self, act: Callable[[apsw.Connection], T]) -> T:
        try:
            if self._db is None:
                self._db = _opened(self.path)
            return act(self._db)
        except TROUBLE as error:
            self._shut()
            raise Later(reason(error)) from None

    def _shut(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close(force=True)


def _opened(path: Path) -> apsw.Connection:
    """Tables of our version; a file of another version or another program is left alone."""
    files.private_directory(path.parent)
    path.touch(mode=0o600)
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        db.set_busy_timeout(BUSY)
        db.execute("PRAGMA trusted_schema = off")
        with alone(db):  # another process may be making them
            known = pragma(db, "application_id"), version(db)
            if known == (0, 0) and not db.execute("SELECT 1 FROM sqlite_schema").fetchall():
                db.execute(TABLES)
                db.execute(f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}")
            elif known != (APPLICATION, VERSION):
                raise apsw.NotADBError("of another program, or another version")
        db.execute("PRAGMA journal_mode = wal; PRAGMA synchronous = normal").fetchall()  # now that it is ours to change
    except BaseException:
        db.close(force=True)
        raise
    return db


def _written(notes: list[Note], db: apsw.Connection) -> None:
    for sql, rows in notes:
        db.executemany(sql, rows)


def _sweep(db: apsw.Connection, now: float) -> None:
    """What is too old, then what is too much."""
    db.execute("DELETE FROM knock WHERE touched < ? AND good IS NULL", (now - greylist.PATIENCE,))
    db.execute("DELETE FROM knock WHERE touched < ?", (now - greylist.GOOD_FOR,))
    db.execute("DELETE FROM acquaintance WHERE touched < ?", (now - REMEMBERED,))
    for sql in TOO_MANY:
        db.execute(sql, (MOST,))


def _times(db: apsw.Connection, key: bytes) -> tuple[float | None, float | None]:
    """first and good of a row."""
    found = next(iter(db.execute("SELECT first, good FROM knock WHERE key = ?", (key,))), (None, None))
    first, good = (value if isinstance(value, float) else None for value in found)
    return first, good


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).digest()
