"""A directory for work, which goes at the end; what a killed one left goes when the next begins.

    with scratch.made(folder, ".scratch-") as directory: ...

Each holds a lock on its own directory, flock(2), which dies with its process: that of another who is still at work is left alone.
Fails by: OSError.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path


@contextmanager
def made(folder: Path, prefix: str) -> Iterator[Path]:
    """A new directory below `folder` whose name begins with `prefix`."""
    sweep(folder, prefix)
    with ExitStack() as locks:
        directory = _new(folder, prefix, locks)
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def _new(folder: Path, prefix: str, locks: ExitStack) -> Path:
    """Made and locked; once more when another swept it in between."""
    while True:
        directory = Path(tempfile.mkdtemp(prefix=prefix, dir=folder))
        try:
            if locks.enter_context(_locked(directory)) and directory.is_dir():
                return directory
        except FileNotFoundError:
            continue


def sweep(folder: Path, prefix: str) -> None:
    """Remove those whose process is no more; one that is going at this moment goes by itself."""
    for left in folder.glob(f"{prefix}*"):
        with suppress(FileNotFoundError, PermissionError), _locked(left) as ours:
            if ours:
                shutil.rmtree(left)


@contextmanager
def _locked(directory: Path) -> Iterator[bool]:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(handle)
