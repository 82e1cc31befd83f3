"""Challenges answered in the DNS: TXT records at _acme-challenge, written through a provider, shown by everybody, taken away.

    solver = Dns01(provider, state, log)
    solver.show(challenges)      # all values at once; returns when every server and the validating resolver show them
    solver.remove(challenges)

A name and its wildcard have two values at one name, both at the same time. Where _acme-challenge is an alias, the record stands
where it leads. Whose a record is only the journal knows, never its place: strangers' values beside ours are left alone.
A write whose answer was never heard may still be under way when its record is removed: the journal keeps it for SETTLED more.
One process at a time has challenges out: who comes meanwhile is told `Later`, so that no sweep takes what another one shows.
Standards: RFC 8555 8.4. Fails by: `ForUser` and `Later` of the provider, `Later` when not everybody sees it in time. It blocks, and
must not be called from an event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dnsops.acme import seeing
from dnsops.acme.door import Challenge
from dnsops.acme.journal import Journal, Out
from dnsops.base.errors import ForUser
from dnsops.base.keeping import alone
from dnsops.base.log import Log
from dnsops.providers.door import Change, Provider
from dnsops.records.names import canonical
from dnsops.records.rdata import Record, txt
from dnsops.resolve.authority import Authorities
from dnsops.resolve.choice import resolver
from dnsops.resolve.settings import Settings

LABEL = "_acme-challenge"
TTL = 60  # seconds: the least that Cloudflare takes
SETTLED = 120.0  # seconds after which no request that we sent can still be on its way
FORGOTTEN = 30 * 86400.0  # seconds after which a record that nobody lets us remove is somebody else's care


def outside(settings: Settings | None = None) -> seeing.Open:
    """The real world: a resolver that knows nothing yet, and the authoritative servers."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[seeing.Eyes]:
        async with resolver(settings) as asking, Authorities(asking) as authorities:
            yield seeing.Eyes(asking, authorities)

    return opened


@dataclass
class Dns01:
    """The solver for dns-01. `world` opens what it sees with; `now` gives seconds since 1970."""

    provider: Provider
    state: Path
    log: Log
    world: seeing.Open = field(default_factory=outside)
    now: Callable[[], float] = time.time
    sleep: seeing.Sleep = asyncio.sleep
    kind: Literal["dns-01"] = "dns-01"

    def __post_init__(self) -> None:
        self._journal, self._held = Journal(self.state, self.log), ExitStack()
        self._acknowledged: set[Out] = set()

    def show(self, challenges: Sequence[Challenge]) -> None:
        self._take()
        owners = {challenge: canonical(f"{LABEL}.{challenge.name}") for challenge in challenges}
        places = asyncio.run(seeing.places_of(owners.values(), self.world))
        now = self.now()
        entries = [Out(places[owner], challenge.text, now) for challenge, owner in owners.items()]
        self._journal.add(entries)
        self._add(entries)
        self._acknowledged.update(entries)
        began = time.monotonic()
        wanted: dict[str, set[str]] = {}
        for one in entries:
            wanted.setdefault(one.place, set()).add(one.text)
        stale = asyncio.run(
            seeing.seen({place: frozenset(texts) for place, texts in wanted.items()}, self.world, self.sleep)
        )
        self.log("acme.shown", records=len(entries), waited=f"{time.monotonic() - began:.1f}s", stale=stale)

    def _add(self, entries: Sequence[Out]) -> None:
        try:
            self.provider.write(Change(add=_records(entries)))
        except ForUser as error:
            self._take_back(entries)
            led = [one.place for one in entries if not one.place.startswith(f"{LABEL}.")]
            alias = f" ({LABEL} leads to {led[0]} by a CNAME)" if led else ""
            raise ForUser(f"{error.what}{alias}", error.where, error.advice) from None

    def _take_back(self, entries: Sequence[Out]) -> None:
        """After a refusal some may stand there. Where not even a removal is taken, nothing was added."""
        for place in dict.fromkeys(one.place for one in entries):
            with suppress(ForUser):
                self._take_away([one for one in entries if one.place == place])
        self._journal.strike(entries)

    def remove(self, challenges: Sequence[Challenge]) -> None:
        """What the journal has of these."""
        texts = {challenge.text for challenge in challenges}
        try:
            self._take_away([one for one in self._journal.load() if one.text in texts])
        finally:
            self._held.close()

    def sweep(self) -> None:
        with alone(self.state, self._journal.lock):
            entries = self._journal.load()
            if entries:
                self._swept(entries)

    def _swept(self, entries: Sequence[Out]) -> None:
        """All at once; when a person must act on one of them, one by one, so that it stops nobody else."""
        try:
            self._take_away(entries)
            self.log("acme.swept", records=len(entries))
        except ForUser as error:
            self.log("acme.sweep.refused", why=str(error))
            for place in dict.fromkeys(one.place for one in entries):
                self._swept_place([one for one in entries if one.place == place])

    def _swept_place(self, entries: Sequence[Out]) -> None:
        try:
            self._take_away(entries)
        except ForUser as error:
            self.log("acme.challenges.left", place=entries[0].place, why=str(error))
            self._journal.strike(one for one in entries if one.since < self.now() - FORGOTTEN)

    def _take_away(self, entries: Sequence[Out]) -> None:
        if entries:
            self.provider.write(Change(remove=_records(entries)))
            self._journal.strike(one for one in entries if self._gone(one))
            self._acknowledged.difference_update(entries)

    def _gone(self, one: Out) -> bool:
        """Whether it cannot come back after its removal."""
        return one in self._acknowledged or one.since < self.now() - SETTLED

    def _take(self) -> None:
        """Nobody else has challenges out while we have."""
        self._held.close()
        self._held.enter_context(alone(self.state, self._journal.lock))


def _records(entries: Iterable[Out]) -> tuple[Record, ...]:
    return tuple(Record(one.place, "TXT", TTL, txt(one.text)) for one in entries)
