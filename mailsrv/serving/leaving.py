"""The queue of a configuration, put together: routes, resolver, connections, and the way home for notices.

    async with leaving(settings, store, book, log, resolver, going): ...        sends until the context ends, then drains

Tells: who meets whom. Fails by: `Misconfigured` for a next hop that cannot be read.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.base import clock
from dnsops.base.log import Log
from dnsops.base.secrets import Secret
from dnsops.records import names
from dnsops.resolve.answer import Resolver
from mailsrv.send import nexthop
from mailsrv.send.carrier import Carrier
from mailsrv.send.connections import Connections
from mailsrv.send.homeward import Directory, Homeward
from mailsrv.send.nexthop import Login
from mailsrv.send.route import Ours, Router
from mailsrv.send.story import Outbound
from mailsrv.serving.policing import policing
from mailsrv.serving.trusting import Trust
from mailsrv.store.door import Store

if TYPE_CHECKING:
    from dnsops.base.settings import Settings

GRACE = 20.0  # seconds that attempts under way may take at the end


@dataclass(frozen=True)
class Going:
    """What mail that leaves is given. addresses: this host's own.  state: where MTA-STS policies are kept, None: in memory."""

    addresses: frozenset[str] = frozenset()
    login: Login | None = None
    state: Path | None = None
    trust: Trust = field(default_factory=Trust)


@asynccontextmanager
async def leaving(
    settings: Settings, store: Store, directory: Directory, log: Log, resolver: Resolver, going: Going
) -> AsyncIterator[Outbound]:
    """Mail leaves while the context is open."""
    async with policing(settings, resolver, going.state, going.trust.notes) as (policies, notes):
        way = router(settings, going.addresses, going.login)
        carrier = Carrier(way, resolver, Connections(settings.hostname, sources=settings.queue.bind), policies, notes)
        outgoing = going.trust.outgoing
        inside = Homeward(settings.hostname, directory, store, _token, outgoing.signed, outgoing.paths.back)
        outbound = Outbound(store, carrier, inside, log, lambda: clock.now().wall)
        running = asyncio.create_task(outbound.run())
        running.add_done_callback(_told(log))
        try:
            yield outbound
        finally:
            await outbound.stop(GRACE)
            await asyncio.gather(running, return_exceptions=True)


def relay_login(settings: Settings) -> Login | None:
    """What the next hop knows us by. Reads the password's file, which perhaps only root may."""
    queue = settings.queue
    return Login(queue.user, Secret(queue.password.reveal())) if queue.user and queue.password else None


def router(settings: Settings, addresses: frozenset[str], login: Login | None = None) -> Router:
    """Whose mail goes where."""
    domains = frozenset(names.canonical(domain) for domain in settings.domains)
    ours = Ours(frozenset({names.canonical(settings.hostname)}), addresses, domains)
    return Router(ours, nexthop.parse(settings.queue.next_hop, login), shuffle=random.shuffle)


def _token() -> str:
    return secrets.token_hex(12)


def _told(log: Log) -> Callable[[asyncio.Task[None]], None]:
    """A queue that stopped by itself is a fault of ours, and must not be silent."""

    def tell(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()):
            log("send.stopped", kind=type(fault).__name__, text=str(fault)[:200])

    return tell
