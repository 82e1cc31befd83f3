"""What was seen lately of mail hosts, so that a run over many domains looks at each once; and turns, one at an address.

    seen = await known.host("mx.example.org", look)       # look() now, or what it gave within KEPT seconds
    async with known.turn("192.0.2.1"): ...

Limits: MOST hosts, the oldest go first; ALL_AT_ONCE turns under way. Fails by: as `look` does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from weakref import WeakValueDictionary

from checks.facts import Lookup, MailHost, Question

KEPT = 200.0  # seconds, as the site does
MOST = 300
ALL_AT_ONCE = 24


@dataclass(frozen=True, slots=True)
class Seen:
    """A host, and what was asked about it."""

    host: MailHost
    pages: Mapping[Question, Lookup]


class Known:
    """Hosts seen lately. `clock`: seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._hosts: dict[str, tuple[float, asyncio.Task[Seen]]] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._room = asyncio.Semaphore(ALL_AT_ONCE)

    async def host(self, name: str, look: Callable[[], Awaitable[Seen]]) -> Seen:
        """Who gives up waiting takes nobody else's answer along."""
        until, task = self._hosts.get(name, (0.0, None))
        if task is None or self._clock() > until or (task.done() and (task.cancelled() or task.exception())):
            task = asyncio.ensure_future(look())
            self._hosts.pop(name, None)
            self._hosts[name] = self._clock() + KEPT, task
            while len(self._hosts) > MOST:
                self._hosts.pop(next(iter(self._hosts)))
        return await asyncio.shield(task)

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Nobody else has a connection to this address meanwhile."""
        lock = self._turns.setdefault(address, asyncio.Lock())
        async with lock, self._room:
            yield
