"""Whoever octoDNS can write to, through its plugins: 60 DNS houses by one door. The zone as a whole is read, RRsets are written.

    write:  check all  ->  for each zone: read, apply what is missing, read again  ->  for each zone: the same for what goes
                                          ^------- nobody knows, or it does not show yet: pause, and read again -------'

Records carry no marks of ours: `Mark.UNKNOWN`. A record joins its RRset's TTL, unless the whole RRset is given. Between the
reading and the writing of an RRset somebody else's change to it can be lost: octoDNS knows no other way. A swap within one
RRset is one change; an alias and what takes its place are two, the old first, and whether they are one step is the plugin's.
Each reading begins with a fresh plugin: what one remembers would not be what is there.
Fails by: `ForUser` and `Misconfigured` with the plugin's words; `Later` when patience ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

from dnsops.base.errors import ForUser
from dnsops.providers import octodns_form as form
from dnsops.providers.door import Access, Grade, Held, Mark
from dnsops.providers.door import Change as Wish
from dnsops.providers.identity import tidy
from dnsops.providers.octodns_plugin import Plugin, Unsure
from dnsops.providers.patience import Patience
from dnsops.records.names import canonical, longest_suffix, under
from dnsops.records.rdata import Record

if TYPE_CHECKING:
    from octodns.record.change import Change
    from octodns.zone import Zone

Form: TypeAlias = "Callable[[Zone, list[Record], bool], Change | None]"


class OctoDns:
    """One provider of an octoDNS file, and the zones that the file gives to it."""

    def __init__(self, file: Path, name: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._file, self._name, self._sleep = file, name, sleep
        self._lock = Lock()
        self._zones: list[str] = []

    def zone_of(self, name: str) -> str:
        return self._zone_of(canonical(name), "", Patience(self._sleep))

    def read(self, name: str, type_name: str = "", below: bool = False) -> tuple[Held, ...]:
        name, patience = canonical(name), Patience(self._sleep)
        zones = [self._zone_of(name, type_name, patience)]
        if below:
            zones += [zone for zone in self._zones if under(zone, name) and zone not in zones]
        found = [record for zone in zones for record in form.at(self._read(zone, patience)[1], name, type_name, below)]
        return tuple(Held(record, Mark.UNKNOWN) for record in found)

    def write(self, change: Wish) -> None:
        change, patience = tidy(change), Patience(self._sleep)
        for record in (*change.add, *(record for swap in change.swap for record in swap.new)):
            form.check(record)
        adding, removing = self._by_zone(change.add, patience), self._by_zone(change.remove, patience)
        with self._lock:
            for zone, records in adding.items():
                self._settle(zone, records, form.addition, patience)
            for swap in change.swap:
                zone = self._zone_of(swap.old[0].name, swap.old[0].type, patience)
                self._insist(zone, partial(form.exchange, swap), patience)
            for zone, records in removing.items():
                self._settle(zone, records, lambda there, gone, _: form.removal(there, gone), patience)

    def check(self, zones: Sequence[str]) -> tuple[Access, ...]:
        """Whether each zone can be read; what else the plugin may do shows only by doing it."""
        patience = Patience(self._sleep)
        return tuple(self._access(canonical(name), patience) for name in zones)

    def _access(self, name: str, patience: Patience) -> Access:
        try:
            zone = self._zone_of(name, "", patience)
            self._read(zone, patience)
        except ForUser as error:
            return Access(name, Grade.LACKING, error.what, error.advice)
        return Access(zone, Grade.UNKNOWN, f"octoDNS's {self._name} can read it")

    def _settle(self, apex: str, records: list[Record], make: Form, patience: Patience) -> None:
        """RRset by RRset."""

        def changes(zone: Zone, first: bool) -> list[Change]:
            return [change for some in _sets(records) if (change := make(zone, some, first))]

        self._insist(apex, changes, patience)

    def _insist(self, apex: str, todo: Callable[[Zone, bool], list[Change]], patience: Patience) -> None:
        """Until a fresh reading shows that nothing is left to do."""
        tried = quiet = False
        while True:
            plugin, zone = self._read(apex, patience)
            # a TTL is asked for once: plugins have least ones of their own
            changes = todo(zone, not tried)
            if not changes:
                return
            if quiet:
                patience.rest(f"{self._name} does not show the changes of {apex} yet")
            tried, quiet = True, self._applied(plugin, zone, changes, patience)

    def _applied(self, plugin: Plugin, zone: Zone, changes: list[Change], patience: Patience) -> bool:
        """Whether the plugin says that it was done; a pause when it cannot say."""
        for change in changes:
            _check(plugin, change)
        try:
            plugin.apply(zone, changes)
        except Unsure as error:
            patience.rest(str(error))
            return False
        return True

    def _read(self, apex: str, patience: Patience) -> tuple[Plugin, Zone]:
        """A plugin that knows nothing, and what it reads."""
        while True:
            plugin = Plugin(self._file, self._name)
            try:
                return plugin, plugin.zone(apex)
            except Unsure as error:
                patience.rest(str(error))

    def _by_zone(self, records: Iterable[Record], patience: Patience) -> dict[str, list[Record]]:
        grouped: dict[str, list[Record]] = {}
        for record in records:
            grouped.setdefault(self._zone_of(record.name, record.type, patience), []).append(record)
        return grouped

    def _zone_of(self, name: str, type_name: str, patience: Patience) -> str:
        """The closest zone above a name. A DS record stands above the cut (RFC 4034 5)."""
        while not self._zones:
            try:
                self._zones = Plugin(self._file, self._name).zones()
                break
            except Unsure as error:
                patience.rest(str(error))
        found = longest_suffix(name.partition(".")[2] if type_name.upper() == "DS" else name, self._zones)
        if found is None:
            some = ", ".join(sorted(self._zones)[:5]) or "none"
            advice = f"add it to the file's zones with {self._name} among its targets (now: {some})"
            raise ForUser(f"no zone of octoDNS's {self._name} holds {name}", str(self._file), advice)
        return found


def _sets(records: list[Record]) -> list[list[Record]]:
    """The records, RRset by RRset."""

    def place(record: Record) -> tuple[str, str]:
        return record.name, record.type

    return [list(some) for _, some in groupby(sorted(records, key=place), key=place)]


def _check(plugin: Plugin, change: Change) -> None:
    """What this provider would refuse, in the middle of the work."""
    if change.new is not None and not plugin.takes(change.new):
        kind, name = change.new._type, change.new.fqdn
        raise ForUser(f"octoDNS's {plugin.name} takes no such {kind} record", name, "use another provider for it")
