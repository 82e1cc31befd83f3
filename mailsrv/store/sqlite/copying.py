"""A copy of a database while others write to it, and the proof of one.

Standard: SQLite's online backup interface; the copy is one state between two transactions.
Fails by: what SQLite raises (`trouble.TROUBLE`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw

from mailsrv.store.sqlite.connect import BODIES, PATIENCE

MAGIC = b"SQLite format 3\0"


def is_database(path: Path) -> bool:
    """Whether a file is one; no, when it has gone."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except FileNotFoundError:
        return False


def copy(source: Path, target: Path) -> None:
    """`target`, a new file, is `source` as it is now. In one step: what is written meanwhile cannot begin it anew."""
    with (
        closing(apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READWRITE)) as there,
        closing(apsw.Connection(str(target))) as here,
    ):
        there.set_busy_timeout(PATIENCE)
        with here.backup("main", there, "main") as turn:
            while not turn.done:
                turn.step(-1)


def problems(path: Path, most: int = 20) -> Iterator[str]:
    """What SQLite finds wrong with a database that nobody else uses."""
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as db:
        try:
            found = [str(row[0]) for row in db.execute(f"PRAGMA integrity_check({most})")]
        except (apsw.NotADBError, apsw.CorruptError) as error:
            found = [str(error)]
    yield from (line for line in found if line != "ok")


def bodies(path: Path) -> dict[str, int]:
    """Of a copied mail database: the file of each large body, and its octets."""
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as db:
        rows = db.execute("SELECT file, size FROM blob WHERE file IS NOT NULL")
        return {f"{BODIES}/{name}": int(str(size)) for name, size in rows}


def short(path: Path) -> Iterator[str]:
    """Of a copied mail database: messages whose body is not as long as it should be, or not there."""
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as db:
        for blob, size, found in db.execute(
            "SELECT blob.id, blob.size, length(body.content) FROM blob LEFT JOIN body ON body.blob = blob.id "
            "WHERE blob.file IS NULL AND blob.size IS NOT length(body.content)"
        ):
            yield f"message body {blob}: {found} octets instead of {size}"
