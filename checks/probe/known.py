"""What was seen lately of mail hosts, so that a run over many domains looks at each once; and turns, one at an address.

    seen = await known.host("mx.example.org", look)       # look() now, or what it gave within KEPT seconds
    async with known.turn("192.0.2.1"): ...

Limits: MOST hosts, the oldest go first; ALL_AT_ONCE turns under way. Fails by: as `look` does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any
from weakref import WeakValueDictionary

from checks.facts import Lookup, MailHost, Question
from checks.probe.lately import Lately

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
        self._hosts = Lately[Seen](KEPT, MOST, clock)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._room = asyncio.Semaphore(ALL_AT_ONCE)

    async def host(self, name: str, look: Callable[[], Coroutine[Any, Any, Seen]]) -> Seen:
        """Who gives up waiting takes nobody else's answer along."""
        return await self._hosts.get(name, look)

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Nobody else has a connection to this address meanwhile."""
        lock = self._turns.setdefault(address, asyncio.Lock())
        async with lock, self._room:
            yield
