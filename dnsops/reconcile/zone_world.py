"""What the story of a zone's records needs from outside, as one value, and the real world for one run. Touches all of it.

Eyes are opened anew for each look, so that none sees an answer that was kept from before a change.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dnsops.base import clock
from dnsops.base.log import Log
from dnsops.base.moment import Moment
from dnsops.plan import purpose
from dnsops.plan.purpose import Merge
from dnsops.plan.safety import Limits
from dnsops.providers.door import Provider
from dnsops.reconcile.looking import Authorities
from dnsops.reconcile.zone_files import Ledgers, WaysBack
from dnsops.resolve import authority
from dnsops.resolve.answer import Resolver
from dnsops.resolve.choice import resolver
from dnsops.resolve.settings import Settings

PATIENCE = 60.0


@dataclass(frozen=True)
class Eyes:
    """The validating resolver, and every authoritative server itself."""

    resolver: Resolver
    authorities: Authorities


@dataclass(frozen=True)
class World:
    """merge: how a stranger's SPF record and ours become one.  patience: seconds until a written record must be seen.

    ours: all zones that the credential is for; empty when they are those of the run.
    """

    provider: Provider
    ledgers: Ledgers
    ways_back: WaysBack
    eyes: Callable[[], AbstractAsyncContextManager[Eyes]]
    now: Callable[[], Moment]
    log: Log
    limits: Limits
    merge: Merge = purpose.joined
    patience: float = PATIENCE
    ours: frozenset[str] = frozenset()
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    at_once: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))


def outside(
    provider: Provider,
    state: Path,
    log: Log,
    settings: Settings | None = None,
    limits: Limits = Limits(),
    merge: Merge = purpose.joined,
    patience: float = PATIENCE,
) -> World:
    """The real one. settings: the resolver's."""
    directory = state / "dns"
    return World(
        provider,
        Ledgers(directory),
        WaysBack(directory),
        lambda: opened(settings),
        clock.now,
        log,
        limits,
        merge,
        patience,
    )


@asynccontextmanager
async def opened(settings: Settings | None = None) -> AsyncIterator[Eyes]:
    """A resolver that remembers nothing yet."""
    async with resolver(settings) as asking, authority.Authorities(asking) as authorities:
        yield Eyes(asking, authorities)
