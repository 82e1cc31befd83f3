"""What no test may leave in a log: an exception that nobody expected, of a server in this process or in one of its own.

    listen()          from now on each line of every `Log` in this process is heard
    news()            what came since the last time, of this process and of every watched log file
    watch(path)       the log of a server that is a process of its own

A test that provokes a fault on purpose says so: @pytest.mark.faults.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

from dnsops.base.log import Log, Value

EVENTS = frozenset(
    {
        "imap.bug",
        "smtp.bug",
        "send.fault",
        "send.stopped",
        "serve.worker",
        "loop.bug",
        "http.bug",
        "timers.fault",
        "store.bug",
    }
)
LINES = ("Traceback (most recent call last)", *(f'"{event}"' for event in EVENTS))


@dataclass
class Ear(logging.Handler):
    """What was heard, and how far each file was read."""

    heard: list[str] = field(default_factory=list)
    files: dict[Path, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(logging.ERROR)

    def __hash__(self) -> int:
        return id(self)

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.heard.append(f"{record.name}: {record.getMessage()[:500]}: {record.exc_info[1]!r}")


EAR = Ear()


def listen() -> None:
    """Once, for the whole session."""
    real = Log.__call__

    def noting(self: Log, event: str, **fields: Value) -> None:
        if event in EVENTS:
            EAR.heard.append(f"{event} {fields}")
        real(self, event, **fields)

    Log.__call__ = noting  # type: ignore[method-assign]
    logging.getLogger("asyncio").addHandler(EAR)


def watch(path: Path) -> None:
    EAR.files.setdefault(path, 0)


def in_file(path: Path, start: int = 0) -> list[str]:
    """Lines of a log file that tell of a bug."""
    try:
        text = path.read_bytes()[start:].decode(errors="replace")
    except FileNotFoundError:
        return []
    return [line for line in text.splitlines() if any(word in line for word in LINES)]


def news() -> list[str]:
    """What came since the last time."""
    found, EAR.heard = EAR.heard, []
    for path, start in list(EAR.files.items()):
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            del EAR.files[path]
            continue
        if size > start:
            found += in_file(path, start)
            EAR.files[path] = size
    return found
