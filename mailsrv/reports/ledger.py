"""What we saw, what others told us, and what we sent: one SQLite file in the state directory, for several processes at once.

    ledger = Ledger(state / LEDGER)
    ledger.add(counts)                     what we saw: texts of `seen`, counted
    ledger.take(received, document)        a report about us; False when it is known
    ledger.attempt(...), ledger.done(...)  what of ours goes out, once

The server's processes write (WAL, one commit a second each), the command and the timer's job read and write beside them.
Limits: `ROWS_OF_A_DOMAIN` and `ROWS_OF_A_DAY` different lines, `MOST_RECEIVED` reports and `MOST_BYTES` of them; whoever nobody
vouches for goes first. Fails by: `ForUser` for a file that cannot be used, `Later` when another program holds it too long.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw

from mailsrv.reports.received import Published, Received
from mailsrv.reports.seen import Seen
from mailsrv.store.sqlite.opening import Kind, alone, in_words, make, opened

LEDGER = "reports.sqlite"  # in the state directory
ADVICE = "move it away: a new one is made, and only reports are lost"
ROWS_OF_A_DOMAIN = 5_000  # different lines of one domain in one day
ROWS_OF_A_DAY = 100_000
MOST_RECEIVED = 20_000  # reports
MOST_BYTES = 512 << 20  # of them, as they are kept
KEEP_SEEN = timedelta(days=10)  # what we saw: it is reported within two days

TABLES = """
CREATE TABLE seen (
    kind TEXT NOT NULL, day TEXT NOT NULL, domain TEXT NOT NULL, text TEXT NOT NULL, other TEXT NOT NULL,
    count INTEGER NOT NULL, PRIMARY KEY (kind, day, domain, text)) WITHOUT ROWID;
CREATE INDEX seen_other ON seen (kind, day, other) WHERE other != '';
CREATE TABLE room (day TEXT NOT NULL, kind TEXT NOT NULL, domain TEXT NOT NULL, rows INTEGER NOT NULL,
    PRIMARY KEY (day, kind, domain)) WITHOUT ROWID;
CREATE TABLE policy (day TEXT NOT NULL, domain TEXT NOT NULL, record TEXT NOT NULL, organizational TEXT NOT NULL,
    PRIMARY KEY (day, domain)) WITHOUT ROWID;
CREATE TABLE sent (day TEXT NOT NULL, kind TEXT NOT NULL, domain TEXT NOT NULL, destination TEXT NOT NULL,
    tries INTEGER NOT NULL, done INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (day, kind, domain, destination)) WITHOUT ROWID;
CREATE TABLE received (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, organization TEXT NOT NULL, report TEXT NOT NULL,
    domain TEXT NOT NULL, proven TEXT NOT NULL, begin INTEGER NOT NULL, "end" INTEGER NOT NULL, arrived INTEGER NOT NULL,
    total INTEGER NOT NULL, failed INTEGER NOT NULL, document BLOB NOT NULL,
    UNIQUE (kind, organization, report, domain, proven));
CREATE INDEX received_domain ON received (domain, "end");
"""
KIND = Kind(
    "the ledger of reports",
    0x6D737270,  # "msrp"
    (TABLES,),
    strange=ADVICE,
    newer="install that again, or " + ADVICE,
    broken=ADVICE,
    first="PRAGMA temp_store = memory; PRAGMA journal_size_limit = 67108864",
    then="PRAGMA journal_mode = wal; PRAGMA synchronous = full",
)


class Ledger:
    """May be used from several threads; each call is one transaction."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._db: apsw.Connection | None = None

    # what we saw

    def add(self, counts: Mapping[Seen, int]) -> int:
        """Count these; gives how many messages or sessions found no room."""
        with self._writing() as db:
            return sum(count for seen, count in counts.items() if not _add(db, seen, count))

    def domains(self, kind: str, day: date) -> list[str]:
        """Whom lines of this day concern; for tls the mail hosts with TLSA records too."""
        with self._reading() as db:
            own = _rows(db, "SELECT DISTINCT domain FROM seen WHERE kind = ? AND day = ?", (kind, f"{day}"))
            others = _rows(
                db, "SELECT DISTINCT other FROM seen WHERE kind = ? AND day = ? AND other != ''", (kind, f"{day}")
            )
        return sorted({name for (name,) in own + others})

    def lines(self, kind: str, day: date, domain: str) -> list[tuple[str, int]]:
        """Texts and counts that concern a domain; those of a mail host from all domains whose mail it takes."""
        sql = (
            "SELECT text, sum(count) FROM seen WHERE kind = ?1 AND day = ?2 AND (domain = ?3 OR other = ?3)"
            " GROUP BY text ORDER BY sum(count) DESC, text LIMIT ?4"
        )
        with self._reading() as db:
            return [(text, count) for text, count in _rows(db, sql, (kind, f"{day}", domain, ROWS_OF_A_DOMAIN))]

    def published(self, day: date, domain: str) -> Published:
        with self._reading() as db:
            sql = "SELECT record, organizational FROM policy WHERE day = ? AND domain = ?"
            return next((Published(*row) for row in _rows(db, sql, (f"{day}", domain))), Published())

    # what we send

    def tries(self, day: date, kind: str, domain: str, destination: str) -> tuple[int, bool]:
        """How often this was begun, and whether it is done. Destination "": all that concerns the domain."""
        with self._reading() as db:
            sql = "SELECT tries, done FROM sent WHERE (day, kind, domain, destination) = (?, ?, ?, ?)"
            found = _rows(db, sql, (f"{day}", kind, domain, destination))
        return (found[0][0], bool(found[0][1])) if found else (0, False)

    def attempt(self, day: date, kind: str, domain: str, destination: str) -> None:
        """This is being sent: on disk before it is."""
        with self._writing() as db:
            sql = "INSERT INTO sent VALUES (?, ?, ?, ?, 1, 0) ON CONFLICT DO UPDATE SET tries = tries + 1"
            db.execute(sql, (f"{day}", kind, domain, destination))

    def forgive(self, day: date, kind: str, domain: str, destination: str) -> None:
        """It was not sent, and it is known that nothing of it happened."""
        with self._writing() as db:
            sql = (
                "UPDATE sent SET tries = tries - 1 WHERE (day, kind, domain, destination) = (?, ?, ?, ?) AND tries > 0"
            )
            db.execute(sql, (f"{day}", kind, domain, destination))

    def done(self, day: date, kind: str, domain: str, destination: str = "") -> None:
        """This was sent, or will never be."""
        with self._writing() as db:
            sql = "INSERT INTO sent VALUES (?, ?, ?, ?, 0, 1) ON CONFLICT DO UPDATE SET done = 1"
            db.execute(sql, (f"{day}", kind, domain, destination))

    # what others tell us

    def take(self, received: Received, document: bytes) -> bool:
        """Keep a report; False when we have it."""
        sql = (
            'INSERT INTO received (kind, organization, report, domain, proven, begin, "end", arrived, total, failed, document)'
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        )
        packed = zlib.compress(document, 6)
        with self._writing() as db:
            before = db.total_changes()
            db.execute(sql, (*_columns(received), packed))
            fresh: bool = db.total_changes() > before
            if fresh:
                _make_room(db)
        return fresh

    def received(
        self, kind: str = "", domain: str = "", since: datetime | None = None, most: int = 1000
    ) -> list[Received]:
        """The reports we have, the latest first."""
        sql = (
            'SELECT kind, organization, report, domain, proven, begin, "end", arrived, total, failed, number FROM received'
            " WHERE (?1 = '' OR kind = ?1) AND (?2 = '' OR domain = ?2) AND \"end\" >= ?3 ORDER BY \"end\" DESC, number DESC LIMIT ?4"
        )
        with self._reading() as db:
            rows = _rows(db, sql, (kind, domain, _seconds(since) if since else 0, most))
        return [_received(row) for row in rows]

    def document(self, number: int) -> tuple[Received, bytes] | None:
        """One report and its bytes."""
        sql = (
            'SELECT kind, organization, report, domain, proven, begin, "end", arrived, total, failed, number, document'
            " FROM received WHERE number = ?"
        )
        with self._reading() as db:
            for *row, packed in _rows(db, sql, (number,)):
                return _received(row), zlib.decompress(packed)
        return None

    # keeping house

    def tidy(self, now: datetime, keep: timedelta) -> None:
        """Forget what is too old."""
        day = f"{(now - KEEP_SEEN).astimezone(UTC).date()}"
        with self._writing() as db:
            for table in ("seen", "room", "policy", "sent"):
                db.execute(f"DELETE FROM {table} WHERE day < ?", (day,))  # noqa: S608 - our own four names
            db.execute("DELETE FROM received WHERE arrived < ?", (_seconds(now - keep),))

    def close(self) -> None:
        with self._lock:
            self._shut()

    # the file

    @contextmanager
    def _reading(self) -> Iterator[apsw.Connection]:
        with self._lock, in_words(KIND, self.path, self._shut):
            yield self._connection()

    @contextmanager
    def _writing(self) -> Iterator[apsw.Connection]:
        with self._lock, in_words(KIND, self.path, self._shut):
            db = self._connection()
            with alone(db):
                yield db

    def _connection(self) -> apsw.Connection:
        if self._db is None:
            with suppress(FileExistsError):
                make(self.path)
            self._db = opened(self.path, KIND)
        return self._db

    def _shut(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            with suppress(apsw.Error):
                db.close(force=True)


def _add(db: apsw.Connection, seen: Seen, count: int) -> bool:
    """Count one line; False when it is a new one and there is no room for it."""
    day = f"{seen.day}"
    key = (seen.kind, day, seen.domain, seen.text)
    sql = "UPDATE seen SET count = count + ? WHERE (kind, day, domain, text) = (?, ?, ?, ?) RETURNING 1"
    if not _rows(db, sql, (count, *key)):
        if _used(db, day, seen.kind, seen.domain) >= ROWS_OF_A_DOMAIN or _used(db, day, "", "") >= ROWS_OF_A_DAY:
            return False
        db.execute("INSERT INTO seen VALUES (?, ?, ?, ?, ?, ?)", (*key, seen.other, count))
        for kind, domain in ((seen.kind, seen.domain), ("", "")):
            sql = "INSERT INTO room VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET rows = rows + 1"
            db.execute(sql, (day, kind, domain))
    if seen.record:
        sql = (
            "INSERT INTO policy VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET record = ?3, organizational = ?4"
            " WHERE record != ?3 OR organizational != ?4"
        )
        db.execute(sql, (day, seen.domain, seen.record, seen.organizational))
    return True


def _used(db: apsw.Connection, day: str, kind: str, domain: str) -> int:
    found = _rows(db, "SELECT rows FROM room WHERE (day, kind, domain) = (?, ?, ?)", (day, kind, domain))
    return int(found[0][0]) if found else 0


def _make_room(db: apsw.Connection) -> None:
    """Within the limits again: the oldest of those that nobody vouches for go, then the oldest."""
    while True:
        count, size = _rows(db, "SELECT count(*), coalesce(sum(length(document)), 0) FROM received")[0]
        if count <= MOST_RECEIVED and size <= MOST_BYTES:
            return
        db.execute(
            "DELETE FROM received WHERE number IN (SELECT number FROM received ORDER BY proven != '', arrived, number LIMIT ?)",
            (max(1, count // 100),),
        )


def _columns(received: Received) -> tuple[Any, ...]:
    times = (_seconds(received.begin), _seconds(received.end), _seconds(received.arrived))
    return (
        received.kind, received.organization, received.report, received.domain, received.proven, *times,
        received.total, received.failed,
    )  # fmt: skip


def _received(row: Any) -> Received:
    kind, organization, report, domain, proven, *times, total, failed, number = row
    begin, end, arrived = (datetime.fromtimestamp(seconds, UTC) for seconds in times)
    return Received(kind, organization, report, domain, proven, begin, end, arrived, total, failed, number)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _rows(db: apsw.Connection, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
    return db.execute(sql, values).fetchall()
