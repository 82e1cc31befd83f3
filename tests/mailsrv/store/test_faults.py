"""The disk fails at one system call after another (strace): `Later`, nothing acknowledged is lost, and it goes on."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.mailsrv.store.ledger import Ledger, audit, read, start

STRACE = shutil.which("strace")
MESSAGES = 30
needs_strace = pytest.mark.skipif(STRACE is None, reason="strace is not installed")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A store with its account, so that the faults hit what comes after."""
    child = start(tmp_path / "store", 0, 1)
    assert read(child).words == ["ready", "done"]
    child.wait()
    return tmp_path / "store"


def traced(directory: Path, trace: Path, concurrency: int, *options: str) -> Ledger:
    """A child under strace; what it said."""
    before = [str(STRACE), "-f", "-qq", "-o", str(trace), *options]
    child = start(directory, MESSAGES, concurrency, before)
    ledger = read(child)
    assert child.wait() == 0
    assert ledger.words[-1] == "done"
    return ledger


@needs_strace
@pytest.mark.parametrize(
    ("where", "calls", "error", "when"),
    [
        ("journal", "fsync,fdatasync", "EIO", "1"),
        ("journal", "fsync,fdatasync", "EIO", "4+5"),
        ("journal", "fsync,fdatasync", "ENOSPC", "3"),
        ("journal", "pwrite64", "EIO", "5"),
        ("journal", "pwrite64", "ENOSPC", "20+31"),
        ("journal", "fsync,fdatasync,pwrite64", "EIO", "40+"),  # and for good
        ("anywhere", "fsync", "EIO", "3+4"),  # also of bodies and their directories; the first two are at start
        ("anywhere", "write", "ENOSPC", "3+9"),  # bodies
    ],
)
async def test_a_failing_disk_means_later(
    tmp_path: Path, made: Path, where: str, calls: str, error: str, when: str
) -> None:
    path = ["-P", str(made / "mail.db-wal")] if where == "journal" else []
    ledger = traced(
        made, tmp_path / "trace", 3, *path, "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}:when={when}"
    )
    assert "INJECTED" in (tmp_path / "trace").read_text()
    assert ledger.later
    assert ledger.ok.keys() | ledger.later == set(range(MESSAGES))
    assert when == "40+" or len(ledger.ok) > MESSAGES // 3
    await audit(made, ledger)


@needs_strace
async def test_one_fsync_serves_many(tmp_path: Path, made: Path) -> None:
    """Counted, not timed: a slow disk only makes the groups larger, so each fsync is held for 5 ms."""
    trace = tmp_path / "trace"
    options = (
        "-P",
        str(made / "mail.db-wal"),
        "-e",
        "trace=fsync,fdatasync",
        "-e",
        "inject=fsync,fdatasync:delay_enter=5ms",
    )
    ledger = traced(made, trace, MESSAGES, *options)
    assert len(ledger.ok) == MESSAGES
    fsyncs = len(re.findall(r"\bf(?:data)?sync\(", trace.read_text()))
    assert 1 <= fsyncs <= MESSAGES // 3


@needs_strace
async def test_no_acknowledgement_before_its_fsync(tmp_path: Path, made: Path) -> None:
    """In the order of system calls: each acknowledgement comes after an fsync that came after the last acknowledgement."""
    trace = tmp_path / "trace"
    ledger = traced(made, trace, 1, "-e", "trace=fsync,fdatasync,writev", "-y")
    assert len(ledger.ok) == MESSAGES
    synced = False
    for line in trace.read_text().splitlines():
        if re.search(r"f(data)?sync.*mail\.db-wal.*= 0", line) or re.search(r"<\.\.\. f(data)?sync resumed.*= 0", line):
            synced = True
        elif '"ok ' in line:
            assert synced, line
            synced = False
