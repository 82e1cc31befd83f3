"""A zone file on this machine as provider: edited line by line, replaced whole, its SOA serial moved on.

Our lines end with `; mailsrv`. A file without SOA (one that another file includes) is edited without a serial.
The name server is not told: let it watch the file (`systemd.path`), or reload it afterwards.
Standards: see records/zonefile. Fails by: `ForUser` with FILE:LINE; `Later` when somebody else wrote the file meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Lock

from dnsops.base import files
from dnsops.base.errors import ForUser, Later
from dnsops.providers.door import Access, Change, Grade, Held, Mark, Swap
from dnsops.providers.identity import asked, identity, open_swap, tidy
from dnsops.records import zonefile
from dnsops.records.names import canonical, under
from dnsops.records.rdata import Record

LONGEST_TTL = 2**31 - 1  # RFC 2181 8


@dataclass(frozen=True, slots=True)
class _Copy:
    """The file as it was read."""

    data: bytes
    status: os.stat_result

    @property
    def fingerprint(self) -> tuple[int, int, int]:
        return self.status.st_ino, self.status.st_size, self.status.st_mtime_ns


class ZoneFile:
    """One file, one zone. `today` gives the date for a dated serial."""

    def __init__(self, path: Path, today: Callable[[], date] = lambda: datetime.now(UTC).date()) -> None:
        self._path, self._today = path, today
        self._lock = Lock()

    def zone_of(self, name: str) -> str:
        zone, name = self._zone(self._copy()), canonical(name)
        self._check(zone, name)
        return zone.apex

    def read(self, name: str, type_name: str = "", below: bool = False) -> tuple[Held, ...]:
        zone, name = self._zone(self._copy()), canonical(name)
        self._check(zone, name)
        return tuple(_held(entry) for entry in zone.entries if asked(entry.record, name, type_name, below))

    def write(self, change: Change) -> None:
        change = tidy(change)
        with self._lock:
            copy = self._copy()
            zone = self._zone(copy)
            add, remove = _with_swaps(zone, change)
            for record in (*add, *remove):
                self._check(zone, record.name)
                _check_ttl(record.ttl, record.name)
            text = zonefile.edited(zone, add, remove, self._today())
            if text != zone.text:
                self._replace(copy, text.encode())

    def check(self, zones: Sequence[str]) -> tuple[Access, ...]:
        """Whether the file can be read and replaced."""
        return tuple(self._access(canonical(name)) for name in zones)

    def _access(self, name: str) -> Access:
        try:
            self._check(self._zone(self._copy()), name)
        except ForUser as error:
            return Access(name, Grade.LACKING, str(error))
        folder = self._path.resolve().parent
        if not os.access(folder, os.W_OK | os.X_OK):
            advice = "the file is replaced whole: let us write into its directory"
            return Access(name, Grade.LACKING, f"{folder} cannot be written", advice)
        return Access(name, Grade.FINE, f"{self._path} can be read and replaced")

    def _zone(self, copy: _Copy) -> zonefile.Zone:
        try:
            return zonefile.read(copy.data.decode("utf-8"), str(self._path))
        except UnicodeDecodeError as error:
            raise ForUser(f"byte {error.start} is not UTF-8", str(self._path), "write such bytes as \\DDD") from None

    def _check(self, zone: zonefile.Zone, name: str) -> None:
        if not under(name, zone.apex):
            raise ForUser(f"{name} is not in the zone {zone.apex}", str(self._path), "name the file of its zone")

    def _copy(self) -> _Copy:
        try:
            status = self._path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise ForUser("is not a file", str(self._path))
            return _Copy(files.read_bounded(self._path, zonefile.LARGEST), status)
        except FileNotFoundError:
            raise ForUser("there is no such zone file", str(self._path), "name an existing one") from None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise ForUser(f"the zone file cannot be read ({reason})", str(self._path)) from None

    def _replace(self, copy: _Copy, data: bytes) -> None:
        """Atomically, with the old file's mode and owner; behind a symbolic link it is the target that changes."""
        now = self._copy()
        if now.fingerprint != copy.fingerprint or now.data != copy.data:
            raise Later(f"{self._path} was changed by somebody else meanwhile")
        target = self._path.resolve()
        try:
            files.replace(target, data, stat.S_IMODE(copy.status.st_mode))
        except OSError as error:
            advice = "the directory must be writable: the file is replaced whole"
            raise ForUser(f"the zone file cannot be written ({error.strerror})", str(self._path), advice) from None
        with contextlib.suppress(PermissionError):  # only root may give files away; others own it already
            os.chown(target, copy.status.st_uid, copy.status.st_gid)


def _with_swaps(zone: zonefile.Zone, change: Change) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """What to add and to remove, swaps that are still to be done among them: the file is replaced in one step."""
    todo = [swap for swap in change.swap if open_swap(swap, _there(zone, swap))]
    add = tuple(record for swap in todo for record in swap.new)
    kept = {identity(record) for record in add}
    remove = tuple(record for swap in todo for record in swap.old if identity(record) not in kept)
    return (*change.add, *add), (*change.remove, *remove)


def _there(zone: zonefile.Zone, swap: Swap) -> list[Record]:
    name, types = swap.old[0].name, {record.type for record in (*swap.old, *swap.new)}
    records = [entry.record for entry in zone.entries]
    return [record for record in records if record.name == name and record.type in types]


def _held(entry: zonefile.Entry) -> Held:
    return Held(entry.record, Mark.OURS if entry.ours else Mark.FOREIGN)


def _check_ttl(ttl: int, name: str) -> None:
    if not 0 <= ttl <= LONGEST_TTL:
        raise ForUser(f"TTL {ttl} does not exist", name, "write seconds, such as 3600")
