"""Our files under STATE/acme: private, whole or not at all, and of whoever owns STATE, also when root wrote them.

Fails by: `ForUser` where a file cannot be written, `Later` when another process holds a lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dnsops.base import files
from dnsops.base.errors import ForUser


def keep(state: Path, path: Path, data: bytes, advice: str) -> None:
    """Write a file somewhere below `state`. advice: for people, when that cannot be done."""
    try:
        _folder(state, path.parent)
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
    files.private_directory(folder)
    made = [one for one in (folder, *folder.parents) if one.is_relative_to(state) and one != state]
    files.hand_over(state, *made)
