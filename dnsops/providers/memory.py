"""A provider that holds its records in memory: for tests and dry runs. It keeps every promise of the door.

Fails by: `ForUser` for a name outside its zones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock

from dnsops.base.errors import ForUser
from dnsops.providers.door import Access, Change, Grade, Held, Mark, Swap
from dnsops.providers.identity import asked, identity, open_swap, tidy
from dnsops.records.names import canonical, longest_suffix
from dnsops.records.rdata import Record


class Memory:
    """Zones and what stands in them. What `write` adds carries our mark."""

    def __init__(self, zones: Iterable[str], held: Iterable[Held] = ()) -> None:
        self.zones = [canonical(zone) for zone in zones]
        self._held = {identity(one.record): one for one in held}
        self._lock = Lock()

    def zone_of(self, name: str) -> str:
        name = canonical(name)
        self._check(name)
        return longest_suffix(name, self.zones) or ""

    def read(self, name: str, type_name: str = "", below: bool = False) -> tuple[Held, ...]:
        name = canonical(name)
        self._check(name)
        with self._lock:
            return tuple(one for one in self._held.values() if asked(one.record, name, type_name, below))

    def write(self, change: Change) -> None:
        change = tidy(change)
        for record in (*change.add, *change.remove, *(swap.new[0] for swap in change.swap)):
            self._check(record.name)
        with self._lock:
            for record in change.add:
                self._add(record)
            for swap in change.swap:
                self._swap(swap)
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

    def _swap(self, swap: Swap) -> None:
        """What carried no mark of ours gives its place to something that carries none."""
        name, types = swap.old[0].name, {record.type for record in (*swap.old, *swap.new)}
        if not open_swap(
            swap, [r.record for r in self._held.values() if r.record.name == name and r.record.type in types]
        ):
            return
        marks = [self._held.pop(identity(record)).mark for record in swap.old]
        mark = Mark.OURS if Mark.OURS in marks else marks[0]
        self._held.update((identity(record), Held(record, mark)) for record in swap.new)

    def _check(self, name: str) -> None:
        if longest_suffix(name, self.zones) is None:
            raise ForUser(f"no zone here holds {name}", ", ".join(self.zones), "name a host in one of these zones")
