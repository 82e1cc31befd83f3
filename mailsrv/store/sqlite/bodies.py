"""Large bodies, one file each: written, synced and named before the commit that refers to them.

A file that no row refers to is an orphan of a crash, swept when the store is opened by nobody else.
Fails by: OSError, which the store makes `Later`.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from dnsops.base import files

SHELVES = 16  # directories, so that no one grows too large


class Bodies:
    """The files of a store; `name` is what the table keeps of one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock: int | None = None

    def open(self, referred: Callable[[], set[str]]) -> None:
        """Make the shelves; when no other process uses them, remove what nothing refers to."""
        files.private_directory(self._directory)
        for shelf in range(SHELVES):
            (self._directory / f"{shelf:x}").mkdir(mode=0o700, exist_ok=True)
        files.sync_directory(self._directory)
        files.sync_directory(self._directory.parent)
        self._lock = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with suppress(BlockingIOError):
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._sweep(referred())
        fcntl.flock(self._lock, fcntl.LOCK_SH)

    def write(self, content: bytes) -> str:
        """A new file with this content, durable under its name."""
        token = secrets.token_hex(16)
        name = f"{token[:1]}/{token[1:]}"
        path = self._directory / name
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "wb", buffering=0) as file:
                _write_all(file.fileno(), content)
                os.fsync(file.fileno())
            files.sync_directory(path.parent)
        except BaseException:
            self.remove(name)
            raise
        return name

    def read(self, name: str, start: int, length: int) -> bytes:
        """Bytes of a file; one that ends too early is an error, never a shorter message."""
        with (self._directory / name).open("rb", buffering=0) as file:
            data = bytearray()
            while len(data) < length and (more := os.pread(file.fileno(), length - len(data), start + len(data))):
                data += more
        if len(data) < length:
            raise OSError("the file of a body is too short")
        return bytes(data)

    def remove(self, name: str) -> None:
        """As well as can be; what stays is swept at the next start."""
        with suppress(OSError):
            (self._directory / name).unlink()

    def close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _sweep(self, referred: set[str]) -> None:
        for path in self._directory.glob("?/*"):
            name = path.relative_to(self._directory).as_posix()
            if name not in referred:
                self.remove(name)


def _write_all(handle: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]
