"""The bytes of one connection, and nothing of what they mean (asyncio.Protocol): framed, deflated, encrypted, held back.

What leaves is gathered into large pieces; when the client does not read, `drained` waits, and with it the command. What arrives is
held back when too much waits. A connection that was closed with bytes on their way is cut off after a while.
Fails by: `Left`, raised where someone waits for a client that is gone.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from typing import cast

from mailsrv.imap.deflate import Deflate
from mailsrv.imap.grammar.frame import Framer
from mailsrv.imap.limits import Limits

PIECE = 1 << 16  # octets that are gathered before they leave
WAITING = 1 << 18  # octets of further commands that may wait while one runs
ROOM = 1 << 19  # octets that the kernel has not yet taken, before we wait
HANDSHAKE = 30.0
LAST_WORDS = 15.0  # seconds to take what we said before we closed


class Left(Exception):
    """The client is gone."""


class Pipe(asyncio.Protocol):
    """Bytes in, bytes out."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._framer = Framer(limits)
        self._transport: asyncio.Transport | None = None
        self._deflate: Deflate | None = None
        self._out: list[bytes] = []
        self._out_size = 0
        self._arrival: asyncio.Future[None] | None = None
        self._resumed: asyncio.Future[None] | None = None
        self._reading, self._busy, self._closing = True, False, False
        self._something = False  # came or happened since somebody looked
        self._heard = 0.0

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # of TCP: reads and writes
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        if self._deflate is not None:
            self._deflate.feed(data)
        else:
            self._framer.feed(data)
        waiting = self._framer.waiting if self._deflate is None else self._deflate.waiting
        if waiting > WAITING and (self._busy or self._deflate is not None):
            self._pause()
        self._notify()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        if self._resumed is None:
            self._resumed = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._resumed is not None and not self._resumed.done():
            self._resumed.set_result(None)
        self._resumed = None
        self._notify()

    # for those who speak

    def send(self, data: bytes) -> None:
        self._out.append(data)
        self._out_size += len(data)
        if self._out_size >= PIECE:
            self._flush()

    async def drained(self) -> None:
        self._flush()
        if self._closing:
            raise Left
        if self._resumed is None:
            await asyncio.sleep(0)
            return
        try:
            await asyncio.wait_for(asyncio.shield(self._resumed), self._limits.stall_time)
        except TimeoutError:
            self._abort()
            raise Left from None
        if self._closing:
            raise Left

    async def _arrived(self) -> None:
        """Wait for bytes, or for whatever `_notify` is called for; what came since the last time counts."""
        if not self._something:
            self._arrival = self._loop.create_future()
            await self._arrival
            self._arrival = None
        self._something = False
        if self._closing:
            raise Left

    def _notify(self) -> None:
        self._something = True
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    # what lies below

    def _begin_deflate(self) -> None:
        self._deflate = Deflate()
        rest = self._framer.rest()
        if rest:
            self._deflate.feed(rest)

    async def _encrypt(self, context: ssl.SSLContext) -> None:
        """From here everything is TLS, in both directions."""
        if self._transport is None:
            raise Left
        try:
            secure = await self._loop.start_tls(
                self._transport, self, context, server_side=True, ssl_handshake_timeout=HANDSHAKE
            )
        except OSError:  # ssl.SSLError, TimeoutError and ConnectionError are such
            raise Left from None
        if secure is None or self._closing:
            raise Left
        self._transport = secure
        self._reading = True
        secure.set_write_buffer_limits(high=ROOM)
        self._heard = self._loop.time()

    def _inflate(self) -> bool:
        """The next piece of what came compressed; a bounded one, and only when the framer wants more."""
        if self._deflate is None or not self._deflate.waiting:
            return False
        try:
            self._framer.feed(self._deflate.piece())
        except zlib.error:
            raise Left from None
        return True

    def _flush(self) -> None:
        if not self._out or self._transport is None:
            return
        data = b"".join(self._out)
        self._out.clear()
        self._out_size = 0
        if not self._transport.is_closing():
            self._transport.write(self._deflate.packed(data) if self._deflate is not None else data)

    def _pause(self) -> None:
        if self._reading and self._transport is not None:
            self._transport.pause_reading()
            self._reading = False

    def _resume(self) -> None:
        if not self._reading and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        self._reading = True

    def _hang_up(self) -> None:
        """Close, once what was said has left or nobody takes it."""
        self._flush()
        transport = self._transport
        if transport is not None and not transport.is_closing():
            transport.close()
            if transport.get_write_buffer_size():
                self._loop.call_later(LAST_WORDS, transport.abort)
        self._leave()

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        self._leave()

    def _leave(self) -> None:
        """Once: nobody waits any more."""
        self._closing = True
        self.resume_writing()
