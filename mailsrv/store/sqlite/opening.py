"""Databases of ours, the mail store and the small ones beside it: whose a file is, its tables, its trouble in words.

    ACCOUNTS = Kind("the register of accounts", 0x6D736163, STEPS, ...)
    db = opened(path, ACCOUNTS)            tables of the newest version
    with alone(db): ...                    one transaction that writes

A step and its new version number are one transaction, so that a kill at any point leaves the old version or the new one.
Fails by: `ForUser` for a database that is newer than this program, or somebody else's; what SQLite raises, which `in_words` tells.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw

from dnsops.base import files
from dnsops.base.errors import ForUser, Later
from mailsrv.store.sqlite.trouble import TROUBLE, reason

PATIENCE = 10_000  # ms that another process's lock is waited for


@dataclass(frozen=True, slots=True)
class Kind:
    """What a database is called, how it is known, and what a person should do when its file is not as it should be.

    application: PRAGMA application_id.  steps: step n leads from version n to n + 1; they are added, never changed.
    first: pragmas of every connection.  then: those that may change the file, once it is known to be ours.
    """

    name: str
    application: int
    steps: tuple[str, ...]
    strange: str
    newer: str
    broken: str = ""
    first: str = ""
    then: str = ""


def make(path: Path) -> None:
    """An empty file that only we may read; root's belongs to whom the directory belongs to. FileExistsError: it is there."""
    folder = files.private_directory(path.parent)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with closing(os.fdopen(handle, "rb")):
        if os.geteuid() == 0:
            os.fchown(handle, folder.stat().st_uid, folder.stat().st_gid)


def opened(path: Path, kind: Kind) -> apsw.Connection:
    """A connection on tables of the newest version. A file that is not ours stays as it is."""
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        db.set_busy_timeout(PATIENCE)
        db.execute(f"PRAGMA trusted_schema = off; {kind.first}")
        migrate(db, str(path), kind)
        db.execute(kind.then)
    except BaseException:
        db.close(force=True)
        raise
    return db


def migrate(db: apsw.Connection, where: str, kind: Kind) -> None:
    """Bring the tables to the newest version; each step whole or not at all."""
    _check(db, where, kind)
    for target in range(version(db) + 1, len(kind.steps) + 1):
        with alone(db):
            if version(db) < target:  # another process may have been faster
                db.execute(kind.steps[target - 1])
                db.execute(f"PRAGMA user_version = {target}; PRAGMA application_id = {kind.application}")


def _check(db: apsw.Connection, where: str, kind: Kind) -> None:
    """Whether this is a database of ours that we understand."""
    known, ours = version(db), pragma(db, "application_id") == kind.application
    if not ours and (known or db.execute("SELECT 1 FROM sqlite_schema").fetchall()):
        raise ForUser("this is a database of another program", where, kind.strange)
    if known > len(kind.steps):
        versions = f"schema {known}, and this program knows {len(kind.steps)} at most"
        raise ForUser(f"a newer mailsrv wrote {kind.name} ({versions})", where, kind.newer)


@contextmanager
def alone(db: apsw.Connection) -> Iterator[None]:
    """One transaction that writes."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


@contextmanager
def in_words(kind: Kind, path: Path, shut: Callable[[], None]) -> Iterator[None]:
    """What the disk or SQLite may do to us, in words. shut: lets go of a connection that is of no use any more."""
    try:
        yield
    except apsw.BusyError:
        raise Later(f"another program holds {kind.name}") from None
    except TROUBLE as error:
        shut()
        raise ForUser(f"{kind.name} cannot be used ({reason(error)})", str(path), kind.broken) from None


def version(db: apsw.Connection) -> int:
    return pragma(db, "user_version")


def pragma(db: apsw.Connection, name: str) -> int:
    return int(str(db.pragma(name)))
