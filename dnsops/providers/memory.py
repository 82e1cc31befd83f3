"""A provider that holds its records in memory: for tests and dry runs. It keeps every promise of the door.

Fails by: `ForUser` for a name outside its zones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock

from dnsops.base.errors import ForUser
from dnsops.providers.door import Access, Change, Grade, Held, Mark
from dnsops.providers.identity import asked, identity, tidy
from dnsops.records.names import canonical, longest_suffix
from dnsops.records.rdata import Record


class Memory:
    """Zones and what stands in them. What `write` adds carries our mark."""

    def __init__(self, zones: Iterable[str], held: Iterable[Held] = ()) -> None:
        self.zones = [canonical(zone) for zone in zones]
        self._held = {identity(one.record): one for one in held}
        self._lock = Lock()

    def read(self, name: str, type_name: str = "", below: bool = False) -> tuple[Held, ...]:
        name = canonical(name)
        self._check(name)
        with self._lock:
            return tuple(one for one in self._held.values() if asked(one.record, name, type_name, below))

    def write(self, change: Change) -> None:
        change = tidy(change)
        for record in (*change.add, *change.remove):
            self._check(record.name)
        with self._lock:
            for record in change.add:
                self._add(record)
            for record in change.remove:
                self._held.pop(identity(record), None)

    def check(self, zones: Sequence[str]) -> tuple[Access, ...]:
        return tuple(self._access(canonical(name)) for name in zones)

    def _access(self, name: str) -> Access:
        try:
            self._check(name)
        except ForUser as error:
            return Access(name, Grade.LACKING, error.what, error.advice)
        return Access(name, Grade.FINE, "it is kept in memory")

    def _add(self, record: Record) -> None:
        """A stranger's identical record stays the stranger's, with its TTL."""
        there = self._held.get(identity(record))
        if there is None or there.mark is Mark.OURS:
            self._held[identity(record)] = Held(record, Mark.OURS)

    def _check(self, name: str) -> None:
        if longest_suffix(name, self.zones) is None:
            raise ForUser(f"no zone here holds {name}", ", ".join(self.zones), "name a host in one of these zones")
