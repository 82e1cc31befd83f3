"""Log lines of a busy server: written together, a moment after the first of them, instead of one system call each.

    log = Log(Slate(sys.stderr.fileno()))       ... slate.wipe() when it ends

Limits: 50 ms late, 64 KiB. Fails by: silence, as a log does; a line that cannot be written now is gone.
"""

from __future__ import annotations

import asyncio
import io
import os
from contextlib import suppress

LATE = 0.05  # seconds
MOST = 65536  # characters


class Slate(io.TextIOBase):
    """Collects while an event loop runs, and writes at once where none does."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._lines: list[str] = []
        self._size = 0

    def isatty(self) -> bool:
        return os.isatty(self._handle)

    def write(self, text: str) -> int:
        self._lines.append(text)
        self._size += len(text)
        return len(text)

    def flush(self) -> None:
        """Called after each line: the first of several sets the alarm."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return self.wipe()
        if self._size >= MOST:
            return self.wipe()
        if len(self._lines) == 1:
            loop.call_later(LATE, self.wipe)
        return None

    def wipe(self) -> None:
        """Everything that was collected, in one piece."""
        lines, self._lines, self._size = self._lines, [], 0
        rest = memoryview("".join(lines).encode(errors="replace"))
        with suppress(OSError):
            while rest:
                rest = rest[os.write(self._handle, rest) :]
