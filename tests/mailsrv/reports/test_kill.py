"""A real program, a real queue, a real SIGKILL between the queue's commit and our mark."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from mailsrv.reports import seen
from mailsrv.reports.aggregate import Row
from mailsrv.reports.ledger import LEDGER, Ledger
from mailsrv.reports.seen import Seen
from mailsrv.reports.unpack import unpack
from mailsrv.store.sqlite import SqliteStore

ROOT = Path(__file__).parents[3]
RECORD = "v=DMARC1; p=reject; rua=mailto:r@example.org"
PROGRAM = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from dnsops.resolve.answer import Security
from dnsops.resolve.memory import MemoryDns
from mailsrv.reports.ledger import LEDGER, Ledger
from mailsrv.reports.letters import Reporter
from mailsrv.reports.sending import Sending
from mailsrv.store.sqlite import SqliteStore

state, when = Path(sys.argv[1]), sys.argv[2]
dns = MemoryDns({"example.org": Security.SECURE})
dns.put("_dmarc.example.org", "TXT", '"v=DMARC1; p=reject; rua=mailto:r@example.org"')

class Deadly(SqliteStore):
    async def accept(self, message, *more):
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        placed = await super().accept(message, *more)
        if when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return placed

async def main():
    store = Deadly(state / "store")
    sending = Sending(Ledger(state / LEDGER), Reporter("mx.us.org", "us", "p@us.org", "n@us.org"),
        lambda question: dns.ask(question.name, question.type), store, bytes, None, lambda event, **fields: None)
    await sending.run(datetime(2026, 3, 2, 12, tzinfo=UTC))
    await store.close()

asyncio.run(main())
"""


def run(state: Path, when: str) -> int:
    return subprocess.run([sys.executable, "-c", PROGRAM, str(state), when], cwd=ROOT, check=False).returncode


async def queued(state: Path) -> list[bytes]:
    store = SqliteStore(state / "store")
    try:
        return [await store.content(one.blob) for one in await store.queue()]
    finally:
        await store.close()


@pytest.mark.parametrize("when, copies", [("before", 1), ("after", 2)])
def test_killed_between_commit_and_mark(tmp_path: Path, when: str, copies: int) -> None:
    row = seen.row_text(Row("192.0.2.9", 1, "reject", "fail", "fail", "example.org"))
    ledger = Ledger(tmp_path / LEDGER)
    ledger.add({Seen("dmarc", date(2026, 3, 1), "example.org", row, "", RECORD, "example.org"): 3})
    ledger.close()
    assert run(tmp_path, when) == -signal.SIGKILL
    assert [run(tmp_path, "never") for _ in range(2)] == [0, 0]
    contents = asyncio.run(queued(tmp_path))
    assert len(contents) == copies
    assert len({unpack(content).data for content in contents}) == 1
