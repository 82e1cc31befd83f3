"""The TLS policies of a configuration, put together: DANE by the resolver, MTA-STS with its cache, and who notes outcomes.

    async with policing(settings, resolver, state, outcomes) as (policies, notes): ...

Tells: who meets whom. Fails by: nothing of its own.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.base import clock
from dnsops.resolve.answer import Resolver
from mailsrv.transport.caching import Cache
from mailsrv.transport.deciding import Rule
from mailsrv.transport.fetching import Allows, Fetcher, Ip, public
from mailsrv.transport.mtasts import StsPolicies
from mailsrv.transport.noting import Notes
from mailsrv.transport.outcome import Outcomes, Unheard
from mailsrv.transport.policies import Policed

if TYPE_CHECKING:
    from dnsops.base.settings import Settings

PLACE = "mta-sts"  # of the state directory


@asynccontextmanager
async def policing(
    settings: Settings, resolver: Resolver, state: Path | None, outcomes: Outcomes | None = None
) -> AsyncIterator[tuple[Policed, Notes]]:
    """Policies are kept fresh while the context is open. state: None keeps MTA-STS policies in memory only."""
    wanted = settings.transport
    notes = Notes(_now, outcomes or Unheard(), settings.hostname)
    sts = None
    if wanted.mta_sts:
        cache = Cache(state / PLACE if state else None)
        sts = StsPolicies(resolver, Fetcher(resolver, allowed(wanted.fetch_from)), cache, _now)
    rules = {domain: Rule(word) for domain, word in wanted.domains.items()}
    fresh = asyncio.create_task(sts.keep_fresh()) if sts else None
    try:
        yield Policed(resolver, sts, notes, wanted.dane, rules), notes
    finally:
        if sts is not None and fresh is not None:
            fresh.cancel()
            await asyncio.gather(fresh, return_exceptions=True)
            await sts.close()


def allowed(networks: tuple[str, ...]) -> Allows:
    """The public Internet, and these."""
    known = [ipaddress.ip_network(network) for network in networks]

    def allows(ip: Ip) -> bool:
        return public(ip) or any(ip in network for network in known)

    return allows


def _now() -> datetime:
    return clock.now().wall
