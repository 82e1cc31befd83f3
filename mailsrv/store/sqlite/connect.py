"""Opening the database: made whole or not at all, never made again by itself, every connection durable.

Measured (a power cut after each): only WAL with synchronous=FULL keeps every commit, so both are set and asserted.
Fails by: `ForUser` - no database, a damaged one, a stranger's, a newer one, a missing one whose bodies are still there.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw

from dnsops.base import files
from dnsops.base.errors import ForUser
from mailsrv.store.sqlite.opening import migrate
from mailsrv.store.sqlite.schema import KIND
from mailsrv.store.sqlite.trouble import TROUBLE, reason

DATABASE = "mail.db"
BODIES = "bodies"
PATIENCE = 30_000  # ms that a lock of another process is waited for
WRITER_CACHE = 16_384  # KiB of pages
READER_CACHE = 4_096
RESTORE = "restore a backup (mailsrv backup restore)"


def prepare(directory: Path) -> Path:
    """The database of a directory, made when the directory is new, with the newest tables."""
    path = directory / DATABASE
    try:
        files.private_directory(directory)
        with _alone(directory):
            if not path.exists():
                _make(path)
        _readable(path)
        with closing(connection(path)) as db:
            migrate(db, str(path), KIND)
    except TROUBLE as error:
        raise for_user(path, error) from None
    return path


def connection(path: Path, reader: bool = False) -> apsw.Connection:
    """One connection. `reader`: it cannot write."""
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=200)
    db.set_busy_timeout(PATIENCE)
    db.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)  # or SQLite plans a query anew for every value it is given
    cache = READER_CACHE if reader else WRITER_CACHE
    for pragma in (
        f"cache_size = -{cache}",
        "temp_store = memory",
        "trusted_schema = off",
        "journal_size_limit = 67108864",
    ):
        db.execute(f"PRAGMA {pragma}")
    durable(db)
    if reader:
        db.execute("PRAGMA query_only = on")
    return db


def durable(db: apsw.Connection) -> None:
    """What returns is on disk: set, and asserted."""
    mode = db.execute("PRAGMA journal_mode = wal").fetchall()
    db.execute("PRAGMA synchronous = full")
    level = db.execute("PRAGMA synchronous").fetchall()
    if mode != [("wal",)] or level != [(2,)]:
        raise apsw.CantOpenError(f"journal_mode {mode}, synchronous {level}")


def _make(path: Path) -> None:
    """A new database beside its place, then there: a half-made one is never found under the name."""
    if any((path.parent / BODIES).glob("*/*")):
        raise ForUser("the mail database is not there, but bodies of messages are", str(path), RESTORE)
    new = path.with_name(f".{path.name}.new")
    for leftover in (new, new.with_name(new.name + "-wal"), new.with_name(new.name + "-shm")):
        leftover.unlink(missing_ok=True)
    db = apsw.Connection(str(new))
    new.chmod(0o600)
    durable(db)
    migrate(db, str(path), KIND)
    db.close()  # the last connection takes the journal into the file
    with new.open("rb") as file:
        os.fsync(file.fileno())
    new.replace(path)
    files.sync_directory(path.parent)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Two processes may find a new directory at the same time; one makes, the other finds it made."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _readable(path: Path) -> None:
    """SQLite would take an empty file for a new database; we do not."""
    with path.open("rb") as file:
        if not file.read(16):
            raise ForUser("the mail database is an empty file", str(path), RESTORE)


def for_user(path: Path, error: BaseException) -> ForUser:
    """Why the store cannot be opened, and what now."""
    match error:
        case apsw.NotADBError():
            return ForUser("this is not a SQLite database", str(path), RESTORE)
        case apsw.CorruptError():
            return ForUser("the mail database is damaged", str(path), RESTORE)
        case OSError():
            return ForUser(
                f"the mail store cannot be opened ({error.strerror})", str(path), "mend the directory's rights"
            )
    return ForUser(f"the mail store cannot be opened ({reason(error)})", str(path), "free the disk and try again")
