"""What the story of DKIM needs from outside, as one value, and the real world opened for one run. Touches all of it.

async with outside(state, log) as world:
    outcomes = await reconcile(targets, world)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dnsops.base import clock
from dnsops.base.keeping import keep, recall
from dnsops.base.log import Log
from dnsops.base.moment import Moment
from dnsops.dkim.keys import Keys
from dnsops.reconcile.looking import Authorities
from dnsops.records import names
from dnsops.resolve import authority
from dnsops.resolve.answer import Resolver
from dnsops.resolve.choice import resolver
from dnsops.resolve.settings import Settings
from dnsops.rollover import dkim_ledger as form
from dnsops.rollover.dkim_ledger import Ledger


class Ledgers:
    """The ledgers on disk, beside each domain's ring. A damaged one is said, and every wait begins again."""

    def __init__(self, directory: Path, log: Log) -> None:
        self._directory, self._log = directory, log

    def load(self, domain: str) -> Ledger:
        path = self._path(domain)
        try:
            found = recall(path, form.read) or Ledger(domain)
            if found.domain == domain:
                return found
            why = f"it is the ledger of {found.domain}"
        except ValueError as error:
            why = str(error)
        self._log("dkim.ledger.damaged", file=str(path), why=why, now="every wait begins again")
        return Ledger(domain)

    def save(self, ledger: Ledger) -> None:
        advice = "nothing is changed in DNS without it; free the disk, or name another place with --state"
        keep(self._directory.parent, self._path(ledger.domain), form.write(ledger), advice)

    def _path(self, domain: str) -> Path:
        return self._directory / names.host(domain) / "ledger.json"


@dataclass(frozen=True)
class World:
    """resolver and authorities: who is asked.  keys, ledgers: our own memory.  writes: how many zones are written at once."""

    resolver: Resolver
    authorities: Authorities
    keys: Keys
    ledgers: Ledgers
    now: Callable[[], Moment]
    log: Log
    at_once: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(64))
    writes: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))


@asynccontextmanager
async def outside(state: Path, log: Log, settings: Settings | None = None) -> AsyncIterator[World]:
    """Everything opened for one run and closed after it: a run never sees the answers that another one cached."""
    directory = state / "dkim"
    async with resolver(settings) as asking, authority.Authorities(asking) as authorities:
        yield World(asking, authorities, Keys(directory), Ledgers(directory, log), clock.now, log)
