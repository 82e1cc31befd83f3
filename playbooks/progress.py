"""How far a deployment is, on stderr, when a person sits there: one line that is drawn again, and gone at the end.

Fails by: nothing.
"""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

PAUSE = 1.0
CLEAR = "\r\x1b[K"


class Progress:
    """Draws `line(seconds)`. Its thread only draws."""

    def __init__(self, line: Callable[[int], str]) -> None:
        self._line, self._seconds = line, 0
        self._over = threading.Event()
        self._pen = threading.Lock()
        self._thread = threading.Thread(target=self._draw, daemon=True) if sys.stderr.isatty() else None

    def __enter__(self) -> Self:
        if self._thread:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread:
            self._thread.join()
            self._write(CLEAR)

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """While something else is written on the terminal."""
        with self._pen:
            if self._thread:
                self._write(CLEAR)
            yield

    def _draw(self) -> None:
        while not self._over.wait(PAUSE):
            with self._pen:
                self._seconds += 1
                width = shutil.get_terminal_size().columns - 1
                self._write(CLEAR + self._line(self._seconds)[:width])

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
