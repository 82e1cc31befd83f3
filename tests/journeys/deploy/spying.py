"""What a deployment leaves behind and lets be seen: the hosts' disks, and every argument of every process meanwhile."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

PLACES = ("etc", "opt", "usr", "var/lib/mailsrv", "srv", "boot")
OFTEN = 0.02  # seconds
Snapshot = dict[str, tuple[int, str]]


def snapshot(disk: Path) -> Snapshot:
    """Path -> mode, digest; of what was ever written below PLACES."""
    found: Snapshot = {}
    for place in PLACES:
        for path in sorted((disk / place).rglob("*")):
            status = path.lstat()
            data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            found[str(path.relative_to(disk))] = (status.st_mode, hashlib.sha256(data).hexdigest())
    return found


def holding(disk: Path, secret: str) -> list[tuple[str, tuple[int, int, int]]]:
    """Every file with this in it, of all that were ever written; its mode, user and group."""
    found = []
    for folder, _, names in os.walk(disk):
        for path in (Path(folder) / name for name in names):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode) and secret.encode() in path.read_bytes():
                readers = (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
                found.append((str(path.relative_to(disk)), readers))
    return found


@contextmanager
def argv_watched(secrets: Sequence[str]) -> Iterator[list[str]]:
    """Whose arguments held a secret, of all processes here and on the hosts."""
    seen: list[str] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(OFTEN):
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    line = (process / "cmdline").read_bytes().decode(errors="replace")
                    if any(secret in line for secret in secrets):
                        seen.append(line.replace("\0", " "))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield seen
    finally:
        done.set()
        watching.join()
