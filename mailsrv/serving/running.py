"""Whether a server has a state directory: one at a time holds its lock, and the kernel lets go of it when that one dies."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from dnsops.base import files
from dnsops.base.errors import Later

LOCK = "serve.lock"  # in the state directory


def alone(state: Path) -> AbstractContextManager[None]:
    """Be the server of this state directory; `Later`: there is one."""
    return files.lock(state / LOCK)


def serving(state: Path) -> bool:
    """Whether there is one."""
    if not (state / LOCK).exists():
        return False
    try:
        with alone(state):
            return False
    except Later:
        return True
    except OSError:
        return False
