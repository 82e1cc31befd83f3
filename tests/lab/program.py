"""A server program of the lab: started with its output in a file, waited for, stopped by its process id.

Fails by: `Unavailable` with the end of its output when it does not come up in time.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.lab.network import Unavailable, search_path

PATIENCE = 20.0  # seconds


class Program:
    """One process. `freeze` makes it silent without ending it: packets are taken and never answered."""

    def __init__(self, name: str, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        self.name, self.command, self.log = name, list(command), log
        self.env = {**os.environ, "PATH": search_path(), **(env or {})}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, ready: Callable[[], bool]) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self.env
            )
        try:
            wait_until(lambda: self._ended() or ready(), f"{self.name} to answer")
        except TimeoutError as error:
            self.stop()
            raise Unavailable(f"{error}:\n{self._last_words()}") from None
        if self._ended():
            raise Unavailable(f"{self.name} ended at once:\n{self._last_words()}")

    def stop(self) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.thaw()
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def freeze(self) -> None:
        """Returns when every thread of it stands still: a signal takes a moment, in which it may still answer."""
        self._signal(signal.SIGSTOP)
        wait_until(self._still, f"{self.name} to stand still")

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.process:
            self.process.send_signal(number)

    def _still(self) -> bool:
        if self.process is None:
            return True
        states = [
            task.read_text().rpartition(")")[2].split()[0]
            for task in Path("/proc").glob(f"{self.process.pid}/task/*/stat")
        ]
        return all(state in "TtZ" for state in states)

    def _ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def _last_words(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


def wait_until(true: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Poll until it is so; `TimeoutError` naming what we waited for."""
    end = time.monotonic() + patience
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {patience:g} s for {what}")
        time.sleep(0.02)


def listening(address: str, port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        socket.create_connection((address, port), 0.5).close()
    except OSError:
        return False
    return True
