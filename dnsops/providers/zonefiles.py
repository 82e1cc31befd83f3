"""A directory of zone files as provider: example.org.zone holds example.org; each is edited as `zonefile` does it.

Which zones there are is looked at each time: whoever adds a file adds a zone.
Fails by: `ForUser` for a name that no file's zone holds; for the rest see zonefile.
Limits: MOST files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from dnsops.base.errors import ForUser
from dnsops.providers.door import Access, Change, Grade, Held
from dnsops.providers.identity import tidy
from dnsops.providers.zonefile import ZoneFile
from dnsops.records.names import canonical, longest_suffix, under
from dnsops.records.rdata import Record

SUFFIX = ".zone"
MOST = 10_000


class ZoneFiles:
    """The files of one directory, each with its own lock."""

    def __init__(self, folder: Path, today: Callable[[], date] = lambda: datetime.now(UTC).date()) -> None:
        self._folder, self._today = folder, today
        self._opened: dict[str, ZoneFile] = {}

    def zone_of(self, name: str) -> str:
        return self._zone_of(canonical(name), "", self._zones())

    def read(self, name: str, type_name: str = "", below: bool = False) -> tuple[Held, ...]:
        name, zones = canonical(name), self._zones()
        own = self._zone_of(name, type_name, zones)
        more = [zone for zone in zones if zone != own and below and under(zone, name)]
        found = list(self._file(own).read(name, type_name, below))
        for zone in more:
            found += self._file(zone).read(zone, type_name, True)
        return tuple(found)

    def write(self, change: Change) -> None:
        change, zones = tidy(change), self._zones()
        adding, removing = self._by_zone(change.add, zones), self._by_zone(change.remove, zones)
        for zone, records in adding.items():
            self._file(zone).write(Change(add=tuple(records)))
        for swap in change.swap:
            self._file(self._zone_of(swap.old[0].name, swap.old[0].type, zones)).write(Change(swap=(swap,)))
        for zone, records in removing.items():
            self._file(zone).write(Change(remove=tuple(records)))

    def check(self, zones: Sequence[str]) -> tuple[Access, ...]:
        """Whether each zone has its file, and that can be read and replaced."""
        return tuple(access for name in zones for access in self._access(canonical(name)))

    def _access(self, name: str) -> tuple[Access, ...]:
        try:
            return self._file(self._zone_of(name, "", self._zones())).check([name])
        except ForUser as error:
            return (Access(name, Grade.LACKING, error.what, error.advice),)

    def _by_zone(self, records: Iterable[Record], zones: list[str]) -> dict[str, list[Record]]:
        grouped: dict[str, list[Record]] = {}
        for record in records:
            grouped.setdefault(self._zone_of(record.name, record.type, zones), []).append(record)
        return grouped

    def _zone_of(self, name: str, type_name: str, zones: list[str]) -> str:
        """The closest zone above a name. A DS record stands above the cut (RFC 4034 5)."""
        found = longest_suffix(name.partition(".")[2] if type_name.upper() == "DS" else name, zones)
        if found is None:
            some = ", ".join(zones[:5]) or "none"
            advice = f"add the file of its zone, such as example.org{SUFFIX} (now: {some})"
            raise ForUser(f"no zone file here holds {name}", str(self._folder), advice)
        return found

    def _zones(self) -> list[str]:
        try:
            names = sorted(path.name for path in self._folder.iterdir() if path.name.endswith(SUFFIX))
        except OSError as error:
            advice = f"make it, with a file for each zone, such as example.org{SUFFIX}"
            raise ForUser(f"the directory cannot be read ({error.strerror})", str(self._folder), advice) from None
        return [canonical(name.removesuffix(SUFFIX), str(self._folder)) for name in names[:MOST]]

    def _file(self, zone: str) -> ZoneFile:
        return self._opened.setdefault(zone, ZoneFile(self._folder / f"{zone}{SUFFIX}", self._today))
