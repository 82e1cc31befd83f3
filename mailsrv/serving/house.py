"""The processes of a server: one that serves, or several side by side; and the timers as a child.

    one worker       this process serves
    several          this process only watches: it starts them, restarts who dies, and passes signals on

Standards: prctl(2) PR_SET_PDEATHSIG - nobody outlives the parent. Fails by: the first worker's failure before it is ready.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial

from mailsrv.serving.notify import notify
from mailsrv.serving.sockets import SINGLE, Door
from mailsrv.serving.worker import Work, serve

_PR_SET_PDEATHSIG = 1
PATIENCE = 60.0  # seconds that a worker may take to be ready
REST = 1.0  # seconds before one that died is started again
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


def run(work: Work, workers: int, timers: list[str] | None) -> int:
    """Serve until told to stop; the exit status. `timers`: the command of the timers' process, None for none."""
    with _beside(timers):
        if workers == 1:
            serve(work, _ready(work))
            notify("STOPPING=1")
            return 0
        return _several(work, workers)


def _ready(work: Work) -> Callable[[], None]:
    def ready() -> None:
        ports = [f"{door.kind} {door.address} {door.port}" for door in work.doors]
        work.log("serve.ready", listening=ports)
        notify("READY=1")

    return ready


@contextmanager
def _beside(command: list[str] | None) -> Iterator[None]:
    """The timers live as long as we do. When they fail, mail goes on; their own log says why."""
    child = subprocess.Popen(command, preexec_fn=_die_with_parent) if command else None
    try:
        yield
    finally:
        if child is not None:
            child.terminate()
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _die_with_parent() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


@dataclass
class _Crew:
    """The workers by process id."""

    work: Work
    pids: dict[int, int]
    stopping: bool = False

    def start(self, number: int) -> None:
        """A worker, and wait until it serves."""
        reading, writing = os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            self._live(number, writing)
        os.close(writing)
        self.pids[pid] = number
        try:
            ready, _, _ = select.select([reading], [], [], PATIENCE)
            if not ready or not os.read(reading, 1):
                self.work.log("serve.worker_failed", worker=number)
        finally:
            os.close(reading)

    def _live(self, number: int, writing: int) -> None:
        """The child: it serves, and never returns into the parent's code."""
        status = 70
        try:
            _die_with_parent()
            doors = tuple(door for door in self.work.doors if _mine(door, number))
            work = replace(self.work, doors=doors, first=number == 0)
            serve(work, partial(_say_ready, writing))
            status = 0
        except BaseException as error:  # the edge of a process: said in its log, told by its status
            self.work.log("serve.worker", worker=number, kind=type(error).__name__, text=str(error)[:300])
        finally:
            self.work.flush()
            os._exit(status)

    def tell(self, number: int) -> None:
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def reap(self) -> list[int]:
        """The numbers of workers that are gone."""
        gone = []
        for pid in list(self.pids):
            if os.waitpid(pid, os.WNOHANG)[0]:
                gone.append(self.pids.pop(pid))
        return gone


def _say_ready(writing: int) -> None:
    os.write(writing, b"1")


def _mine(door: Door, number: int) -> bool:
    """Each worker has its own sockets; one that systemd made is everyone's, the management's and the web's are the first one's."""
    return door.worker == number or (door.shared and door.kind not in SINGLE)


def _several(work: Work, workers: int) -> int:
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    crew = _Crew(work, {})
    for number in range(workers):
        crew.start(number)
    if len(crew.reap()) == workers:
        return 1
    _ready(work)()
    while crew.pids or not crew.stopping:
        _step(crew)
    notify("STOPPING=1")
    return 0


def _step(crew: _Crew) -> None:
    """One signal."""
    heard = signal.sigtimedwait(SIGNALS, 5.0)
    notify("WATCHDOG=1")
    if heard is not None and heard.si_signo in (signal.SIGTERM, signal.SIGINT):
        crew.stopping = True
        crew.tell(signal.SIGTERM)
    elif heard is not None and heard.si_signo == signal.SIGHUP:
        crew.tell(signal.SIGHUP)
    for number in crew.reap():
        if not crew.stopping:
            crew.work.log("serve.worker_died", worker=number)
            time.sleep(REST)
            crew.start(number)
