"""Where a deployment's log and lock are: under the state directory of whoever deploys. Only the newest logs stay.

Fails by: `Later` when another deployment to the same inventory runs from here; `ForUser` when the place cannot be written.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from dnsops.base import files
from dnsops.base.errors import ForUser, Later

KEPT = 50


def place(state: Path) -> Path:
    """The directory, made when it is not there."""
    folder = state / "deploy"
    try:
        return files.private_directory(folder)
    except OSError as error:
        raise ForUser(f"cannot be made ({error.strerror})", str(folder)) from None


@contextmanager
def alone(folder: Path, inventory: str) -> Iterator[None]:
    """One deployment to an inventory at a time."""
    name = hashlib.sha256(str(Path(inventory).resolve() if "," not in inventory else inventory).encode()).hexdigest()
    held = files.lock(folder / f"{name[:16]}.lock")
    try:
        held.__enter__()
    except Later as busy:
        holder = str(busy.reason).rpartition(": ")[2].removesuffix(" is at it already")
        raise Later(f"another deployment to {inventory} is running here ({holder})") from None
    try:
        yield
    finally:
        held.__exit__(None, None, None)


@contextmanager
def log(folder: Path, name: str, now: datetime) -> Iterator[tuple[Path, IO[str]]]:
    """A new log and its path; older ones than the newest KEPT are forgotten."""
    path = folder / f"{now:%Y%m%dT%H%M%S.%f}Z-{name}.log"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
        for old in sorted(folder.glob("*.log"))[:-KEPT]:
            old.unlink(missing_ok=True)
        yield path, file
