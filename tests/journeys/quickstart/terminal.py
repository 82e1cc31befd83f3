"""A person at a terminal: reads until something is asked, types an answer.

    with Terminal(command, environment) as person:
        person.expect("mail host"); person.type("mx1.example.org")
        assert person.end() == 0

Fails by: `AssertionError` with all that was read, when it is not asked in time.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from typing import Self

PATIENCE = 120.0


class Terminal:
    """One command on a terminal of its own."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.text, self._read = "", 0
        self._here, there = pty.openpty()
        fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        self._process = subprocess.Popen(
            command, stdin=there, stdout=there, stderr=there, env=dict(environment), start_new_session=True
        )
        os.close(there)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._here)

    def expect(self, *patterns: str) -> re.Match[str]:
        """The first of these after what was expected before."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for pattern in patterns:
                if found := re.search(pattern, self.text[self._read :]):
                    self._read += found.end()
                    return found
            if not self._more(end - time.monotonic()):
                break
        raise AssertionError(f"{patterns} was not said after:\n{self.text}")

    def type(self, line: str) -> None:
        os.write(self._here, f"{line}\n".encode())

    def end(self) -> int:
        """Read all; the exit status."""
        while self._more(PATIENCE):
            pass
        return self._process.wait(PATIENCE)

    def _more(self, seconds: float) -> bool:
        if not select.select([self._here], [], [], max(seconds, 0))[0]:
            return False
        try:
            data = os.read(self._here, 65536)
        except OSError:  # EIO: the other side is closed
            return False
        self.text += data.decode(errors="replace")
        return bool(data)
