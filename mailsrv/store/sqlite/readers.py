"""A few threads that read, each on its own connection: in WAL mode they see the last commit and never wait for the writer.

Fails by: `Later` when the disk fails; what a reader refuses (`Absent`) is the caller's.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import apsw

from dnsops.base.errors import Later
from dnsops.base.log import Log
from mailsrv.store.sqlite.trouble import TROUBLE, later, reason

T = TypeVar("T")

THREADS = 3


class Readers:
    """`connect` opens a connection that cannot write."""

    def __init__(self, connect: Callable[[], apsw.Connection], log: Log) -> None:
        self._connect, self._log = connect, log
        self._pool = ThreadPoolExecutor(THREADS, "store reader")
        self._mine = threading.local()
        self._all: list[apsw.Connection] = []
        self._closed = False

    async def do(self, read: Callable[[apsw.Connection], T]) -> T:
        """Read in one of the threads, all statements in one transaction."""
        return await self._submit(self._read, read)

    async def touch(self, act: Callable[[], T]) -> T:
        """Work on files in one of the threads."""
        return await self._submit(self._touch, act)

    async def close(self) -> None:
        """Let the running ones end."""
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(None, self._pool.shutdown)
        for db in self._all:
            db.close(force=True)
        self._all.clear()

    async def _submit(self, how: Callable[[Callable[..., T]], T], what: Callable[..., T]) -> T:
        if self._closed:
            raise Later("the mail store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._pool, how, what)

    def _read(self, read: Callable[[apsw.Connection], T]) -> T:
        try:
            db = self._connection()
            db.execute("BEGIN")
            try:
                return read(db)
            finally:
                if db.in_transaction:  # SQLite may have ended it after an error
                    db.execute("COMMIT")
        except TROUBLE as error:
            self._forget()
            raise self._later(error) from None

    def _touch(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except TROUBLE as error:
            raise self._later(error) from None

    def _later(self, error: BaseException) -> Later:
        self._log("store.unreadable", why=reason(error), error=str(error))
        return later(error)

    def _connection(self) -> apsw.Connection:
        db: apsw.Connection | None = getattr(self._mine, "db", None)
        if db is None:
            db = self._mine.db = self._connect()
            self._all.append(db)
        return db

    def _forget(self) -> None:
        """After a disk error the next read starts on a new connection."""
        db: apsw.Connection | None = getattr(self._mine, "db", None)
        if db is not None:
            self._mine.db = None
            self._all.remove(db)
            with suppress(apsw.Error):
                db.close(force=True)
