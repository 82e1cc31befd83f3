"""What the configuration wishes in DNS for a domain of ours, held against what DNS says: the story of `mailsrv dns verify`, everywhere.

Only for domains that the configuration names. What our own disk cannot tell (a damaged key) is said, and nothing else stops.
Fails by: `Unknown`, a sentence why it is not known. Limits: those of `dnsops.reconcile.zone_public`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from checks.probe.answers import Answers
from checks.probe.asking import PATIENCE, Asker
from checks.probe.book import Book
from dnsops.base.errors import Deliberate

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from dnsops.reconcile.zone_checks import Public

Wanted = Callable[[str], Awaitable["Public | None"]]


class Unknown(Exception):
    """What we wish cannot be known; the text says why."""


def wanted(dns: Asker, settings: Settings | None) -> Wanted | None:
    """Who tells it of a domain: None of one that is not ours."""
    return None if settings is None else partial(_of, dns, settings)


async def _of(dns: Asker, settings: Settings, domain: str) -> Public | None:
    if domain not in settings.domains:
        return None
    try:
        return await _looked(dns, settings, domain)
    except Deliberate as trouble:
        raise Unknown(str(trouble)) from None


async def _looked(dns: Asker, settings: Settings, domain: str) -> Public:
    from dnsops.base.log import Log
    from dnsops.base.places import state_directory
    from dnsops.reconcile.ledgers import Ledgers
    from dnsops.reconcile.wanted import gather, standing_tlsa
    from dnsops.reconcile.zone_public import look
    from dnsops.reconcile.zone_world import Eyes
    from dnsops.resolve.authority import Authorities
    from dnsops.wanted.merge import merge_of
    from dnsops.wanted.rendering import of_domain
    from dnsops.wanted.union import wanted as union

    state = state_directory(settings.state.directory)
    house = await asyncio.to_thread(gather, settings, state)
    known = await asyncio.to_thread(standing_tlsa, settings, Ledgers(state / "tlsa", Log(quiet=True)))
    found = of_domain(union(house), domain, house)
    async with Book(dns) as book:
        asking = Answers(book, accurate=True)
        async with Authorities(asking, PATIENCE) as authorities:
            return await look(found, Eyes(asking, authorities), merge_of(house), known)
