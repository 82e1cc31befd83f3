"""Two stores on one database, as two processes have them: each is told what the other did, in an order that an index can bear."""

from __future__ import annotations

import asyncio
import io
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from dnsops.base.log import Log
from mailsrv.imap.index import Index
from mailsrv.store.door import Change, Op, Place, Row
from mailsrv.store.sqlite import SqliteStore
from tests.mailsrv.store.letters import INBOX, QUICK, letter

PATIENCE = 20.0
ARCHIVE = Place("alice", "Archive")


@asynccontextmanager
async def two() -> AsyncIterator[tuple[SqliteStore, SqliteStore]]:
    log = io.StringIO()
    with tempfile.TemporaryDirectory(dir=QUICK) as directory:
        here = SqliteStore(Path(directory) / "store", Log(log))
        await here.account("alice")
        there = SqliteStore(Path(directory) / "store", Log(log))
        yield here, there
        await here.close()
        await there.close()
    assert log.getvalue() == ""


class Heard:
    """All that was told, and a way to wait for what must come."""

    def __init__(self, store: SqliteStore, account: str = "alice") -> None:
        self.changes: list[Change] = []
        self._more = asyncio.Event()
        self.stop = store.watch(account, self._tell)

    def _tell(self, change: Change) -> None:
        self.changes.append(change)
        self._more.set()

    async def until(self, wanted: object) -> None:
        async with asyncio.timeout(PATIENCE):
            while not wanted(self):  # type: ignore[operator]
                self._more.clear()
                await self._more.wait()

    def uids(self) -> list[int]:
        return [row.uid for change in self.changes for row in change.rows]

    def kinds(self) -> list[str]:
        return [change.kind for change in self.changes if change.kind]


async def test_mail_flags_and_what_goes_elsewhere_is_told() -> None:
    async with two() as (here, there):
        heard = Heard(here)
        [placed, _] = await there.accept(letter("one"), letter("two"))
        await heard.until(lambda one: one.uids() == [1, 2])
        await there.flag(placed.mailbox, [1], Op.ADD, frozenset({"\\Deleted", "$work"}))
        await heard.until(lambda one: one.changes[-1].rows[-1:] != () and "$work" in one.changes[-1].rows[0].flags)
        await there.expunge(placed.mailbox, [1])
        await heard.until(lambda one: one.changes[-1].gone == (1,))


async def test_mailboxes_that_come_and_go_elsewhere_are_told() -> None:
    async with two() as (here, there):
        heard = Heard(here)
        await asyncio.sleep(0.5)  # so that it is known which there were
        made = await there.create("alice", "New")
        await heard.until(lambda one: one.kinds() == ["created"])
        await there.rename("alice", "New", "Newer")
        await heard.until(lambda one: one.kinds() == ["created", "renamed"])
        await there.delete("alice", "Newer")
        await heard.until(lambda one: one.kinds() == ["created", "renamed", "deleted"])
        assert {change.mailbox for change in heard.changes} == {made.id}


async def test_an_account_made_elsewhere_is_told_of_from_its_beginning() -> None:
    async with two() as (here, there):
        heard = Heard(here, "carol")
        await there.account("carol")
        await there.accept(letter("first", Place("carol")))
        await heard.until(lambda one: one.uids() == [1])


async def test_the_queue_is_told_of_what_was_queued_elsewhere() -> None:
    async with two() as (here, there):
        heard = Heard(here, "")
        await there.accept(letter("out"))
        await heard.until(lambda one: "queue" in one.kinds())


async def test_who_is_not_watched_any_more_is_forgotten_and_who_comes_again_is_told() -> None:
    async with two() as (here, there):
        heard = Heard(here)
        await there.accept(letter("one"))
        await heard.until(lambda one: one.uids() == [1])
        heard.stop()
        await there.accept(letter("two"))
        await asyncio.sleep(0.5)
        again = Heard(here)
        await there.accept(letter("three"))
        await again.until(lambda one: 3 in one.uids())
        assert heard.uids() == [1]


async def test_search_finds_what_another_process_left_to_be_indexed() -> None:
    async with two() as (here, there):
        heard = Heard(here)
        [placed] = await there.accept(letter("needle"))
        await heard.until(lambda one: one.uids() == [1])
        assert await here.search(placed.mailbox, "needle") == {1}


async def test_an_index_stays_true_whoever_writes() -> None:
    """Its rows are those of the mailbox at the end, although both wrote at the same time."""
    async with two() as (here, there):
        box = await here.mailbox("alice", "INBOX")
        index = Index(await here.rows(box.id))
        here.watch("alice", lambda change: index.tell(change) if change.mailbox == box.id else None)
        await asyncio.gather(_busy(here, box.id, 1), _busy(there, box.id, 2))
        wanted = await here.rows(box.id)
        async with asyncio.timeout(PATIENCE):
            while _shown(index) != [(row.uid, row.flags) for row in wanted]:
                await asyncio.sleep(0.05)
        assert len(wanted) > 20


async def _busy(store: SqliteStore, mailbox: int, seed: int) -> None:
    chance = random.Random(seed)
    for number in range(60):
        await store.accept(letter(f"m{seed}-{number}", INBOX if chance.random() < 0.8 else ARCHIVE))
        rows: tuple[Row, ...] = await store.rows(mailbox)
        some = chance.sample([row.uid for row in rows], min(2, len(rows)))
        await store.flag(mailbox, some, Op.ADD, frozenset({chance.choice(["\\Seen", "\\Deleted", "x"])}))
        if chance.random() < 0.1:
            await store.expunge(mailbox, some)


def _shown(index: Index) -> list[tuple[int, frozenset[str]]]:
    return [(uid, index.flags(at)) for at, uid in enumerate(index.uids)]


async def test_what_we_do_ourselves_is_told_once_while_nobody_else_writes() -> None:
    async with two() as (here, _):
        heard = Heard(here)
        for number in range(5):
            await here.accept(letter(f"m{number}"))
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.4)
        assert heard.uids() == [1, 2, 3, 4, 5]
