"""The journal of a run over many domains: results on the disk as they come, so that a run that was ended is gone on with.

Its first line says what it is; each other line is a JSON object, `{"domain": ..., "result": ...}`, and is on the disk before `add`
returns. A line that was cut by the end of the program is taken back when the journal is opened.
Limits: LONGEST octets of a line. Fails by: `ForUser` for a file that is no journal or cannot be written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from dnsops.base.errors import ForUser

LONGEST = 32 << 20
KIND = {"journal": "mailsrv check", "version": 1}


class Journal:
    """The results of a run, on the disk as they come. done: the domains that have one already."""

    def __init__(self, file: IO[bytes], done: Sequence[str]) -> None:
        self._file = file
        self.done = frozenset(done)

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[Journal]:
        """Begin one, or go on with it."""
        try:
            file = path.open("a+b")
        except OSError as error:
            raise ForUser(
                f"cannot be written ({error.strerror})", str(path), "name a file in a place of yours"
            ) from None
        with file:
            _repair(file, path)
            yield cls(file, [entry["domain"] for entry in _entries(file)])

    def add(self, domain: str, value: dict[str, Any]) -> None:
        """One more result, safe when this returns."""
        self._file.write(json.dumps({"domain": domain, "result": value}, default=str).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def results(self) -> Iterator[dict[str, Any]]:
        """All results, one at a time."""
        for entry in _entries(self._file):
            yield entry["result"]


def _entries(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    position = 0
    while True:
        file.seek(position)
        line = file.readline(LONGEST)
        position = file.tell()
        if not line.endswith(b"\n"):
            return
        with suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, dict) and {"domain", "result"} <= entry.keys():
                yield entry


def _repair(file: IO[bytes], path: Path) -> None:
    """Its first line says what it is; its last line is whole."""
    file.seek(0)
    head = file.readline(1000)
    if not head:
        file.write(json.dumps(KIND).encode() + b"\n")
    elif _ours(head):
        _cut(file)
    else:
        raise ForUser("not a journal of checks", str(path), "name a new file, or one of an earlier run")


def _ours(head: bytes) -> bool:
    with suppress(ValueError):
        return bool(json.loads(head) == KIND)
    return False


def _cut(file: IO[bytes]) -> None:
    end = size = file.seek(0, os.SEEK_END)
    while end and not _ends(file, end):
        end -= 1
    if end < size:
        file.truncate(end)


def _ends(file: IO[bytes], end: int) -> bool:
    file.seek(end - 1)
    return file.read(1) == b"\n"
