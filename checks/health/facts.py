"""What was measured on this host, as values. Pure. None, or an empty tuple with a `why`, says that something could not be measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dnsops.base.printable import printable
from dnsops.certs.chain import Chain
from dnsops.records.tlsa import Tlsa
from dnsops.resolve.answer import Security

LONGEST = 300


@dataclass(frozen=True, slots=True)
class Port:
    """One listener, tried at the address where this host reaches it. error: "" when it answered as it should."""

    name: str
    address: str
    port: int
    error: str = ""
    chain: Chain | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """Recipients that wait, and since when the longest of them; held ones are counted apart."""

    waiting: int = 0
    oldest: datetime | None = None
    held: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Disk:
    """free, size: octets.  files, most_files: 0 where the file system does not count them."""

    path: str
    free: int
    size: int
    files: int = 0
    most_files: int = 0


@dataclass(frozen=True, slots=True)
class Clock:
    """kept: whether the kernel says that somebody keeps it right.  error: seconds that it may be off, at most."""

    kept: bool
    error: float = 0.0


@dataclass(frozen=True, slots=True)
class Records:
    """The TLSA records of port 25, and how far DNSSEC proves them."""

    security: Security
    tlsa: tuple[Tlsa, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """The last run of a timer's job. state: ok, findings, later, failed, bug."""

    name: str
    state: str
    finished: datetime
    failures: int
    text: str = ""

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Job:
        """From the outcome that a timer leaves. ValueError, KeyError or TypeError for what is none."""
        finished = datetime.fromisoformat(str(found["finished"]))
        if finished.tzinfo is None:
            raise ValueError("a time without its zone")
        text = printable(str(found["text"]))[:LONGEST]
        return cls(str(found["job"])[:50], str(found["state"])[:20], finished, int(found["failures"]), text)


@dataclass(frozen=True, slots=True)
class Backup:
    """place: what the configuration names.  newest: of its files."""

    place: str
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """lines: of the last hours that speak of trouble, the newest last.  why: it could not be read.  where: for people."""

    where: str
    lines: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Outward:
    """One try at port 25 of another host. family: 4 or 6.  greeting: what it said.  away: this host has no network there."""

    host: str
    address: str
    family: int
    greeting: str = ""
    error: str = ""
    away: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    now: datetime
    host: str
    ports: tuple[Port, ...] = ()
    queue: Queue | None = None
    disk: Disk | None = None
    clock: Clock | None = None
    records: Records | None = None
    jobs: tuple[Job, ...] = ()
    damaged: tuple[str, ...] = ()  # names of jobs whose last outcome cannot be read
    backup: Backup | None = None
    log: Log | None = None
    outward: tuple[Outward, ...] = ()
    backup_age: float = 26 * 3600.0  # seconds that the newest backup may have
