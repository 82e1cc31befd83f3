"""UIDs, flags, modseq and counts of several mailboxes, against the plainest model there is; hypothesis thinks of the order."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mailsrv.store.door import Change, Op, Place, Store
from mailsrv.store.flags import combine
from mailsrv.store.memory import MemoryStore
from mailsrv.store.sqlite import SqliteStore, ledger
from tests.mailsrv.store.letters import QUICK, letter

T = TypeVar("T")
NAMES = ("INBOX", "Archive", "Trash")
FLAGS = st.frozensets(st.sampled_from(["\\Seen", "\\Deleted", "\\Flagged", "$A", "b"]))
BOXES, UIDS = st.sampled_from(range(len(NAMES))), st.lists(st.integers(1, 12), max_size=6)


class Model(RuleBasedStateMachine):
    """`boxes`: per mailbox UID -> (flags, body). `dead`: UIDs that went, and the modseq the mailbox had just before."""

    directory: ClassVar[Path | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.path = Path(tempfile.mkdtemp(prefix="store-model-", dir=QUICK))
        self.store: Store = self.open()
        self.do(self.store.account("alice"))
        self.ids = [self.do(self.store.mailbox("alice", name)).id for name in NAMES]
        self.boxes: list[dict[int, tuple[frozenset[str], bytes]]] = [{} for _ in NAMES]
        self.next = [1] * len(NAMES)
        self.dead: list[dict[int, int]] = [{} for _ in NAMES]
        self.modseq = [1] * len(NAMES)
        self.told: list[dict[int, int]] = [{} for _ in NAMES]
        self.stop = self.watch()
        self.count = itertools.count()

    def open(self) -> Store:
        return MemoryStore()

    def watch(self) -> Any:
        async def watch() -> Any:
            return self.store.watch("alice", self.tell)

        return self.do(watch())

    def tell(self, change: Change) -> None:
        told = self.told[self.ids.index(change.mailbox)]
        told.update({row.uid: row.modseq for row in change.rows})
        for uid in change.gone:
            told.pop(uid, None)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def place(self, box: int, flags: frozenset[str], body: bytes) -> int:
        uid = self.next[box]
        self.next[box] += 1
        self.boxes[box][uid] = (flags, body)
        return uid

    def kill(self, box: int, uids: list[int]) -> None:
        for uid in uids:
            del self.boxes[box][uid]
            self.dead[box][uid] = self.modseq[box]

    def present(self, box: int, uids: list[int]) -> list[int]:
        return sorted(self.boxes[box].keys() & set(uids))

    @rule(boxes=st.lists(BOXES, min_size=1, max_size=3), flags=FLAGS)
    def accept(self, boxes: list[int], flags: frozenset[str]) -> None:
        message = letter(f"m{next(self.count)}", *(Place("alice", NAMES[box], flags) for box in boxes))
        placed = self.do(self.store.accept(message))
        assert [each.uid for each in placed] == [self.place(box, flags, message.content) for box in boxes]

    @rule(box=BOXES, uids=UIDS, op=st.sampled_from(Op), flags=FLAGS, since=st.none() | st.integers(0, 40))
    def flag(self, box: int, uids: list[int], op: Op, flags: frozenset[str], since: int | None) -> None:
        before = {row.uid: row.modseq for row in self.do(self.store.rows(self.ids[box]))}
        spared = [uid for uid in self.present(box, uids) if since is not None and before[uid] > since]
        flagged = self.do(self.store.flag(self.ids[box], uids, op, flags, since))
        assert list(flagged.modified) == spared
        for uid in set(self.present(box, uids)) - set(spared):
            old, body = self.boxes[box][uid]
            self.boxes[box][uid] = (combine(old, op, flags), body)
        assert [(row.uid, row.flags) for row in flagged.rows] == [
            (uid, self.boxes[box][uid][0]) for uid in self.present(box, uids) if uid not in spared
        ]
        for row in flagged.rows:
            changed = row.flags != self.flags_before[box].get(row.uid)
            assert (row.modseq > self.modseq[box]) == changed

    @rule(box=BOXES, uids=UIDS, into=BOXES)
    def copy(self, box: int, uids: list[int], into: int) -> None:
        there = self.present(box, uids)
        copied = self.do(self.store.copy(self.ids[box], uids, self.ids[into]))
        assert list(copied.source) == there
        assert list(copied.target) == [self.place(into, *self.boxes[box][uid]) for uid in there]

    @rule(box=BOXES, uids=UIDS, into=BOXES)
    def move(self, box: int, uids: list[int], into: int) -> None:
        there = self.present(box, uids)
        moved = self.do(self.store.move(self.ids[box], uids, self.ids[into]))
        assert list(moved.source) == there
        assert list(moved.target) == [self.place(into, *self.boxes[box][uid]) for uid in there]
        self.kill(box, there)

    @rule(box=BOXES, uids=UIDS)
    def expunge(self, box: int, uids: list[int]) -> None:
        wanted = [uid for uid in self.present(box, uids) if "\\Deleted" in self.boxes[box][uid][0]]
        assert self.do(self.store.expunge(self.ids[box], uids)) == tuple(wanted)
        self.kill(box, wanted)

    @rule(box=BOXES, since=st.integers(0, 60))
    def resync(self, box: int, since: int) -> None:
        """A client that knew the mailbox at a modseq learns all it needs from `rows` and `vanished` (RFC 7162)."""
        gone = self.do(self.store.vanished(self.ids[box], since))
        assert set(gone) <= self.dead[box].keys()
        assert {uid for uid, before in self.dead[box].items() if before >= since} <= set(gone)
        rows = self.do(self.store.rows(self.ids[box]))
        assert self.do(self.store.rows(self.ids[box], since)) == tuple(row for row in rows if row.modseq > since)

    @rule(box=BOXES, number=st.integers(0, 9))
    def search(self, box: int, number: int) -> None:
        word = f"\r\n\r\nm{number}\r\n".encode()
        found = self.do(self.store.search(self.ids[box], f"m{number}", "text"))
        assert found >= {uid for uid, (_, body) in self.boxes[box].items() if word in body}
        assert found <= self.boxes[box].keys()

    @precondition(lambda self: not isinstance(self.store, MemoryStore))
    @rule()
    def reopen(self) -> None:
        self.do(self.store.close())
        self.store = self.open()
        self.watch()

    @invariant()
    def the_store_is_the_model(self) -> None:
        for box, number in enumerate(self.ids):
            rows = self.do(self.store.rows(number))
            assert {row.uid: row.flags for row in rows} == {uid: flags for uid, (flags, _) in self.boxes[box].items()}
            assert self.do(self.store.contents([row.blob for row in rows])) == [body for _, body in self.sorted(box)]
            self.counts(box, len(rows))
            assert self.told[box] == {row.uid: row.modseq for row in rows}
        self.flags_before = [{uid: flags for uid, (flags, _) in box.items()} for box in self.boxes]

    def counts(self, box: int, messages: int) -> None:
        shown = self.do(self.store.mailbox("alice", NAMES[box]))
        flags = [flags for flags, _ in self.boxes[box].values()]
        assert (shown.messages, shown.uidnext) == (messages, self.next[box])
        assert shown.unseen == sum("\\Seen" not in each for each in flags)
        assert shown.deleted == sum("\\Deleted" in each for each in flags)
        assert shown.size == sum(len(body) for _, body in self.boxes[box].values())
        assert shown.highestmodseq >= self.modseq[box]
        self.modseq[box] = shown.highestmodseq

    def sorted(self, box: int) -> list[tuple[frozenset[str], bytes]]:
        return [self.boxes[box][uid] for uid in sorted(self.boxes[box])]

    def teardown(self) -> None:
        usage = self.do(self.store.usage("alice"))
        bodies = [body for box in self.boxes for _, body in box.values()]
        assert (usage.size, usage.messages) == (sum(map(len, bodies)), len(bodies))
        self.do(self.store.close())
        self.loop.close()
        shutil.rmtree(self.path)


class OnDisk(Model):
    """Half of the bodies are files."""

    def open(self) -> Store:
        return SqliteStore(self.path / "store", inline=22)


def test_memory_is_the_model() -> None:
    run(Model, examples=25)


def test_sqlite_is_the_model() -> None:
    run(OnDisk, examples=10)


def test_sqlite_is_the_model_with_a_short_memory_of_what_went(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "REMEMBERED", 1)
    run(OnDisk, examples=6)


def run(model: type[Model], examples: int) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        model, settings=settings(max_examples=examples, stateful_step_count=30, deadline=None, database=None)
    )
