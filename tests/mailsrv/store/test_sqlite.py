"""What only the engine on disk can suffer: strangers' files, older and newer tables, orphans, other processes."""

from __future__ import annotations

import asyncio
import io
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from dnsops.base.errors import ForUser, Later
from dnsops.base.log import Log
from mailsrv.store.door import Change, Op, Place, Store
from mailsrv.store.sqlite import SqliteStore, index, schema
from mailsrv.store.sqlite.connect import connection, prepare
from mailsrv.store.sqlite.opening import migrate, version
from mailsrv.store.sqlite.work import Work
from mailsrv.store.sqlite.writer import Writer
from tests.mailsrv.store.letters import INBOX, NOON, letter


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


async def opened(directory: Path, log: io.StringIO) -> SqliteStore:
    store = SqliteStore(directory, Log(log))
    await store.account("alice")
    return store


async def made(directory: Path, log: io.StringIO) -> Path:
    """A database with one message."""
    store = await opened(directory, log)
    await store.accept(letter("kept"))
    await store.close()
    return directory / "mail.db"


def sentence(directory: Path) -> str:
    with pytest.raises(ForUser) as refused:
        SqliteStore(directory, Log(io.StringIO()))
    assert str(directory / "mail.db") in str(refused.value)
    assert "\n" not in str(refused.value)
    return refused.value.what


# opening


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "the mail database is an empty file"),
        (b"this is a letter to the editor, " * 200, "this is not a SQLite database"),
        (b"SQLite format 3\x00" + b"\xff" * 4080, "this is not a SQLite database"),
    ],
)
async def test_what_is_no_database_is_left_alone(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "mail.db").write_bytes(content)
    assert sentence(tmp_path) == what
    assert (tmp_path / "mail.db").read_bytes() == content


async def test_a_database_that_went_missing_is_not_made_again(tmp_path: Path, log: io.StringIO) -> None:
    store = SqliteStore(tmp_path, Log(log), inline=0)
    await store.account("alice")
    await store.accept(letter("kept"))
    await store.close()
    (tmp_path / "mail.db").unlink()
    assert sentence(tmp_path) == "the mail database is not there, but bodies of messages are"


async def test_a_strangers_database_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "mail.db") as db:
        db.executescript("CREATE TABLE bookmarks (url); PRAGMA user_version = 1")
    db.close()
    assert sentence(tmp_path) == "this is a database of another program"


async def test_an_unnumbered_database_of_a_stranger_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "mail.db") as db:
        db.execute("CREATE TABLE bookmarks (url)")
    db.close()
    assert sentence(tmp_path) == "this is a database of another program"


async def test_a_newer_database_is_refused_with_both_numbers(tmp_path: Path, log: io.StringIO) -> None:
    path = await made(tmp_path, log)
    db = connection(path)
    db.execute(f"PRAGMA user_version = {len(schema.KIND.steps) + 1}")
    db.close()
    known = f"schema {len(schema.KIND.steps) + 1}, and this program knows {len(schema.KIND.steps)} at most"
    assert sentence(tmp_path) == f"a newer mailsrv wrote this database ({known})"


async def test_a_damaged_database_is_later_while_it_runs_and_refused_at_start(tmp_path: Path, log: io.StringIO) -> None:
    path = await made(tmp_path, log)
    store = SqliteStore(tmp_path, Log(log))
    data = bytearray(path.read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096 : page * 4096 + 64] = b"\xaa" * 64
    path.write_bytes(data)
    for asked in (store.mailboxes("alice"), store.mailbox("alice", "INBOX"), store.usage("alice")):
        with pytest.raises(Later) as later:
            await asked
        assert later.value.reason == "the mail store is not available: its database is damaged"
    assert "store.unreadable" in log.getvalue()
    await store.close()
    assert sentence(tmp_path) == "the mail database is damaged"
    assert path.stat().st_size >= len(data)


async def test_every_connection_is_durable(tmp_path: Path, log: io.StringIO) -> None:
    path = await made(tmp_path, log)
    for reader in (False, True):
        db = connection(path, reader)
        assert (db.pragma("journal_mode"), db.pragma("synchronous")) == ("wal", 2)
        assert db.pragma("query_only") == int(reader)
        db.close()


async def test_a_killed_making_is_made_again(tmp_path: Path, log: io.StringIO) -> None:
    (tmp_path / ".mail.db.new").write_bytes(b"SQLite format 3\x00 half")
    await (await opened(tmp_path, log)).close()
    assert {path.name for path in tmp_path.iterdir()} == {"mail.db", "bodies"}
    assert (tmp_path / "mail.db").stat().st_mode & 0o777 == 0o600


# migrations


def test_migrations_are_whole_or_not_at_all_and_go_on_where_they_were(tmp_path: Path) -> None:
    first = "CREATE TABLE a (x); INSERT INTO a VALUES (1)"
    second = "CREATE TABLE b (x); INSERT INTO b SELECT x FROM a"
    broken = "CREATE TABLE b (x); INSERT INTO nowhere VALUES (1)"
    db = apsw.Connection(str(tmp_path / "db"))
    with pytest.raises(apsw.SQLError):
        migrate(db, "db", replace(schema.KIND, steps=(first, broken)))
    assert version(db) == 1
    migrate(db, "db", replace(schema.KIND, steps=(first, second)))
    migrate(db, "db", replace(schema.KIND, steps=(first, second)))
    assert version(db) == 2
    assert db.execute("SELECT x FROM b").fetchall() == [(1,)]
    with pytest.raises(ForUser):
        migrate(db, "db", replace(schema.KIND, steps=(first,)))


async def test_two_processes_may_open_a_new_directory(tmp_path: Path, log: io.StringIO) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(asyncio.to_thread(prepare, tmp_path))
    await (await opened(tmp_path, log)).close()


# files


async def test_orphans_are_swept_at_start_and_what_is_referred_to_stays(tmp_path: Path, log: io.StringIO) -> None:
    store = SqliteStore(tmp_path, Log(log), inline=0)
    await store.account("alice")
    await store.accept(letter("kept"))
    orphan = tmp_path / "bodies" / "0" / "orphan"
    orphan.write_bytes(b"half a message")
    other = SqliteStore(tmp_path, Log(log), inline=0)  # the first is still at it: its files may be new
    assert orphan.exists()
    await other.close()
    await store.close()
    store = SqliteStore(tmp_path, Log(log), inline=0)
    assert not orphan.exists()
    [row] = await store.rows((await store.mailbox("alice", "INBOX")).id)
    assert await store.content(row.blob) == letter("kept").content
    await store.close()


async def test_files_go_with_their_message_and_with_a_refusal(tmp_path: Path, log: io.StringIO) -> None:
    store = SqliteStore(tmp_path, Log(log), inline=0)
    await store.account("alice")

    def files() -> int:
        return len(list((tmp_path / "bodies").glob("?/*")))

    await store.accept(letter("x"), letter("y"))
    assert files() == 2
    with pytest.raises(LookupError if False else Exception):
        await store.accept(letter("z", Place("nobody")))
    assert files() == 2
    number = (await store.mailbox("alice", "INBOX")).id
    await store.flag(number, [1], Op.ADD, frozenset({"\\Deleted"}))
    await store.expunge(number, [1])
    await store.close()
    assert files() == 1


async def test_a_body_that_is_cut_short_or_gone_is_later(tmp_path: Path, log: io.StringIO) -> None:
    store = SqliteStore(tmp_path, Log(log), inline=0)
    await store.account("alice")
    await store.accept(letter("kept"))
    [row] = await store.rows((await store.mailbox("alice", "INBOX")).id)
    [file] = (tmp_path / "bodies").glob("?/*")
    for damage in (lambda: file.write_bytes(b"Subj"), file.unlink):
        damage()
        with pytest.raises(Later) as later:
            await store.content(row.blob)
        assert str(tmp_path) not in str(later.value)
    await store.close()


# the writer


async def test_a_failing_job_harms_no_other_of_its_group(tmp_path: Path, log: io.StringIO) -> None:
    """The first job holds the writer until all others are queued, so that those are one group."""
    path = prepare(tmp_path)
    writer = Writer(lambda: connection(path), lambda: NOON, lambda name: None, Log(log))
    writer.start()
    running, gate = threading.Event(), threading.Event()
    commits: list[int] = []

    def hold(work: Work) -> None:
        work.db.execute("CREATE TABLE done (number)")
        running.set()
        gate.wait(10)

    def job(number: int) -> Callable[[Work], int]:
        def run(work: Work) -> int:
            if not commits:
                work.db.set_commit_hook(lambda: bool(commits.append(number)))
            work.run("INSERT INTO done VALUES (?)", number)
            if number % 3 == 0:
                raise ZeroDivisionError(number)
            return number

        return run

    first = asyncio.ensure_future(writer.do(hold))
    await asyncio.to_thread(running.wait, 10)
    rest = [asyncio.ensure_future(writer.do(job(number))) for number in range(9)]
    await asyncio.sleep(0)
    gate.set()
    await first
    results = await asyncio.gather(*rest, return_exceptions=True)
    assert [result for result in results if isinstance(result, int)] == [1, 2, 4, 5, 7, 8]
    assert sum(isinstance(result, ZeroDivisionError) for result in results) == 3
    assert len(commits) == 1
    await writer.close()
    db = connection(path)
    assert [number for (number,) in db.execute("SELECT number FROM done")] == [1, 2, 4, 5, 7, 8]
    db.close()


async def test_when_commit_fails_nothing_of_the_group_has_happened(tmp_path: Path, log: io.StringIO) -> None:
    store = await opened(tmp_path, log)
    running, gate, told = threading.Event(), threading.Event(), list[Change]()
    store.watch("alice", told.append)

    def hold(work: Work) -> None:
        running.set()
        gate.wait(10)

    def spoil(work: Work) -> None:
        work.db.set_commit_hook(lambda: True)  # SQLite then refuses to commit

    tasks: list[asyncio.Future[object]] = [asyncio.ensure_future(store._writer.do(hold))]
    await asyncio.to_thread(running.wait, 10)
    tasks += [asyncio.ensure_future(store.accept(letter(f"m{count}"))) for count in range(3)]
    tasks += [asyncio.ensure_future(store._writer.do(spoil))]
    await asyncio.sleep(0)
    gate.set()
    _, *results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [Later] * 4
    assert told == []
    [placed] = await store.accept(letter("next"))
    assert placed.uid == 1
    assert [change.rows[0].uid for change in told] == [1]
    await store.close()


async def test_readers_do_not_wait_for_the_writer(tmp_path: Path, log: io.StringIO) -> None:
    store = await opened(tmp_path, log)
    await store.accept(letter("x"))
    gate = threading.Event()
    holding = asyncio.ensure_future(store._writer.do(lambda work: gate.wait(10)))
    number = (await store.mailbox("alice", "INBOX")).id
    assert len(await store.rows(number)) == 1
    assert not holding.done()
    gate.set()
    assert await holding
    await store.close()


async def test_after_close_it_is_later(tmp_path: Path, log: io.StringIO) -> None:
    store = await opened(tmp_path, log)
    running = [asyncio.ensure_future(store.accept(letter(f"m{count}"))) for count in range(5)]
    await asyncio.sleep(0)
    await store.close()
    assert all(placed for placed in await asyncio.gather(*running))
    for asked in (store.accept(letter("x")), store.mailboxes("alice")):
        with pytest.raises(Later):
            await asked


async def test_who_gives_up_waiting_takes_nothing_back(tmp_path: Path, log: io.StringIO) -> None:
    store = await opened(tmp_path, log)
    waiting = asyncio.ensure_future(store.accept(letter("x")))
    await asyncio.sleep(0)
    waiting.cancel()
    await store.accept(letter("y"))
    number = (await store.mailbox("alice", "INBOX")).id
    assert [row.uid for row in await store.rows(number)] == [1, 2]
    await store.close()


# the index


async def test_what_was_not_indexed_before_a_crash_is_indexed_after_it(tmp_path: Path, log: io.StringIO) -> None:
    path, count = await made(tmp_path, log), 2 * index.CHUNK + 1
    store = await opened(tmp_path, log)
    number = (await store.mailbox("alice", "INBOX")).id
    await store.accept(*(letter(f"m{each}") for each in range(count)))
    await store.search(number, "m1")
    await store.close()
    db = connection(path)
    assert index.waiting(db) == 0
    db.execute("INSERT INTO words (words) VALUES ('delete-all'); INSERT INTO unindexed SELECT id, 'late' FROM blob")
    db.close()
    store = await opened(tmp_path, log)
    assert await store.search(number, "late") == set(range(1, count + 2))
    await store.close()
    db = connection(path)
    assert index.waiting(db) == 0
    db.close()


async def test_the_index_and_the_tables_agree_after_much_coming_and_going(tmp_path: Path, log: io.StringIO) -> None:
    store = await opened(tmp_path, log)
    number = (await store.mailbox("alice", "INBOX")).id
    for count in range(30):
        [placed] = await store.accept(letter(f"word{count}", INBOX))
        if count % 2:
            await store.flag(number, [placed.uid], Op.SET, frozenset({"\\Deleted"}))
        if count % 4 == 1:
            await store.search(number, "word")
        await store.expunge(number, [placed.uid])
    assert await store.search(number, "word") == set(range(1, 31, 2))
    await store.close()
    db = connection(tmp_path / "mail.db")
    assert db.execute("SELECT count(*) FROM words").fetchall() == [(15,)]
    assert db.execute("SELECT count(*) FROM unindexed").fetchall() == [(0,)]
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    for table in ("body", "blob", "message"):
        assert db.execute(f"SELECT count(*) FROM {table}").fetchall() == [(15,)]
    db.close()


def test_both_engines_are_stores(tmp_path: Path) -> None:
    from mailsrv.store.memory import MemoryStore

    stores: list[Store] = [MemoryStore(), SqliteStore(tmp_path)]
    for store in stores:
        asyncio.run(store.close())
