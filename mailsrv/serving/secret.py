"""Secrets of this installation's own: made once, by the first process that asks, and the same after every restart.

Fails by: OSError of a state directory that cannot be written.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from dnsops.base import files

SIZE = 32  # octets


def secret_of(state: Path, name: str) -> bytes:
    """The octets of the file of that name in the state directory."""
    path = files.private_directory(state) / name
    with suppress(FileNotFoundError, ValueError):
        if len(kept := files.read_bounded(path, SIZE)) == SIZE:
            return kept
    fresh = secrets.token_bytes(SIZE)
    mine = path.with_name(f".{name}.{os.getpid()}")
    files.replace(mine, fresh)
    try:
        path.hardlink_to(mine)  # the first of several workers wins
    except FileExistsError:
        return secret_of(state, name)
    finally:
        mine.unlink()
    return fresh
