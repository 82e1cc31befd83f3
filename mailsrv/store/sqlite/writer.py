"""The one thread that writes. Jobs queue up while the last commit's fsync runs; then one transaction takes them all.

    loop:  do(job) ─┐                                       ┌─> changes told, then each caller answered
    loop:  do(job) ─┼─> queue ─> BEGIN  job  job  job  COMMIT (one fsync)
    loop:  do(job) ─┘            when one refuses: again, each in a SAVEPOINT of its own

Other processes may write to the same database; what they did is looked for before our own news are told, and a few times a second.
Fails by: a job that refuses is rolled back alone and its caller gets the refusal. When the disk fails, in a job or in COMMIT,
nothing of the group has happened, every caller of it gets `Later`, and the next group starts on a new connection.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import apsw

from dnsops.base.errors import Later
from dnsops.base.log import Log
from mailsrv.store.door import Change
from mailsrv.store.news import Watchers, coalesce
from mailsrv.store.sqlite import index
from mailsrv.store.sqlite.elsewhere import Elsewhere
from mailsrv.store.sqlite.trouble import TROUBLE, later, reason
from mailsrv.store.sqlite.work import Work

T = TypeVar("T")

BROKEN = (apsw.Error, *TROUBLE)  # a job's own bugs are its caller's; what else SQLite refuses ends the group

MOST_JOBS = 1000  # of one group
MOST_BYTES = 16 << 20  # of content in one group
WAL_PAGES = 2000  # 8 MB of journal are taken into the database
IDLE = 0.2  # seconds without a job until the index is brought up to date
LOOK = 0.2  # seconds between two looks at what other processes did


@dataclass(slots=True, eq=False)
class Task:
    """A job and who waits for it. `undo` is called when nothing came of it. `weight`: bytes of content."""

    job: Callable[[Work], Any]
    future: asyncio.Future[Any]
    undo: Callable[[], None] | None = None
    weight: int = 0
    value: Any = None
    error: BaseException | None = None


class Writer:
    """`connect` opens a connection. `unneeded` is handed the files that nobody refers to any more."""

    def __init__(
        self,
        connect: Callable[[], apsw.Connection],
        now: Callable[[], datetime],
        unneeded: Callable[[str], None],
        log: Log,
    ) -> None:
        self._connect, self._now, self._unneeded, self._log = connect, now, unneeded, log
        self.watchers = Watchers()
        self._queue: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="store writer", daemon=True)
        self._closed = False
        self._db: apsw.Connection | None = None
        self._wal_pages = 0
        self._elsewhere, self._looked = Elsewhere(), 0.0
        self.unindexed = 0  # about; search asks for the rest to be indexed first

    def start(self) -> None:
        """Open now, so that what is wrong is said at once."""
        self._connection()
        self._thread.start()

    async def do(self, job: Callable[[Work], T], undo: Callable[[], None] | None = None, weight: int = 0) -> T:
        """Run the job in the next group; returns when it is on disk."""
        if self._closed:
            raise Later("the mail store is closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put(Task(job, future, undo, weight))
        return await future

    async def indexed(self) -> None:
        """Until all that was accepted by now is in the index; when that fails, the index stays behind."""
        with suppress(Later):
            while self.unindexed and await self.do(self._take_in):
                pass

    def _take_in(self, work: Work) -> int:
        taken = index.take_in(work.db)
        work.unindexed = -taken if taken == index.CHUNK else -self.unindexed
        return taken

    async def close(self) -> None:
        """What has been asked for is done first."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    # the thread

    def _work(self) -> None:
        while group := self._gather():
            tasks = [task for task in group if task]
            if tasks:
                self._commit(tasks)
                self._tidy()
            if len(tasks) < len(group):
                break
        self._drain()
        self._shut()

    def _gather(self) -> list[Task | None]:
        """The next group: the first task that comes, and all that are there by then."""
        task = self._first()
        group, weight = [task], 0
        while task and len(group) < MOST_JOBS and weight < MOST_BYTES:
            weight += task.weight
            try:
                task = self._queue.get_nowait()
            except queue.Empty:
                break
            group.append(task)
        return group

    def _first(self) -> Task | None:
        while self.unindexed:
            with suppress(queue.Empty):
                return self._queue.get(timeout=IDLE)
            while self.unindexed and self._queue.empty():
                self._index()
            self._look()
        while True:
            with suppress(queue.Empty):
                return self._queue.get(timeout=LOOK)
            self._look()

    def _commit(self, tasks: list[Task]) -> None:
        done: list[Work] = []
        changes: list[Change] = []
        try:
            db = self._connection()
            db.execute("BEGIN IMMEDIATE")
            now = self._now()
            done = self._each(db, tasks, now)
            changes = self._with_others(db, [change for work in done for change in work.changes])
            db.execute("COMMIT")
        except BROKEN as error:
            self._abandon(tasks, error)
            done, changes = [], []
        self.unindexed = max(0, self.unindexed + sum(work.unindexed for work in done))
        self._answer(tasks, changes)
        for name in (name for work in done for name in work.unneeded):
            self._unneeded(name)

    def _each(self, db: apsw.Connection, tasks: list[Task], now: datetime) -> list[Work]:
        """All jobs. Hardly ever one refuses, and a savepoint for each would cost a fifth of what they do."""
        done = []
        for task in tasks:
            work = Work(db, now)
            try:
                task.value = task.job(work)
            except TROUBLE:
                raise
            except BaseException:
                db.execute("ROLLBACK")
                db.execute("BEGIN IMMEDIATE")
                return [one for task in tasks if (one := self._one(db, task, now))]
            done.append(work)
        return done

    def _one(self, db: apsw.Connection, task: Task, now: datetime) -> Work | None:
        """One job in its savepoint; None when it refused."""
        work = Work(db, now)
        db.execute("SAVEPOINT job")
        try:
            task.value = task.job(work)
        except TROUBLE:
            raise
        except BaseException as error:  # not swallowed: whoever waits for the job gets it
            db.execute("ROLLBACK TO job")
            db.execute("RELEASE job")
            task.error = error
            return None
        db.execute("RELEASE job")
        return work

    def _with_others(self, db: apsw.Connection, ours: list[Change]) -> list[Change]:
        """Before our own news those of other processes about the same accounts, when there are any."""
        if not self._elsewhere.behind(db):
            self._elsewhere.ours(ours)
            return ours
        touched = {change.account for change in ours} & self.watchers.accounts()
        return [*self._elsewhere.part(db, touched), *ours]

    def _look(self) -> None:
        """What other processes did, told to who watches; when the disk fails, the next job says so."""
        self._looked = time.monotonic()
        try:
            db = self._connection()
            db.execute("BEGIN")
            try:
                changes = self._elsewhere.look(db, self.watchers.accounts())
                if changes:
                    self.unindexed = index.waiting(db)
            finally:
                if db.in_transaction:
                    db.execute("COMMIT")
        except BROKEN:
            self._shut()
            return
        self.watchers.tell(changes)

    def _abandon(self, tasks: list[Task], error: BaseException) -> None:
        """Nothing happened. What SQLite thinks of the file after a disk error is not trusted: a new connection."""
        self._log("store.failed", why=reason(error), error=str(error), jobs=len(tasks))
        self._shut()
        for task in tasks:
            task.error = later(error)

    def _answer(self, tasks: list[Task], changes: list[Change]) -> None:
        """The news first, then the answers: who is answered has been told."""
        self.watchers.tell(coalesce(changes))
        by_loop: dict[asyncio.AbstractEventLoop, list[Task]] = {}
        for task in tasks:
            if task.error and task.undo:
                task.undo()
            by_loop.setdefault(task.future.get_loop(), []).append(task)
        for loop, answered in by_loop.items():
            with suppress(RuntimeError):  # the loop is closed, nobody waits any more
                loop.call_soon_threadsafe(_wake, answered)

    def _tidy(self) -> None:
        """After the answers: the index when much waits for it, and the journal into the database."""
        if self.unindexed >= index.BACKLOG:
            self._index()
        if time.monotonic() - self._looked >= LOOK:
            self._look()
        if self._wal_pages < WAL_PAGES or self._db is None:
            return
        try:
            self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            self._wal_pages = 0
        except BROKEN as error:  # the journal keeps everything until the next time
            self._log("store.checkpoint", why=reason(error), error=str(error))
            self._wal_pages = WAL_PAGES // 2

    def _index(self) -> None:
        """Some of what waits for the index, in a commit of its own."""
        try:
            db = self._connection()
            db.execute("BEGIN IMMEDIATE")
            taken = index.take_in(db)
            db.execute("COMMIT")
            self.unindexed = self.unindexed - taken if taken == index.CHUNK else 0
        except BROKEN as error:  # what is not indexed stays where it is until the next job or start
            self._log("store.index", why=reason(error), error=str(error))
            self._shut()
            self.unindexed = 0

    def _connection(self) -> apsw.Connection:
        if self._db is None:
            self._db = self._connect()
            self._db.set_wal_hook(self._wal)
            self.unindexed = index.waiting(self._db)
            self._elsewhere.begin(self._db)
        return self._db

    def _wal(self, db: apsw.Connection, name: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _drain(self) -> None:
        """Whoever came after `close`."""
        with suppress(queue.Empty):
            while task := self._queue.get_nowait():
                task.error = Later("the mail store is closed")
                self._answer([task], [])

    def _shut(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            with suppress(apsw.Error):
                db.close(force=True)


def _wake(tasks: list[Task]) -> None:
    for task in tasks:
        if task.future.done():  # cancelled meanwhile; what it asked for stands
            continue
        if task.error:
            task.future.set_exception(task.error)
        else:
            task.future.set_result(task.value)
