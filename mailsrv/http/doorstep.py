"""The web's listening sockets: who may come in, by which certificate, and for how long. uvicorn's HTTP/1.1 speaks behind it.

    entrance = Entrance(application, gate, keys, pair, log)
    entrance.open(sock, tls=True); ...; await entrance.close(grace)

The certificate is that of the moment of each handshake. A client that offers `acme-tls/1` is an authority that validates a
name: it gets the certificate made for that, and the connection ends (RFC 8737 3). It is known before TLS begins: the
ClientHello is looked at where it lies in the kernel, and left there.
Standards: RFC 8446, RFC 7301 (ALPN: http/1.1), RFC 8737, RFC 9112.
Limits: HEAD bytes of a head, HELLO seconds for a ClientHello, HANDSHAKE for a handshake, FIRST until a whole request head is
there, LIFE for a connection, REQUESTS on it; how many there may be is the gate's. Fails by: closing; handshakes that fail are told.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from dnsops.base.log import Log
from mailsrv.http.speaking import speaking
from mailsrv.http.validation import OFFERED, client_hello, validating
from mailsrv.smtp.limits import Gate

BACKLOG = 512
HEAD = 16 << 10  # octets
HELLO, HANDSHAKE, SHUTDOWN, FIRST, LIFE, KEPT_ALIVE = 10.0, 10.0, 3.0, 10.0, 40.0, 10  # seconds
REQUESTS = 32
_TICK = 0.05  # seconds before we accept again after a failure


@dataclass
class Entrance:
    """keys: the context of this moment.  pair: the file with key and certificate that validates a name, None without one."""

    application: Any
    gate: Gate
    keys: Callable[[], ssl.SSLContext]
    pair: Callable[[str], Path | None]
    log: Log
    state: ServerState = field(default_factory=ServerState)
    _accepting: list[asyncio.Task[None]] = field(default_factory=list)
    _arriving: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._config = speaking(self.application, HEAD, KEPT_ALIVE)
        self._config.load()

    def open(self, sock: socket, tls: bool) -> None:
        """Listen on a bound socket. Fails by: OSError."""
        sock.setblocking(False)
        sock.listen(BACKLOG)
        self._accepting.append(asyncio.get_running_loop().create_task(self._accept(sock, tls)))

    async def close(self, grace: float) -> None:
        """Nobody new; answers that are being written may be read."""
        for task in (*self._accepting, *self._arriving):
            task.cancel()
        for guest in list(self.state.connections):
            guest.shutdown()
        end = time.monotonic() + grace
        while self.state.connections and time.monotonic() < end:
            await asyncio.sleep(0.02)
        for guest in list(self.state.connections):
            guest.transport.abort()

    @property
    def inside(self) -> int:
        return len(self.state.connections)

    async def _accept(self, sock: socket, tls: bool) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                peer, name = await loop.sock_accept(sock)
            except OSError:  # out of file handles, or a peer that left the queue
                await asyncio.sleep(_TICK)
                continue
            address = str(name[0]) if isinstance(name, tuple) else ""
            if self.gate.enter(address, time.monotonic()) is not None:
                peer.close()
                continue
            stay = _Stay(lambda address=address: self.gate.leave(address))  # type: ignore[misc]
            task = loop.create_task(self._arrive(peer, address, tls, stay))
            self._arriving.add(task)
            task.add_done_callback(self._arriving.discard)

    async def _arrive(self, peer: socket, address: str, tls: bool, stay: _Stay) -> None:
        peer.setblocking(False)
        try:
            context, session = await self._meant(peer, stay) if tls else (None, _Guest(self._config, self.state, stay))
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: session,
                peer,
                ssl=context,
                ssl_handshake_timeout=HANDSHAKE if tls else None,
                ssl_shutdown_timeout=SHUTDOWN if tls else None,
            )
        except OSError as error:  # ssl.SSLError, TimeoutError and ConnectionError are such
            self.log("web.handshake", peer=address, why=getattr(error, "reason", "") or type(error).__name__)
            self._turn_away(peer, stay)
        except asyncio.CancelledError:
            self._turn_away(peer, stay)
            raise

    async def _meant(self, peer: socket, stay: _Stay) -> tuple[ssl.SSLContext, asyncio.Protocol]:
        """Which certificate a client is to see, and what comes after the handshake."""
        async with asyncio.timeout(HELLO):
            hello = await client_hello(peer)
        if OFFERED in hello:
            return validating(self.pair), _Validated(stay)
        return self.keys(), _Guest(self._config, self.state, stay)

    def _turn_away(self, peer: socket, stay: _Stay) -> None:
        peer.close()
        stay.over()


@dataclass
class _Stay:
    """Of one peer; it leaves the gate once, however it goes."""

    leave: Callable[[], None]
    here: bool = True

    def over(self) -> None:
        if self.here:
            self.here = False
            self.leave()


class _Validated(asyncio.Protocol):
    """RFC 8737 3: the handshake was all."""

    def __init__(self, stay: _Stay) -> None:
        self._stay = stay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._stay.over()


class _Guest(H11Protocol):
    """uvicorn's HTTP/1.1, with an end to everything."""

    def __init__(self, config: uvicorn.Config, state: ServerState, stay: _Stay) -> None:
        super().__init__(config, state, {})
        self._stay = stay
        self._requests = 0

    @property
    def _began(self) -> bool:
        return getattr(self, "cycle", None) is not None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._ends = [self.loop.call_later(FIRST, self._silent), self.loop.call_later(LIFE, self.transport.abort)]

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        for end in self._ends:
            end.cancel()
        self._stay.over()

    def on_response_complete(self) -> None:
        self._requests += 1
        if self._requests >= REQUESTS and not self.transport.is_closing():
            self.transport.close()
        super().on_response_complete()

    def _silent(self) -> None:
        """No request at all; what comes too late is cut off by the other end."""
        if not self._began:
            self.transport.abort()
