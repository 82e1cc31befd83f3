"""How the server is at this moment, measured for the management listener.

Limits: 3 s for the store; the queue is read at most every 10 s. Fails by: a fact that is None.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.base.errors import Deliberate
from mailsrv.http.health import Facts
from mailsrv.store.door import Queued

if TYPE_CHECKING:
    from mailsrv.server import Server
    from mailsrv.serving.certificate import Certificate

PATIENCE = 3.0
FRESH = 10.0
TICK = 0.5  # seconds between two looks at how late the loop is


@dataclass
class Looking:
    """`watch` runs beside the server and notes how late the event loop is."""

    server: Server
    certificate: Certificate
    state: Path
    draining: bool = False
    _lag: float = 0.0
    _queue: tuple[float, tuple[Queued, ...] | None] = field(default=(0.0, ()))

    async def watch(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(TICK)
            self._lag = max(self._lag, time.monotonic() - before - TICK)

    async def __call__(self) -> Facts:
        seconds, waiting = await self._store(), await self._waiting()
        lag, self._lag = self._lag, 0.0
        served = self.certificate.served
        return Facts(
            now=datetime.now(UTC),
            draining=self.draining,
            store_seconds=seconds,
            waiting=None if waiting is None else len(waiting),
            oldest=min((one.received for one in waiting or ()), default=None),
            free=self._free(),
            not_after=served.not_after,
            signed=served.signed,
            sessions=self.server.sessions,
            lag=lag,
        )

    async def _store(self) -> float | None:
        """Through the writer and back, without a change."""
        before = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                await self.server.store.settle([], [])
        except (Deliberate, TimeoutError):
            return None
        return time.monotonic() - before

    async def _waiting(self) -> tuple[Queued, ...] | None:
        at, known = self._queue
        if known is None or time.monotonic() - at > FRESH or not at:
            known = None
            with suppress(Deliberate, TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    known = await self.server.store.queue()
            self._queue = time.monotonic(), known
        return known

    def _free(self) -> int | None:
        try:
            return shutil.disk_usage(self.state).free
        except OSError:
            return None
