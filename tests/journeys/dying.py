"""A command that dies by SIGKILL at a step of one's choice, counted over all its threads.

    python -m tests.journeys.dying 7 COUNT cert issue ...      # dies at its seventh step
    python -m tests.journeys.dying 0 COUNT cert issue ...      # lives, and writes into COUNT how many steps it took

A step is what Python tells its auditors of: a file opened to be written, a rename, a removal, a directory made, a connection, a
message, a program started. What libraries in C do by themselves (libunbound's questions) changes nothing and is none.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

STEPS = ("os.rename", "os.remove", "os.mkdir", "socket.connect", "socket.sendto", "socket.sendmsg", "http.client.send", "subprocess.Popen")  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR


class Steps:
    """Counts, and at one number dies."""

    def __init__(self, last: int) -> None:
        self.count, self._last, self._lock = 0, last, threading.Lock()

    def __call__(self, event: str, words: tuple[object, ...]) -> None:
        if event not in STEPS and not (event == "open" and isinstance(words[2], int) and words[2] & WRITING):
            return
        with self._lock:
            self.count += 1
            if self.count == self._last:
                os.kill(os.getpid(), signal.SIGKILL)


def run(number: int, count: Path, words: list[str]) -> int:
    from mailsrv.command import main

    sys.dont_write_bytecode = True
    steps = Steps(number)
    sys.addaudithook(steps)
    try:
        return int(main(words) or 0)
    finally:
        total = steps.count
        count.write_text(str(total))


if __name__ == "__main__":
    sys.exit(run(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
