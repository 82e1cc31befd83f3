"""How far a run is, on stderr, when a person sits there: one line that is drawn again, and gone at the end.

Nothing is drawn in the first second, nor when stderr is no terminal. Fails by: nothing.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

PAUSE = 1.0
CLEAR = "\r\x1b[K"


class Progress:
    """`[ 12/1000] 31 s`. Its thread only draws."""

    def __init__(self, total: int, what: str = "checking") -> None:
        self._total, self._what, self._count, self._seconds = total, what, 0, 0
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

    def done(self, count: int = 1) -> None:
        """So many more."""
        self._count += count

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """While something else is written on the terminal."""
        with self._pen:
            if self._thread and self._seconds:
                self._write(CLEAR)
            yield

    def _draw(self) -> None:
        while not self._over.wait(PAUSE):
            with self._pen:
                self._seconds += 1
                counted = f"[{self._count}/{self._total}] " if self._total > 1 else ""
                self._write(f"{CLEAR}{self._what} {counted}{self._seconds} s")

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
