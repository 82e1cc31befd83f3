"""What earlier checks found: one SQLite file in the state directory, so that a report can say what changed since yesterday.

    history = History(state / FILE)
    history.keep(snapshot)                 this run
    history.before("example.org", day)     the run to compare with: the last one not after that moment, else the first there is
    history.runs("example.org")            for charts, the oldest first

Several processes may use it at once (WAL). A run is small: total, percentages, two statuses a finding; no evidence, no addresses.
Limits: all runs of RECENT, then the last of each day for LONG; MOST_OF_A_DOMAIN runs of a domain, MOST rows: the oldest go first.
Fails by: `ForUser` for a file that cannot be used, `Later` when another program holds it too long.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import apsw

from checks.report.changes import Snapshot, read
from mailsrv.store.sqlite.opening import Kind, alone, in_words, make, opened

FILE = "checks.sqlite"  # in the state directory
ADVICE = "move it away: a new one is made, and only the history of checks is lost"
RECENT = timedelta(days=14)
LONG = timedelta(days=730)
MOST_OF_A_DOMAIN = 2_000
MOST = 200_000
SHOWN = 120  # runs of a chart

TABLES = """
CREATE TABLE run (
    domain TEXT NOT NULL, at INTEGER NOT NULL, score INTEGER, text TEXT NOT NULL, PRIMARY KEY (domain, at)) WITHOUT ROWID;
CREATE INDEX run_at ON run (at);
"""
KIND = Kind(
    "the history of checks",
    0x6D736368,  # "msch"
    (TABLES,),
    strange=ADVICE,
    newer="install that again, or " + ADVICE,
    broken=ADVICE,
    first="PRAGMA temp_store = memory; PRAGMA journal_size_limit = 16777216",
    then="PRAGMA journal_mode = wal; PRAGMA synchronous = normal",
)


class History:
    """Each call is one transaction. Opened at the first use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db: apsw.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        db, self._db = self._db, None
        if db is not None:
            with suppress(apsw.Error):
                db.close(force=True)

    def keep(self, run: Snapshot) -> None:
        """Remember a run, and forget of this domain what is too old; of two in one second the later."""
        with self._using() as db, alone(db):
            db.execute("REPLACE INTO run VALUES (?, ?, ?, ?)", (run.domain, _seconds(run.at), run.score, run.text()))
            _thin(db, run.domain, run.at)

    def before(self, domain: str, moment: datetime) -> Snapshot | None:
        """The last run not after this moment; when all are later, the first. None: there is none."""
        sql = (
            "SELECT domain, at, score, text FROM run WHERE domain = ?1"
            " ORDER BY at > ?2, CASE WHEN at > ?2 THEN at ELSE -at END LIMIT 1"
        )
        with self._using() as db:
            return next(_snapshots(_rows(db, sql, (domain, _seconds(moment)))), None)

    def runs(self, domain: str, most: int = SHOWN) -> list[Snapshot]:
        """The latest runs, the oldest of them first."""
        sql = "SELECT domain, at, score, text FROM run WHERE domain = ? ORDER BY at DESC LIMIT ?"
        with self._using() as db:
            return list(_snapshots(_rows(db, sql, (domain, most))))[::-1]

    def domains(self) -> list[str]:
        """Of whom there is anything."""
        with self._using() as db:
            return [name for (name,) in _rows(db, "SELECT DISTINCT domain FROM run ORDER BY domain")]

    def tidy(self, now: datetime) -> None:
        """Forget what nobody asks for any more: too old, or too much."""
        with self._using() as db, alone(db):
            db.execute("DELETE FROM run WHERE at < ?", (_seconds(now - LONG),))
            sql = (
                "DELETE FROM run WHERE (domain, at) IN (SELECT domain, at FROM run ORDER BY at DESC LIMIT -1 OFFSET ?)"
            )
            db.execute(sql, (MOST,))

    @contextmanager
    def _using(self) -> Iterator[apsw.Connection]:
        with in_words(KIND, self.path, self.close):
            if self._db is None:
                with suppress(FileExistsError):
                    make(self.path)
                self._db = opened(self.path, KIND)
            yield self._db


def _thin(db: apsw.Connection, domain: str, now: datetime) -> None:
    """Of old days the last run each; of all the newest."""
    sql = (
        "DELETE FROM run WHERE domain = ?1 AND at < ?2 AND EXISTS"
        " (SELECT 1 FROM run AS later WHERE later.domain = ?1 AND later.at > run.at AND later.at / 86400 = run.at / 86400)"
    )
    db.execute(sql, (domain, _seconds(now - RECENT)))
    sql = "DELETE FROM run WHERE domain = ?1 AND at IN (SELECT at FROM run WHERE domain = ?1 ORDER BY at DESC LIMIT -1 OFFSET ?2)"
    db.execute(sql, (domain, MOST_OF_A_DOMAIN))


def _snapshots(rows: list[Any]) -> Iterator[Snapshot]:
    """Rows as values; one that cannot be read was written by another version, and is left out."""
    for domain, at, score, text in rows:
        with suppress(ValueError):
            yield read(domain, datetime.fromtimestamp(at, UTC), score, text)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _rows(db: apsw.Connection, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
    return db.execute(sql, values).fetchall()
