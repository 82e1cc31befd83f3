"""Files that survive: replaced whole or not at all, and locks that die with their holder.

Measured on ext4 (a power cut after each pattern): only write, fsync, rename and fsync of the directory is kept.
Fails by: OSError for the caller to phrase; `Later` when another process holds the lock.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO

from dnsops.base.errors import Later


def replace(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Give `path` the content `data`, durably: readers see the old file or the new one, whole."""
    with replacing(path, mode) as file:
        file.write(data)


@contextmanager
def replacing(path: Path, mode: int = 0o600) -> Iterator[IO[bytes]]:
    """The same for what is written bit by bit: it takes the path's place at the end, and never when that is an exception."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def point(link: Path, target: str) -> None:
    """Let the symbolic link `link` name `target`, durably and in one step."""
    temporary = link.with_name(f".{link.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)
    sync_directory(link.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_all(path: Path) -> None:
    """Make everything durable that the file system of a directory holds: of many files, much cheaper than each for itself.

    Standard: syncfs(2), which tells of an error since Linux 5.8.
    """
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if _libc().syncfs(handle) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))
    finally:
        os.close(handle)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def private_directory(path: Path) -> Path:
    """Make a directory (and its parents) that only we may enter; an existing one keeps its mode."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def hand_over(owned: Path, *paths: Path) -> None:
    """What root wrote belongs to whom `owned` belongs: a server that is no root any more shall read it."""
    status = owned.stat()
    if os.geteuid() == 0 and status.st_uid != 0:
        for path in paths:
            os.chown(path, status.st_uid, status.st_gid, follow_symlinks=False)


def read_bounded(path: Path, limit: int) -> bytes:
    """At most `limit` bytes of a file; more than that is a ValueError."""
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"{path} is larger than {limit} bytes")
    return data


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold the lock file `path`. The kernel releases it when its holder dies, however it dies."""
    private_directory(path.parent)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise Later(f"{path}: process {holder} is at it already") from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)
