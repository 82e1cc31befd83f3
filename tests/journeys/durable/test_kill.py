"""kill -9 at one system call after another of a delivery: what got its 250 is there, whole and once. KILLS=all tries every call."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.journeys.durable.witness import Witness
from tests.lab.mailserver import MailServer
from tests.lab.program import wait_until

STRACE = shutil.which("strace")
needs_strace = pytest.mark.skipif(STRACE is None, reason="strace is not installed")
SMALL, LARGE, BOTH = 1, 7, 15  # a message in the database, one with a file, one for two people and the queue
# who does what: the event loop and everybody (the first to reach the number dies), the writer, the one who writes files
WHERE = {
    "anybody": "all",
    "writer": "pwrite64,fdatasync,fsync,ftruncate",
    "files": "openat,write,fsync,close,unlink",
}
CASES = [(SMALL, "anybody"), (BOTH, "anybody"), (BOTH, "writer"), (LARGE, "files")]
STEP = 1 if os.environ.get("KILLS") == "all" else 9


@contextmanager
def traced(server: MailServer, trace: Path, *options: str) -> Iterator[None]:
    """strace on every thread of the server, from now on."""
    tracer = subprocess.Popen(
        [str(STRACE), "-f", "-o", str(trace), *options, "-p", str(server.pid)],
        stderr=subprocess.PIPE,
        text=True,
    )
    threads = len(list(Path(f"/proc/{server.pid}/task").iterdir()))

    def attached() -> bool:
        held = 0
        for path in Path(f"/proc/{server.pid}/task").glob("*/status"):
            with suppress(OSError):  # it may be killed before we hold them all
                held += "TracerPid:\t0" not in path.read_text()
        return held >= threads or not server.running

    try:
        wait_until(attached, "strace to hold every thread", 20)
        yield
    finally:
        with suppress(ProcessLookupError):
            tracer.terminate()
        tracer.wait(20)
        assert tracer.stderr
        tracer.stderr.close()


@needs_strace
@pytest.mark.parametrize("number, where", CASES)
def test_every_250_survives_a_kill_at_any_call(tmp_path: Path, number: int, where: str) -> None:
    server = MailServer(tmp_path / "server", queue={"next_hop": "127.0.0.1:9"})
    witness = Witness(server)
    count = calls(server, witness, number, where, tmp_path / "trace")
    killed = 0
    for when in range(1, count + STEP, STEP):
        killed += kill_at(server, witness, number, where, when, tmp_path / "trace")
    assert killed >= count // STEP // 2  # most of the numbers were reached
    if not server.running:
        server.start()
    witness.audit()
    server.kill()


def calls(server: MailServer, witness: Witness, number: int, where: str, trace: Path) -> int:
    """How many calls one thread makes at most for such a delivery."""
    server.start()
    client = witness.session()
    with traced(server, trace, "-e", f"trace={WHERE[where]}"):
        assert witness.send(client, number) == 250
    client.close()
    server.kill()
    by_thread: dict[str, int] = {}
    for line in trace.read_text().splitlines():
        if re.match(r"\d+ +\w+\(", line):
            thread = line.split()[0]
            by_thread[thread] = by_thread.get(thread, 0) + 1
    assert by_thread
    return max(by_thread.values())


def kill_at(server: MailServer, witness: Witness, number: int, where: str, when: int, trace: Path) -> bool:
    """Whether it died of it. Each attempt is a message of its own, alike to the others."""
    if not server.running:
        server.start()
    client = witness.session()
    alike = number + 105 * when  # the same remainders by 3, 5 and 7
    names = WHERE[where]
    with traced(server, trace, "-e", f"trace={names}", "-e", f"inject={names}:signal=KILL:when={when}"):
        code = witness.send(client, alike)
        died = code == 0
        if died:
            wait_until(lambda: not server.running, "the server to die", 20)
    with suppress(OSError):
        client.close()
    assert code in (0, 250)
    if died:
        server.kill()
    return died
