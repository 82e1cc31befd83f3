"""Measuring the machine: disk, clock, the files that timers and backups leave, the log.

Standards: adjtimex(2), systemd's journalctl(1). Limits: MOST_FILES files of a backup's place, TAIL octets and LINES lines of a log, LARGEST
octets of an outcome, SECONDS for the journal. Fails by: values that say so.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from checks.health.facts import Backup, Clock, Disk, Job, Log
from dnsops.base.printable import printable
from mailsrv.backup.folder import whole
from mailsrv.backup.memory import Memory

TIMERS = "timers"  # in the state directory
OURSELVES = "health"  # the job that asks here: what it found last time is no news
MOST_FILES, TAIL, LINES, LARGEST, SECONDS = 10_000, 1 << 20, 2000, 1 << 16, 15
LONGEST = 300
HOURS = timedelta(hours=24)  # of the log that are looked at
TROUBLE = re.compile(
    r"\b[a-z_]+(?:\.[a-z_]+)*\.(?:bug|fault|failed|unreadable|damaged|leaked|worker_died|not_reloaded|store_later|not_read"
    r"|ledger_trouble)\b|Traceback \(most recent"
)
_TIME = re.compile(r'"time": ?"([0-9T:.+-]{19,40})"')
_STATUS, _UNSYNC, _MAXERROR = 40, 0x40, 24  # offsets in struct timex of 64-bit Linux, and a bit (adjtimex(2))


def disk(path: Path) -> Disk | None:
    """Of the file system where the path is."""
    try:
        found = os.statvfs(path)
    except OSError:
        return None
    return Disk(str(path), found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize, found.f_favail, found.f_files)  # fmt: skip


def clock() -> Clock | None:
    """What the kernel thinks of its own clock."""
    if ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    timex = ctypes.create_string_buffer(512)  # modes = 0: only read
    try:
        if ctypes.CDLL(None, use_errno=True).adjtimex(timex) < 0:
            return None
    except (OSError, AttributeError):
        return None
    status = int.from_bytes(timex.raw[_STATUS : _STATUS + 4], "little")
    error = int.from_bytes(timex.raw[_MAXERROR : _MAXERROR + 8], "little", signed=True)
    return Clock(not status & _UNSYNC, error / 1e6)


def jobs(state: Path) -> tuple[tuple[Job, ...], tuple[str, ...]]:
    """Each job's last outcome, and the names of those that cannot be read."""
    found, damaged = [], []
    for path in sorted((state / TIMERS).glob("*.json")):
        if path.name.count(".") > 1 or path.stem == OURSELVES:  # NAME.told.json is another matter
            continue
        try:
            with path.open("rb") as file:
                found.append(Job.read(json.loads(file.read(LARGEST))))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            damaged.append(printable(path.stem))
    return tuple(found), tuple(damaged)


def backups(others: Path | None, ours: str | None, state: Path) -> Backup | None:
    """Of another program's place, else of ours: what lies in a directory; of a bucket, what the last backup noted here."""
    if others:
        return backup(others)
    if not ours:
        return None
    if not ours.startswith("s3://"):
        return backup(Path(ours))
    note = Memory(state).last()
    return Backup(ours, note.finished if note and note.place == ours else None)


def backup(place: Path) -> Backup:
    """The newest file there, also in folders; the place itself when it is a file. Of our own backups only the whole ones
    count: the pieces of one that failed are new files as well."""
    times = [time for path in islice(_files(whole(place)), MOST_FILES) if (time := _changed(path)) is not None]
    return Backup(str(place), max(times, default=None))


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
    for folder, _, names in os.walk(place):
        yield from (Path(folder) / name for name in names)


def _changed(path: Path) -> datetime | None:
    with suppress(OSError):
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return None


def log(path: Path | None, now: datetime) -> Log:
    """The lines of the last hours that speak of trouble, from a file, else from the journal."""
    where = f"the last {HOURS.total_seconds() / 3600:.0f} hours of {path or 'the journal'}"
    try:
        text = _tail(path) if path else _journal()
    except OSError as error:
        return Log(where, why=f"{path or 'the journal'} cannot be read ({error.strerror or error})")
    except subprocess.TimeoutExpired:
        return Log(where, why=f"the journal did not answer within {SECONDS} s")
    lines = [line for line in text.splitlines() if TROUBLE.search(line) and _recent(line, now)]
    return Log(where, tuple(printable(line)[:LONGEST] for line in lines[-LINES:]))


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL))
        return file.read(TAIL).decode("utf-8", "replace")


def _journal() -> str:
    since = f"-{int(HOURS.total_seconds())}s"
    words = ["journalctl", "-u", "mailsrv", "--since", since, "-n", str(LINES), "-o", "cat", "--no-pager", "-q"]
    done = subprocess.run(words, capture_output=True, timeout=SECONDS, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise OSError(0, printable(done.stderr.decode("utf-8", "replace").strip()[:200]) or "journalctl failed")
    return done.stdout[-TAIL:].decode("utf-8", "replace")


def _recent(line: str, now: datetime) -> bool:
    """Whether a JSON line is of the last hours; a line without a date counts."""
    found = _TIME.search(line)
    if found is None:
        return True
    try:
        return now - datetime.fromisoformat(found[1]) < HOURS
    except (ValueError, TypeError):
        return True
