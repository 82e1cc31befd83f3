"""Port 993: TLS before anything else, with the certificate of that moment (RFC 8314 3.2).

The handshake is done before there is a session. Starting TLS beneath a session that exists already would lose a ClientHello
that comes at once: uvloop reads as soon as there is a protocol, paused or not.
Limits: 20 s a handshake, 1000 at a time, 50 of one address. Fails by: closing; a peer that is no TLS client hears nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from socket import socket
from ssl import SSLContext
from typing import Generic, Protocol, TypeVar

HANDSHAKE = 20.0  # seconds
MOST = 1000
MOST_OF_ONE = 50
BACKLOG = 1024
_TICK = 0.05  # seconds before we accept again after a failure


class Keys(Protocol):
    """What a handshake needs."""

    @property
    def context(self) -> SSLContext: ...


K = TypeVar("K", bound=Keys)


@dataclass
class Doorway(Generic[K]):
    """One listening socket. `keys`: asked at each handshake; `session`: makes the protocol that the handshake ends in."""

    sock: socket
    keys: Callable[[], K | None]
    session: Callable[[K], asyncio.Protocol]
    network: Callable[[str], str]
    told: Callable[..., None]
    handshakes: set[asyncio.Task[None]] = field(default_factory=set)
    by_network: Counter[str] = field(default_factory=Counter)
    _task: asyncio.Task[None] | None = None

    def open(self) -> None:
        self.sock.setblocking(False)
        self.sock.listen(BACKLOG)
        self._task = asyncio.get_running_loop().create_task(self._accept())

    def close(self) -> None:
        """Sessions go on; handshakes do not."""
        for task in (*self.handshakes, *([self._task] if self._task else ())):
            task.cancel()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        with self.sock:
            while True:
                try:
                    peer, name = await loop.sock_accept(self.sock)
                except OSError:  # out of file handles, or a peer that left the queue
                    await asyncio.sleep(_TICK)
                    continue
                self._begin(peer, str(name[0]) if isinstance(name, tuple) else "")

    def _begin(self, peer: socket, address: str) -> None:
        keys, network = self.keys(), self.network(address)
        if keys is None or len(self.handshakes) >= MOST or self.by_network[network] >= MOST_OF_ONE:
            peer.close()
            return
        self.by_network[network] += 1
        task = asyncio.get_running_loop().create_task(self._handshake(peer, keys, address))
        self.handshakes.add(task)
        task.add_done_callback(lambda done: self._done(done, network))

    def _done(self, task: asyncio.Task[None], network: str) -> None:
        self.handshakes.discard(task)
        self.by_network[network] -= 1
        if self.by_network[network] <= 0:
            del self.by_network[network]

    async def _handshake(self, peer: socket, keys: K, address: str) -> None:
        peer.setblocking(False)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self.session(keys), peer, ssl=keys.context, ssl_handshake_timeout=HANDSHAKE
            )
        except OSError as error:  # ssl.SSLError, TimeoutError and ConnectionError are such
            self.told("imap.handshake", peer=address, why=getattr(error, "reason", "") or type(error).__name__)
            peer.close()
        except asyncio.CancelledError:
            peer.close()
            raise
