"""Cloudflare as provider: zones by label-border match, ownership by comment, every lost answer settled by reading again.

    write:  check all  ->  for each zone: read, post what is missing (one batch)  ->  the same with swaps  ->  with deletions
                                          ^--- lost, 5xx, 429, 81057, 81058, 81044: read again ---'

Adds and removals never share a batch: a batch is one transaction in the database, but not at the edge.
Standards: Cloudflare API v4 (DNS records, batch); reference numbers of its errors are in cloudflare_errors.
Fails by: `ForUser` when the token, the zone or the record must change; `Later` when patience ends.
Limits: MOST_PAGES pages a list, BATCH operations a call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from typing import NoReturn, TypeAlias

from dnsops.base.errors import ForUser, Later
from dnsops.base.secrets import Secret
from dnsops.providers.cloudflare_calls import Calls
from dnsops.providers.cloudflare_errors import MALFORMED_TOKEN, Refusal, Verdict, unsure
from dnsops.providers.cloudflare_form import Json, Shown, comment_for, shown, to_api, ttl_flaw
from dnsops.providers.door import Access, Change, Grade, Held, Mark, Swap
from dnsops.providers.identity import asked, open_swap, tidy
from dnsops.providers.patience import Patience
from dnsops.records.names import canonical, longest_suffix, under
from dnsops.records.rdata import Record, strings

BATCH = 200  # operations in one call, on the Free plan
MOST_PAGES = 1000
FEW_NAMES = 5  # up to here each name is asked for; beyond, the whole zone is listed: one call
PROXIABLE = ("A", "AAAA", "CNAME")
AT_THE_CUT = ("NS", "DS", "A", "AAAA")  # a delegation itself, and its glue

Operations: TypeAlias = dict[str, list[Json]]
Key: TypeAlias = tuple[str, str, object]


@dataclass(frozen=True, slots=True)
class Zone:
    name: str
    id: str = field(repr=False)


class Cloudflare:
    """All zones of one token. `sleep` is called for pauses of at most half a minute."""

    def __init__(
        self,
        token: Secret,
        base_url: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        calls: Calls | None = None,
    ) -> None:
        self._calls, self._sleep = calls or Calls(token, base_url), sleep
        self._lock = Lock()
        self._zones: dict[str, Zone] = {}

    def zone_of(self, name: str) -> str:
        return self._zone(canonical(name), "", Patience(self._sleep)).name

    def read(self, name: str, type_name: str = "", below: bool = False) -> tuple[Held, ...]:
        name, patience = canonical(name), Patience(self._sleep)
        zones = [self._zone(name, type_name, patience)]
        if below:
            zones += [
                zone for zone in self._all_zones(patience).values() if under(zone.name, name) and zone not in zones
            ]
        found = [one.held for zone in zones for one in self._at(zone, name, type_name, below, patience)]
        return tuple(held for held in found if asked(held.record, name, type_name, below))

    def write(self, change: Change) -> None:
        change, patience = tidy(change), Patience(self._sleep)
        for record in (*change.add, *(record for swap in change.swap for record in swap.new)):
            _check(record)
        adding, removing = self._by_zone(change.add, patience), self._by_zone(change.remove, patience)
        swapping = list(self._groups(change.swap, patience))
        for zone, records in adding.items():
            self._check_cuts(zone, records, patience)
        for zone, records in adding.items():
            self._settle(zone, partial(self._missing, zone, records, patience), patience)
        for zone, swaps in swapping:
            self._settle(zone, partial(self._swapping, zone, swaps, patience), patience)
        for zone, records in removing.items():
            self._settle(zone, partial(self._lingering, zone, records, patience), patience)

    def check(self, zones: Sequence[str]) -> tuple[Access, ...]:
        """The token's rights, without using them (see cloudflare_rights)."""
        from dnsops.providers import cloudflare_rights as rights

        patience = Patience(self._sleep)
        try:
            known = self._all_zones(patience)
        except ForUser as error:
            return (Access("", Grade.LACKING, error.what, error.advice),)
        asked_for = dict.fromkeys(longest_suffix(canonical(zone), list(known)) or canonical(zone) for zone in zones)
        found = [rights.of_zone(self._calls, zone, known[zone].id if zone in known else "") for zone in asked_for]
        return (*rights.of_token(self._calls, asked_for, known, datetime.now(UTC)), *found)

    # what is still to do

    def _settle(self, zone: Zone, todo: Callable[[], Operations], patience: Patience) -> None:
        """Read, send what is left to do, and read again after every doubt, until nothing is left."""
        while pieces := _batches(todo()):
            try:
                for piece in pieces:
                    self._calls.batch(zone.id, piece)
                return
            except Refusal as error:
                _bear(error, "edit", zone.name, patience)

    def _missing(self, zone: Zone, records: list[Record], patience: Patience) -> Operations:
        """What to post; and where our own record has another TTL, what to patch."""
        there = self._present(zone, records, patience)
        posts = [_post(record) for record in records if _key(record) not in there]
        old = [(there[_key(record)], record.ttl) for record in records if _key(record) in there]
        patches: list[Json] = [
            {"id": one.id, "ttl": ttl} for one, ttl in old if one.held.mark is Mark.OURS and one.ttl != ttl
        ]
        return {"patches": patches, "posts": posts}

    def _swapping(self, zone: Zone, swaps: list[Swap], patience: Patience) -> Operations:
        """A batch is a transaction: each swap is done in it as a whole, or not at all."""
        records = [record for swap in swaps for record in (*swap.old, *swap.new)]
        there = self._present(zone, records, patience)
        todo = [swap for swap in swaps if open_swap(swap, [one.held.record for one in there.values()], _key)]
        operations: Operations = {"deletes": [], "patches": [], "posts": []}
        for swap in todo:
            for kind, some in _exchanged(swap, there).items():
                operations[kind] += some
        return operations

    def _lingering(self, zone: Zone, records: list[Record], patience: Patience) -> Operations:
        there = self._present(zone, records, patience)
        return {"deletes": [{"id": there[_key(record)].id} for record in records if _key(record) in there]}

    def _present(self, zone: Zone, records: list[Record], patience: Patience) -> dict[Key, Shown]:
        """What stands at these records' names and types now."""
        places = sorted({(record.name, record.type) for record in records})
        if len(places) > FEW_NAMES:
            found = self._listed(zone, {}, patience)
        else:
            found = [one for name, type_name in places for one in self._at(zone, name, type_name, False, patience)]
        at_places = [one for one in found if (one.held.record.name, one.held.record.type) in places]
        _check_proxied(at_places)
        return {_key(one.held.record): one for one in at_places}

    # zones

    def _by_zone(self, records: Iterable[Record], patience: Patience) -> dict[Zone, list[Record]]:
        grouped: dict[Zone, list[Record]] = {}
        for record in records:
            grouped.setdefault(self._zone(record.name, record.type, patience), []).append(record)
        return grouped

    def _groups(self, swaps: Iterable[Swap], patience: Patience) -> Iterator[tuple[Zone, list[Swap]]]:
        """Each zone's swaps, together as long as they fit into one batch."""
        grouped: dict[Zone, list[Swap]] = {}
        for swap in swaps:
            zone = self._zone(swap.old[0].name, swap.old[0].type, patience)
            group = grouped.setdefault(zone, [])
            if sum(len(one.old) + len(one.new) for one in (*group, swap)) > BATCH:
                yield zone, grouped.pop(zone)
                group = grouped.setdefault(zone, [])
            group.append(swap)
        yield from grouped.items()

    def _zone(self, name: str, type_name: str, patience: Patience) -> Zone:
        """The closest zone above a name. A DS record stands above the cut (RFC 4034 5)."""
        zones = self._all_zones(patience)
        inside = name.partition(".")[2] if type_name == "DS" else name
        found = longest_suffix(inside, list(zones))
        if found is None:
            some = ", ".join(sorted(zones)[:5]) or "none"
            advice = f"add its zone to the token's resources (now: {some})"
            raise ForUser(f"no zone of the Cloudflare token holds {name}", "", advice)
        return zones[found]

    def _all_zones(self, patience: Patience) -> dict[str, Zone]:
        with self._lock:
            if not self._zones:
                items = self._pages(lambda page: self._calls.zones(page), "", patience)
                # one name can stand in two accounts; the active zone is the one that is served
                items.sort(key=lambda item: item.get("status") == "active")
                self._zones = {zone.name: zone for zone in map(_zone, items)}
            return self._zones

    def _check_cuts(self, zone: Zone, records: list[Record], patience: Patience) -> None:
        """A name below a delegation is not served from here."""
        below = [record for record in records if record.name != zone.name and record.type not in AT_THE_CUT]
        if not below:
            return
        delegations = {one.held.record.name for one in self._listed(zone, {"type": "NS"}, patience)} - {zone.name}
        for record in below:
            cut = longest_suffix(record.name, list(delegations))
            if cut:
                advice = f"use the provider of {cut}, or add that zone to the token's resources"
                raise ForUser(f"{cut} is delegated to other name servers", record.name, advice)

    # reading

    def _at(self, zone: Zone, name: str, type_name: str, below: bool, patience: Patience) -> list[Shown]:
        """The records of a zone at a name; with `below`, those of the names under it too."""
        of_type = {"type": type_name.upper()} if type_name else {}
        if below and under(zone.name, name):
            return self._listed(zone, of_type, patience)
        found = self._listed(zone, {"name": {"exact": name}, **of_type}, patience)
        if below:
            found += self._listed(zone, {"name": {"endswith": f".{name}"}, **of_type}, patience)
        return found

    def _listed(self, zone: Zone, filters: Mapping[str, object], patience: Patience) -> list[Shown]:
        items = self._pages(lambda page: self._calls.records(zone.id, page, filters), zone.name, patience)
        try:
            return [shown(item) for item in items]
        except ValueError as error:
            raise Later(f"Cloudflare: a record of {zone.name} is not as the API describes it ({error})") from None

    def _pages(self, ask: Callable[[int], Json], zone: str, patience: Patience) -> list[Json]:
        """Every page of a list; from the beginning when it changed while we turned the pages."""
        while True:
            found, totals = self._turned(ask, zone, patience)
            if len(totals) == 1:
                return found
            patience.rest(f"Cloudflare: the records of {zone} change while they are read")

    def _turned(self, ask: Callable[[int], Json], zone: str, patience: Patience) -> tuple[list[Json], set[object]]:
        """All pages, and every total that they stated."""
        found: dict[str, Json] = {}
        totals: set[object] = set()
        for page in range(1, MOST_PAGES + 1):
            items, info = self._page(ask, page, zone, patience)
            found.update((str(item.get("id")), item) for item in items)
            totals.add(str(info.get("total_count")))
            if not items or len(items) < _size(info):
                return list(found.values()), totals
        raise ForUser(
            f"more than {MOST_PAGES} pages of records", zone or "Cloudflare", "this is not a mail domain's zone"
        )

    def _page(self, ask: Callable[[int], Json], page: int, zone: str, patience: Patience) -> tuple[list[Json], Json]:
        while True:
            try:
                return _items(ask(page))
            except Refusal as error:
                _bear(error, "read" if zone else "list", zone, patience)


RIGHTS = {
    "edit": ("the token can not edit zone {zone}", "give it Zone.DNS:Edit"),
    "read": ("the token can not read the records of zone {zone}", "give it Zone.DNS:Edit"),
    "list": ("the token can not list zones", "give it Zone.Zone:Read"),
}


def _bear(error: Refusal, doing: str, zone: str, patience: Patience) -> None:
    """Pause when that may help; else say what a person must do."""
    match error.verdict:
        case Verdict.DENIED:
            _deny(error, doing, zone)
        case Verdict.INVALID:
            raise ForUser(f"Cloudflare refused: {error.text}", zone, "change the record and try again")
    patience.rest(f"Cloudflare: {error.text}", error.wait)


def _deny(error: Refusal, doing: str, zone: str) -> NoReturn:
    if error.code in MALFORMED_TOKEN:
        advice = "make an API token (not the Global API Key) with Zone.Zone:Read and Zone.DNS:Edit"
        raise ForUser(f"Cloudflare does not know this token: {error.text}", zone, advice)
    what, advice = RIGHTS[doing]
    raise ForUser(f"{what.format(zone=zone)}: {error.text}", "", advice)


def _check(record: Record) -> None:
    flaw = ttl_flaw(record)
    if flaw:
        raise ForUser(flaw, record.name, "write a TTL from 60 to 86400, such as 3600")
    to_api(record)


def _check_proxied(there: Iterable[Shown]) -> None:
    """What is proxied is Cloudflare's own answer; changing it would move somebody's traffic."""
    for one in there:
        if one.proxied:
            record = one.held.record
            advice = "switch it to DNS only in the dashboard: mail does not pass the proxy"
            raise ForUser(f"the {record.type} record is proxied by Cloudflare", record.name, advice)


def _post(record: Record) -> Json:
    fields = to_api(record) | {"comment": comment_for(record)}
    return fields | {"proxied": False} if record.type in PROXIABLE else fields


def _exchanged(swap: Swap, there: Mapping[Key, Shown]) -> Operations:
    """A record that takes another's place keeps its identifier and its comment, whoever's; the rest goes or comes."""
    old, new = {_key(record) for record in swap.old}, {_key(record) for record in swap.new}
    leaving = [record for record in swap.old if _key(record) not in new]
    coming = [record for record in swap.new if _key(record) not in there]
    staying = [(there[_key(record)], record.ttl) for record in swap.new if _key(record) in old]
    patches: list[Json] = [{"id": one.id, "ttl": ttl} for one, ttl in staying if one.held.record.ttl != ttl]
    for record in list(coming):
        place = next((one for one in leaving if one.type == record.type), None)
        if place:
            patches.append({"id": there[_key(place)].id, **to_api(record)})
            leaving.remove(place)
            coming.remove(record)
    deletes: list[Json] = [{"id": there[_key(record)].id} for record in leaving]
    return {"deletes": deletes, "patches": patches, "posts": [_post(record) for record in coming]}


def _key(record: Record) -> Key:
    """When Cloudflare holds two records for identical. It cuts TXT into strings as it likes: only their sum counts."""
    data = b"".join(strings(record.data)) if record.type == "TXT" else record.data
    return record.name, record.type, data


def _batches(operations: Operations) -> list[Operations]:
    """The operations in calls of at most BATCH."""
    flat = [(kind, operation) for kind, some in operations.items() for operation in some]
    pieces = []
    for start in range(0, len(flat), BATCH):
        piece: Operations = {}
        for kind, operation in flat[start : start + BATCH]:
            piece.setdefault(kind, []).append(operation)
        pieces.append(piece)
    return pieces


def _zone(item: Json) -> Zone:
    return Zone(str(item.get("name")).lower(), str(item.get("id")))


def _items(body: Json) -> tuple[list[Json], Json]:
    items, info = body.get("result"), body.get("result_info")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise unsure("Cloudflare's answer is no list")
    return items, info if isinstance(info, dict) else {}


def _size(info: Json) -> int:
    """How many items a full page has; unknown means that only an empty page is the last."""
    size = info.get("per_page")
    return int(size) if isinstance(size, int | float) else 0
