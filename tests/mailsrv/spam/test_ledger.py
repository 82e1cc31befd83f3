"""The ledger remembers, across restarts and processes, within bounds; broken, it lets everyone in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from dnsops.base.log import Value
from mailsrv.spam import ledger as room
from mailsrv.spam.greylist import DELAY, GOOD_FOR, Answer, triplet
from mailsrv.spam.hints import Says
from mailsrv.spam.lately import LASTING
from mailsrv.spam.ledger import FILE, Ledger
from mailsrv.spam.reputation import Mark, Record, hint

T = TypeVar("T")
STRANGER = triplet("192.0.2.9", "a@list.example", "user1@ours.example")
OTHER = triplet("192.0.2.10", "b@list.example", "user2@ours.example")
FRIEND = "bob@remote.example"


class Lines(list[str]):
    def __call__(self, event: str, **fields: Value) -> None:
        self.append(f"{event} {fields}")


def use(folder: Path, story: Callable[[Ledger], Awaitable[T]], lines: Lines | None = None) -> T:
    async def whole() -> T:
        async with Ledger(folder, Lines() if lines is None else lines) as ledger:
            return await story(ledger)

    return asyncio.run(whole())


def test_who_comes_again_is_known_after_a_restart_too(tmp_path: Path) -> None:
    assert use(tmp_path, lambda ledger: ledger.knock(STRANGER, 0.0)) is Answer.WAIT
    assert use(tmp_path, lambda ledger: ledger.knock(STRANGER, 5.0)) is Answer.WAIT
    assert use(tmp_path, lambda ledger: ledger.knock(OTHER, DELAY)) is Answer.WAIT
    assert use(tmp_path, lambda ledger: ledger.knock(STRANGER, DELAY)) is Answer.BACK
    assert use(tmp_path, lambda ledger: ledger.knock(OTHER, DELAY + 1)) is Answer.KNOWN  # the same network and domain
    assert use(tmp_path, lambda ledger: ledger.knock(OTHER, 2 * GOOD_FOR)) is Answer.WAIT
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    assert b"list.example" not in (tmp_path / FILE).read_bytes()


def test_acquaintance(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> None:
        assert await ledger.record("user1", FRIEND, True) == Record()
        ledger.note_received("user1", FRIEND, aligned=False, now=1.0)
        assert await ledger.record("user1", FRIEND, True) == Record()
        assert await ledger.record("user1", FRIEND, False) == Record(received=1)
        ledger.note_sent("USER1", [FRIEND, "nobody", "eve@evil.example"], 2.0)
        ledger.note_received("user1", "Bob@Remote.example", aligned=True, now=3.0)
        assert await ledger.record("user1", FRIEND, True) == Record(1, 1, Mark.NONE, 1)
        assert hint(await ledger.record("user1", FRIEND, True), True).says is Says.ACCEPT
        assert hint(await ledger.record("user1", FRIEND, False), False).says is Says.NOTHING
        assert await ledger.record("user2", FRIEND, True) == Record()  # P-13: nobody learns of another's friends
        ledger.note_moved("user1", FRIEND, aligned=False, to_junk=True, now=4.0)
        assert hint(await ledger.record("user1", FRIEND, False), False).says is Says.JUNK
        assert hint(await ledger.record("user1", FRIEND, True), True).says is Says.ACCEPT  # not for a forger's sake
        ledger.note_moved("user1", FRIEND, aligned=True, to_junk=True, now=5.0)
        ledger.note_moved("user1", FRIEND, aligned=True, to_junk=False, now=6.0)
        assert (await ledger.record("user1", FRIEND, True)).mark is Mark.NOT_JUNK
        assert (await ledger.record("user1", "x@remote.example", True)).neighbours == 1
        ledger.note_sent("user1", [], 7.0)
        ledger.note_received("user1", "no address", aligned=True, now=7.0)

    use(tmp_path, story)


def test_it_stays_within_its_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST", 20)
    monkeypatch.setattr(room, "SWEEP", 2)

    async def story(ledger: Ledger) -> tuple[int, int]:
        for n in range(100):
            await ledger.knock(triplet("192.0.2.9", f"a@{n}.example", "b@c.example"), float(n))
            ledger.note_received("user1", f"a@{n}.example", aligned=True, now=float(n))
        assert await ledger.record("user1", "a@99.example", True) != Record()
        assert await ledger.record("user1", "a@1.example", True) == Record()
        db = ledger._db
        assert db is not None
        (knocks,), (known,) = db.execute("SELECT count(*) FROM knock UNION ALL SELECT count(*) FROM acquaintance")
        return int(str(knocks)), int(str(known))

    knocks, known = use(tmp_path, story)
    assert knocks <= 21
    assert known <= 23


def test_notes_are_written_by_themselves_and_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PAUSE", 0.0)

    async def story(ledger: Ledger) -> None:
        ledger.note_received("user1", FRIEND, aligned=True, now=1.0)
        await asyncio.sleep(0)
        while ledger._writing is None or not ledger._writing.done():
            await asyncio.sleep(0.001)
        async with Ledger(tmp_path, Lines()) as other:
            assert (await other.record("user1", FRIEND, True)).received == 1
        ledger.note_received("user1", FRIEND, aligned=True, now=2.0)

    use(tmp_path, story)
    assert use(tmp_path, lambda ledger: ledger.record("user1", FRIEND, True)).received == 2


def test_notes_that_nobody_writes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_NOTES", 5)

    async def story(ledger: Ledger) -> int:
        for _ in range(9):
            ledger.note_received("user1", FRIEND, aligned=True, now=1.0)
        return (await ledger.record("user1", FRIEND, True)).received

    assert use(tmp_path, story) == 5


def test_what_is_old_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "SWEEP", 2)

    async def story(ledger: Ledger) -> int:
        ledger.note_received("user1", FRIEND, aligned=True, now=0.0)
        await ledger.knock(STRANGER, 0.0)
        for _ in range(4):
            ledger.note_received("user1", "x@y.example", aligned=True, now=room.REMEMBERED + 1)
            await ledger.record("user1", FRIEND, True)
        assert await ledger.record("user1", FRIEND, True) == Record()
        assert ledger._db is not None
        return len(ledger._db.execute("SELECT 1 FROM knock").fetchall())

    assert use(tmp_path, story) == 0


def test_several_processes_share_it(tmp_path: Path) -> None:
    """What another one writes is seen when what was read of it is too old."""
    now = [0.0]

    async def story() -> None:
        async with (
            Ledger(tmp_path, Lines(), lambda: now[0]) as first,
            Ledger(tmp_path, Lines(), lambda: now[0]) as second,
        ):
            for each in (first, second) * 20:
                each.note_received("user1", FRIEND, aligned=True, now=1.0)
                await each.record("user1", FRIEND, True)
            for _ in range(2):  # by looking at all they write what they have noted
                now[0] += LASTING
                found = [(await each.record("user1", FRIEND, True)).received for each in (first, second)]
            assert found == [40, 40]

    asyncio.run(story())


def test_who_wrote_just_now_is_known_without_a_look_into_the_file(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> None:
        ledger.note_received("user1", FRIEND, aligned=True, now=1.0)
        assert await ledger.record("user1", FRIEND, True) == Record(received=1, neighbours=1)
        ledger.note_received("user1", FRIEND, aligned=True, now=2.0)
        ledger.note_moved("user1", FRIEND, aligned=True, to_junk=True, now=3.0)
        ledger.note_sent("user1", [FRIEND], now=4.0)
        found = ledger.record("user1", FRIEND, True)
        with pytest.raises(StopIteration) as done:  # it ends at its first step
            found.send(None)
        assert done.value.value == Record(2, 1, Mark.JUNK, 2)

    use(tmp_path, story)
    assert use(tmp_path, lambda ledger: ledger.record("user1", FRIEND, True)) == Record(2, 1, Mark.JUNK, 2)


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough to be read as one" * 20, "directory", "foreign"]
)
def test_a_ledger_that_cannot_be_used_lets_everyone_in_and_says_so(tmp_path: Path, content: bytes | str) -> None:
    import apsw

    if content == "directory":
        (tmp_path / FILE).mkdir()
    elif content == "foreign":
        with apsw.Connection(str(tmp_path / FILE)) as db:
            db.execute("CREATE TABLE theirs (x)")
        db.close()
    else:
        assert isinstance(content, bytes)
        (tmp_path / FILE).write_bytes(content)
    before = (tmp_path / FILE).read_bytes() if (tmp_path / FILE).is_file() else b""
    lines = Lines()

    async def story(ledger: Ledger) -> None:
        assert await ledger.knock(STRANGER, 0.0) is Answer.KNOWN
        ledger.note_sent("user1", [FRIEND], 0.0)
        assert await ledger.record("user1", FRIEND, True) == Record()

    use(tmp_path, story, lines)
    assert len(lines) >= 2
    assert all(line.startswith("spam.ledger_trouble") for line in lines)
    if content != "directory":
        assert (tmp_path / FILE).read_bytes() == before  # whosever it is, it stays as it is
