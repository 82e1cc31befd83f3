"""Our files below STATE: private, whole or not at all, and of whoever owns STATE, also when root wrote them.

    recall(path, form.read)      what a document says, None before the first
    keep(state, path, data, advice)      the same bytes twice are written once
    with alone(state, path): ...

Fails by: `ForUser` where a file cannot be read or written, `ValueError` from `recall` for one that is damaged, `Later` when
another process holds a lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from dnsops.base import files, versioned
from dnsops.base.errors import ForUser

T = TypeVar("T")


def recall(path: Path, form: Callable[[bytes], T], largest: int = versioned.LARGEST) -> T | None:
    """What `form` reads in a file of at most `largest` bytes; None when there is no file."""
    try:
        return form(files.read_bounded(path, largest))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ForUser(f"cannot be read ({error.strerror})", str(path), "run as the user that owns it") from None


def keep(state: Path, path: Path, data: bytes, advice: str) -> None:
    """Write a file somewhere below `state`, unless it says so already. advice: for people, when that cannot be done."""
    try:
        _folder(state, path.parent)
        if not path.exists() or path.read_bytes() != data:
            files.replace(path, data)
            files.hand_over(state, path)
    except OSError as error:
        raise ForUser(f"cannot be written ({error.strerror})", str(path), advice) from None


@contextmanager
def alone(state: Path, path: Path) -> Iterator[None]:
    """Hold a lock file below `state`."""
    try:
        _folder(state, path.parent)
        with files.lock(path):
            files.hand_over(state, path)
            yield
    except PermissionError as error:
        raise ForUser(f"may not be used ({error.strerror})", str(path), "run as the user who owns it") from None


def _folder(state: Path, folder: Path) -> None:
    """The folder and those above it, up to `state`."""
    made = [one for one in (folder, *folder.parents) if one.is_relative_to(state) and one != state]
    for one in reversed(made):
        files.private_directory(one)
    files.hand_over(state, *made)
