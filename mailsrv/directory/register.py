"""Accounts and aliases in a database: what `mailsrv account` and `mailsrv alias` write, and a running server reads again.

    accounts = Accounts(state / REGISTER)
    accounts.entries()          what is there, as the configuration would have it
    accounts.version()          another value whenever it may have changed, by whomever; costs microseconds
    accounts.change(act, check) one transaction: act writes, check may refuse what would come of it

Beside the mail store, and not in it: it is small, may be copied alone, and a root shell may write it while the server runs.
A rollback journal with synchronous=EXTRA: what returned is on disk, and all of it is in the one file. A file that is not
there is a register without accounts.
Fails by: `ForUser` for a file that cannot be used, `Misconfigured` for a row that cannot be read, `Later` when somebody holds it.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import apsw

from dnsops.base import files
from dnsops.base.errors import ForUser, Misconfigured
from mailsrv.directory.address import folded
from mailsrv.store.sqlite.opening import Kind, alone, in_words, make, opened, pragma

if TYPE_CHECKING:
    from pydantic import BaseModel

    from dnsops.base.settings.mailserver import Account, Alias

T = TypeVar("T")
M = TypeVar("M", bound="BaseModel")

REGISTER = "accounts.sqlite"  # in the state directory
RESTORE = "restore it from a backup"

TABLES = """
CREATE TABLE account (
    key TEXT PRIMARY KEY, name TEXT NOT NULL, password_hash TEXT NOT NULL, scram_keys TEXT, quota TEXT,
    enabled INTEGER NOT NULL DEFAULT 1, addresses TEXT NOT NULL, may_send_as TEXT NOT NULL DEFAULT '[]');
CREATE TABLE app_password (
    account TEXT NOT NULL, name TEXT NOT NULL, password_hash TEXT NOT NULL, expires TEXT, PRIMARY KEY (account, name));
CREATE TABLE alias (key TEXT PRIMARY KEY, address TEXT NOT NULL, targets TEXT NOT NULL);
"""
KIND = Kind(
    "the register of accounts",
    0x6D736163,  # "msac"
    (TABLES,),
    strange="move it away, or " + RESTORE,
    newer="install that again",
    broken=RESTORE,
    first="PRAGMA synchronous = extra",
)


@dataclass(frozen=True)
class Entries:
    """What the register holds, in the words of the configuration."""

    accounts: tuple[Account, ...] = ()
    aliases: tuple[Alias, ...] = ()

    def account(self, name: str) -> Account | None:
        return next((one for one in self.accounts if folded(one.name) == folded(name)), None)

    def alias(self, address: str) -> Alias | None:
        return next((one for one in self.aliases if folded(one.address) == folded(address)), None)


class Change:
    """The pen of one transaction."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db

    def put(self, account: Account) -> None:
        """An account as it is from now on, with its app passwords."""
        key = folded(account.name)
        self.drop(account.name)
        lists = (json.dumps(account.addresses), json.dumps(account.may_send_as))
        secrets = [one.reveal() if one else None for one in (account.password_hash, account.scram_keys)]
        self._db.execute(
            "INSERT INTO account VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (key, account.name, *secrets, account.quota, account.enabled, *lists),
        )
        for app in account.app_passwords:
            line = app.password_hash.reveal() if app.password_hash else None
            self._db.execute("INSERT INTO app_password VALUES (?, ?, ?, ?)", (key, app.name, line, app.expires))

    def drop(self, name: str) -> None:
        self._db.execute("DELETE FROM account WHERE key = ?", (folded(name),))
        self._db.execute("DELETE FROM app_password WHERE account = ?", (folded(name),))

    def alias(self, address: str, targets: tuple[str, ...]) -> None:
        """Where mail for the address goes from now on; nowhere: there is no such alias."""
        self._db.execute("DELETE FROM alias WHERE key = ?", (folded(address),))
        if targets:
            self._db.execute("INSERT INTO alias VALUES (?, ?, ?)", (folded(address), address, json.dumps(targets)))

    def upgrade(self, name: str, before: str, better: str) -> bool:
        """Another form of the same password, unless it was changed meanwhile."""
        sql = "UPDATE account SET password_hash = ? WHERE key = ? AND password_hash = ? RETURNING 1"
        return bool(self._db.execute(sql, (better, folded(name), before)).fetchall())


class Accounts:
    """May be used from several threads, one after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._db: apsw.Connection | None = None
        self._file: tuple[int, int] = (0, 0)
        self._written = 0
        self._hashes: dict[str, str] = {}

    def version(self) -> tuple[int, ...]:
        """Whatever it is, another one means: look again."""
        with self._lock, in_words(KIND, self.path, self._shut):
            db = self._connection()
            return (*self._file, self._written, pragma(db, "data_version")) if db else (0,)

    def entries(self) -> Entries:
        """What is there now."""
        with self._lock, in_words(KIND, self.path, self._shut):
            db = self._connection()
            entries = _whole(db, lambda: self._read(db)) if db else Entries()
        self._hashes = {folded(one.name): one.password_hash.reveal() for one in entries.accounts if one.password_hash}
        return entries

    def change(self, act: Callable[[Change], None], check: Callable[[Entries, Entries], None]) -> None:
        """`check(before, after)` refuses by raising; then nothing has happened."""
        with self._lock, in_words(KIND, self.path, self._shut):
            db = self._connection() or self._made()
            with alone(db):
                before = self._read(db)
                act(Change(db))
                check(before, self._read(db))
            self._written += 1

    def upgrade(self, name: str, better: str) -> bool:
        """A better hash of the password that `entries` had when it was last asked for. False: it is not ours, or changed."""
        before = self._hashes.get(folded(name))
        if before is None:
            return False
        with self._lock, in_words(KIND, self.path, self._shut):
            db = self._connection()
            if db is None:
                return False
            with alone(db):
                done = Change(db).upgrade(name, before, better)
            self._written += 1
        return done

    def close(self) -> None:
        with self._lock:
            self._shut()

    # the file

    def _connection(self) -> apsw.Connection | None:
        """Open on the file that is there now: a restored backup is another one."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._shut()
            return None
        if self._db is None or self._file != (found.st_dev, found.st_ino):
            self._shut()
            if not found.st_size:
                raise ForUser("the register of accounts is an empty file", str(self.path), RESTORE)
            self._db, self._file = opened(self.path, KIND), (found.st_dev, found.st_ino)
        return self._db

    def _made(self) -> apsw.Connection:
        """A new one, made beside its place, then there; it belongs to whom the state directory belongs to."""
        folder = files.private_directory(self.path.parent)
        new = folder / f".{self.path.name}.{os.getpid()}"
        _remove(new)
        try:
            make(new)
            opened(new, KIND).close()
            with suppress(FileExistsError):  # another process was faster
                self.path.hardlink_to(new)
            files.sync_directory(folder)
        finally:
            _remove(new)
        made = self._connection()
        assert made is not None  # noqa: S101 - it was made just now
        return made

    def _read(self, db: apsw.Connection) -> Entries:
        from dnsops.base.settings.mailserver import Account, Alias

        apps: dict[str, list[dict[str, Any]]] = {}
        for key, name, line, expires in _rows(db, "SELECT * FROM app_password ORDER BY account, name"):
            apps.setdefault(key, []).append({"name": name, "password_hash": line, "expires": expires})
        accounts = [
            self._valid(Account, f"account {name}", values | {"app_passwords": apps.get(key, [])})
            for key, name, values in map(_account, _rows(db, "SELECT * FROM account ORDER BY key"))
        ]
        aliases = [
            self._valid(Alias, f"alias {address}", {"address": address, "to": json.loads(targets)})
            for _, address, targets in _rows(db, "SELECT * FROM alias ORDER BY key")
        ]
        return Entries(tuple(accounts), tuple(aliases))

    def _valid(self, kind: type[M], what: str, values: dict[str, Any]) -> M:
        from pydantic import ValidationError

        try:
            return kind.model_validate(values)
        except ValidationError as error:
            keys = ", ".join(".".join(map(str, one["loc"])) for one in error.errors(include_url=False))
            raise Misconfigured(f"cannot be read: {keys}", f"{self.path}: {what}", RESTORE) from None

    def _shut(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            with suppress(apsw.Error):
                db.close(force=True)


def _account(row: tuple[Any, ...]) -> tuple[str, str, dict[str, Any]]:
    key, name, line, keys, quota, enabled, addresses, patterns = row
    values = {"name": name, "password_hash": line, "scram_keys": keys, "quota": quota, "enabled": bool(enabled)}
    return key, name, values | {"addresses": json.loads(addresses), "may_send_as": json.loads(patterns)}


def _whole(db: apsw.Connection, read: Callable[[], T]) -> T:
    """Several queries see one state."""
    db.execute("BEGIN")
    try:
        return read()
    finally:
        db.execute("COMMIT")


def _rows(db: apsw.Connection, sql: str) -> list[Any]:
    return db.execute(sql).fetchall()


def _remove(path: Path) -> None:
    for each in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        each.unlink(missing_ok=True)
