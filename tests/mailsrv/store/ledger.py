"""The ledger of a child that accepted mail, and the question whether the store still has it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dnsops.base.log import Log
from mailsrv.store.sqlite import SqliteStore
from tests.mailsrv.store.child import message

ROOT = Path(__file__).parents[3]


@dataclass
class Ledger:
    """UIDs by number of what was acknowledged, and the numbers of what was put off."""

    ok: dict[int, int] = field(default_factory=dict)
    later: set[int] = field(default_factory=set)
    words: list[str] = field(default_factory=list)

    def note(self, line: str) -> None:
        match line.split():
            case ["ok", number, uid]:
                self.ok[int(number)] = int(uid)
            case ["later", number]:
                self.later.add(int(number))
            case [word]:
                self.words.append(word)


def start(directory: Path, count: int, concurrency: int, before: Sequence[str] = ()) -> subprocess.Popen[str]:
    """A child; `before`: a program that runs it."""
    arguments = [sys.executable, "-m", "tests.mailsrv.store.child", str(directory), str(count), str(concurrency)]
    return subprocess.Popen([*before, *arguments], cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, text=True)


def read(child: subprocess.Popen[str], until: int | None = None) -> Ledger:
    """What the child says, up to so many acknowledgements or to its end."""
    assert child.stdout is not None
    ledger = Ledger()
    for line in child.stdout:
        ledger.note(line)
        if until is not None and len(ledger.ok) >= until:
            break
    return ledger


async def audit(directory: Path, ledger: Ledger) -> None:
    """Every acknowledged message is there, byte by byte, under its UID; what else is there is whole, and nothing is twice."""
    log = io.StringIO()
    store = SqliteStore(directory, Log(log))
    await store.account("alice")
    box = await store.mailbox("alice", "INBOX")
    rows = {row.uid: row for row in await store.rows(box.id)}
    subjects = dict(await store.digests(box.id, sorted(rows), ["subject"]))
    numbers = {uid: int(str(subject)[1:]) for uid, subject in subjects.items()}
    assert len(set(numbers.values())) == len(numbers) == len(rows) == box.messages
    for number, uid in ledger.ok.items():
        assert numbers.get(uid) == number, f"acknowledged message {number} is not there"
    for uid, number in numbers.items():
        assert await store.content(rows[uid].blob) == message(number).content
        assert uid in await store.search(box.id, f"n{number}") if number < 20 else True
    queued = {hop.hop.recipient for hop in await store.queue()}
    assert queued == {f"{number}@example.net" for number in numbers.values() if number % 5 == 0}
    files = {path.name for path in (directory / "bodies").glob("?/*")}
    assert len(files) == sum(number % 7 == 0 for number in numbers.values())
    [placed] = await store.accept(message(1))
    assert placed.uid == box.uidnext > max(rows, default=0)
    await store.close()
    assert log.getvalue() == ""
