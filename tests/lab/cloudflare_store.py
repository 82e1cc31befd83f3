"""The zones that the Cloudflare API of the lab holds: records per zone, one transaction per change, a backend behind.

A change is worked out on a copy, written to the backend as the RRsets that differ, and only then kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

import dns.rdata
import dns.rdataset

from tests.lab.cloudflare_records import NO_RECORD, TYPES, Entry, check_conflicts, entry, identifier, patched, stored

T = TypeVar("T")
Rrsets = dict[tuple[str, str], dns.rdataset.Rdataset]
Changed = Mapping[tuple[str, str], dns.rdataset.Rdataset | None]


class Backend(Protocol):
    """Whoever really answers for the zones."""

    def read(self, zone: str) -> Iterable[tuple[str, int, dns.rdata.Rdata]]:
        """Owner name (no final dot), TTL and data of everything in the zone."""
        ...

    def write(self, zone: str, changed: Changed) -> None:
        """RRsets by owner name and type, as they shall be: all of them or none."""
        ...


class NoBackend:
    """Nobody: the zones start empty and live in the API only."""

    def read(self, zone: str) -> Iterable[tuple[str, int, dns.rdata.Rdata]]:
        return ()

    def write(self, zone: str, changed: Changed) -> None:
        return


class Draft:
    """A zone's records while a request changes them."""

    def __init__(self, zone: str, entries: Mapping[str, Entry]) -> None:
        self.zone, self.entries = zone, dict(entries)

    def add(self, body: Any) -> Entry:
        return self._keep(entry(self.zone, body))

    def change(self, record: str, body: Any, patch: bool) -> Entry:
        previous = self.get(record)
        fields = {name: value for name, value in (body or {}).items() if name != "id"}
        return self._keep(patched(self.zone, previous, fields) if patch else entry(self.zone, fields, previous))

    def remove(self, record: str) -> Entry:
        return self.entries.pop(self.get(record).id)

    def get(self, record: str) -> Entry:
        if record not in self.entries:
            raise NO_RECORD
        return self.entries[record]

    def _keep(self, made: Entry) -> Entry:
        check_conflicts(self.entries.values(), made)
        self.entries[made.id] = made
        return made


class Store:
    """All zones. `divisor` shortens the TTLs that the backend is given, never those that the API shows."""

    def __init__(self, zones: Iterable[str], backend: Backend | None) -> None:
        self.backend = backend or NoBackend()
        self.names = {identifier(zone): zone for zone in zones}
        self.divisor = 1
        self.load()

    def load(self) -> None:
        """Take over what the backend holds."""
        self.entries = {zone: self._read(zone) for zone in self.names.values()}

    def draft(self, zone: str) -> Draft:
        return Draft(zone, self.entries[zone])

    def change(self, zone: str, work: Callable[[Draft], T]) -> T:
        """Let `work` change a draft; commit it when that went well."""
        draft = self.draft(zone)
        result = work(draft)
        if changed := difference(self._served(self.entries[zone]), self._served(draft.entries)):
            self.backend.write(zone, changed)
        self.entries[zone] = draft.entries
        return result

    def divide_ttl(self, divisor: int) -> None:
        if divisor == self.divisor:
            return
        self.divisor = divisor
        for zone, entries in self.entries.items():
            if served := self._served(entries):
                self.backend.write(zone, served)

    def _served(self, entries: Mapping[str, Entry]) -> Rrsets:
        """What the name servers answer: an RRset has one TTL (RFC 2181 5.2)."""
        rrsets: Rrsets = {}
        for one in entries.values():
            ttl = max(1, one.served_ttl // self.divisor)
            empty = dns.rdataset.Rdataset(one.rdata.rdclass, one.rdata.rdtype, ttl=ttl)
            rrsets.setdefault((one.name, one.type), empty).add(one.rdata, ttl)
        return rrsets

    def _read(self, zone: str) -> dict[str, Entry]:
        held = [
            stored(zone, name, ttl, rdata)
            for name, ttl, rdata in self.backend.read(zone)
            if rdata.rdtype.name in TYPES and (rdata.rdtype.name, name) != ("NS", zone)
        ]
        return {one.id: one for one in held}


def difference(before: Rrsets, after: Rrsets) -> dict[tuple[str, str], dns.rdataset.Rdataset | None]:
    """The RRsets that are to change, as they shall be; None: gone."""
    return {key: after.get(key) for key in before | after if not _same(before.get(key), after.get(key))}


def _same(one: dns.rdataset.Rdataset | None, other: dns.rdataset.Rdataset | None) -> bool:
    return one == other and (one is None or other is None or one.ttl == other.ttl)
