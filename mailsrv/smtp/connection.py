"""An SMTP connection: aiosmtpd's, with all mended that keeps it from the open Internet. What is said on it stands in `server`.

Of the engine remain the protocol's life and its place in asyncio's streams; its reader, loop, grammar, DATA, STARTTLS and AUTH
are replaced, because each was at fault: memory without bound before a login, one class-wide table of command lengths, bare LF
taken as a line end, lines over 1001 octets refused, parameters in upper case, exceptions told to the peer.
Fails by: hanging up after 421. A bug ends the session with 451 and a line `smtp.bug` in the log; nothing of it is told.
"""

from __future__ import annotations

import asyncio
import ssl
import traceback
from contextlib import suppress
from typing import cast

from aiosmtpd.smtp import SMTP

from mailsrv.smtp import replies
from mailsrv.smtp.door import Client, Tls
from mailsrv.smtp.house import House
from mailsrv.smtp.inbox import Gone, Inbox
from mailsrv.smtp.limits import Spent
from mailsrv.smtp.proxy import Source
from mailsrv.smtp.replies import Reply
from mailsrv.smtp.transfer import Transfer

LINGER = 2.0  # seconds in which a peer may read our last words
LINGER_OCTETS = 4 << 20


class Connection(SMTP):
    """From the first octet to the last, and nothing about mail."""

    def __init__(self, house: House, source: Source | None = None, admitted: bool = False) -> None:
        # the engine's own __init__ looks through all its members for each connection: half a millisecond
        self.loop = asyncio.get_running_loop()
        self.inbox = Inbox(self.loop)
        asyncio.StreamReaderProtocol.__init__(self, self.inbox, self._cb_client_connected, self.loop)
        self.house, self.limits, self._source = house, house.limits, source
        self.client = Client("")
        self._admitted = admitted  # by the listener, before a TLS handshake
        self.spent = Spent(house.limits)
        self.transport: asyncio.Transport | None = None
        self.work: asyncio.Task[None] | None = None
        self._out: list[bytes] = []
        self.transfer: Transfer | None = None
        self.over = self._leaving = False
        self._timer: asyncio.TimerHandle | None = None

    # the life of the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        asyncio.StreamReaderProtocol.connection_made(self, transport)
        self.transport = cast("asyncio.Transport", transport)
        name = transport.get_extra_info("peername")
        peer = name if isinstance(name, tuple) else ("", 0)
        source = self._source or Source(peer[0], peer[1])
        via = peer[0] if self._source else ""
        self.client = Client(source.address, source.port, tls=self._tls(self.transport), via=via)
        self._started = self.loop.time()
        self._watch()
        self.house.sessions.add(self)
        self.work = self.loop.create_task(self._handle_client())
        self.work.add_done_callback(self._done)

    def data_received(self, data: bytes) -> None:
        self.inbox.feed_data(data)

    def eof_received(self) -> bool:
        """What was sent before a half-close is still answered."""
        self.inbox.feed_eof()
        return self.client.tls is None

    def connection_lost(self, error: Exception | None) -> None:
        """The work is not cut off: a message that is being stored is stored, and the next read says `Gone`."""
        asyncio.StreamReaderProtocol.connection_lost(self, error)
        self.transport = None

    def _done(self, work: asyncio.Task[None]) -> None:
        if self._timer:
            self._timer.cancel()
        self.house.sessions.discard(self)
        if self.transfer:
            self.transfer.close()
        bug = None if work.cancelled() else work.exception()
        if self.transport is not None:
            if bug is not None:
                self.transport.write(bytes(replies.LOCAL_TROUBLE))
            self.transport.close()
            self.loop.call_later(LINGER, self.transport.abort)  # for a peer that does not read
        if bug is not None:
            place = traceback.extract_tb(bug.__traceback__)[-1]
            self.house.log(
                "smtp.bug", kind=type(bug).__name__, at=f"{place.name}:{place.lineno}", peer=self.client.address
            )

    # time

    def _watch(self) -> None:
        """Look at the clock now and then; one timer for each session, and none for each command."""
        waiting = self.inbox.waiting_since
        if waiting is not None and (reply := self._late(self.loop.time(), waiting)):
            self.house.log("smtp.timeout", peer=self.client.address, why=reply.text)
            return self.hang_up(reply)
        pause = min(self.limits.idle, self.limits.message_time, self.limits.session_time) / 4
        self._timer = self.loop.call_later(max(pause, 0.01), self._watch)
        return None

    def _late(self, now: float, waiting: float) -> Reply | None:
        if self.transfer and now - self.transfer.started >= self.limits.message_time:
            return replies.TOO_SLOW
        if now - waiting >= self.limits.idle:
            return replies.IDLE
        tired = not self.transfer and now - self._started >= self.limits.session_time
        return replies.TOO_SLOW if tired else None

    def hang_up(self, reply: Reply) -> None:
        """From outside the session: a last word, and the line is dead in two seconds at the latest."""
        if self.transport is None or self.transport.is_closing():
            return None
        self.over = True
        if self._leaving:
            return self.transport.close()
        self.transport.write(bytes(reply))
        self.transport.close()
        self._timer = self.loop.call_later(LINGER, self.transport.abort)
        return None

    @property
    def account(self) -> str:
        """Who has logged in."""
        return self.client.account

    # talking

    def say(self, reply: Reply) -> None:
        self._out.append(bytes(reply))

    async def flush(self) -> None:
        if self.transport is None:
            raise Gone
        if self._out:
            self.transport.write(b"".join(self._out))
            self._out.clear()
            if self.transport.get_write_buffer_size():
                await self._drain()

    async def _drain(self) -> None:
        """Wait until the peer reads; the clock runs."""
        self.inbox.waiting_since = self.loop.time()
        try:
            await self._writer.drain()
        except OSError:
            raise Gone from None
        finally:
            self.inbox.waiting_since = None

    async def hear(self) -> bytes:
        """The next line; what we have to say is said before we wait (RFC 2920 3.2)."""
        if self._out and not self.inbox.has_line:
            await self.flush()
        return await self.inbox.line(self.limits.login, self.limits.junk_line)

    async def _handle_client(self) -> None:
        address = self.client.address
        with suppress(Gone):
            reply = None if self._admitted else self.house.door.enter(address, self.loop.time())
            if reply is not None:
                self.house.log("smtp.turned_away", peer=address, why=reply.text)
                return await self.leave(reply)
            try:
                await self.converse()
            finally:
                self.house.door.leave(address)

    @property
    def idle(self) -> bool:
        """Whether we wait for the peer's next word."""
        return self.inbox.waiting_since is not None

    async def converse(self) -> None:
        """What this connection is for."""
        raise Gone

    async def leave(self, reply: Reply | None) -> None:
        """Say the last word so that it arrives: closing over unread octets would have the kernel take it back."""
        self._leaving = True
        if reply is not None:
            self.say(reply)
        await self.flush()
        transport = self.transport
        if transport is None or reply is replies.BYE or not transport.can_write_eof():
            return
        with suppress(TimeoutError, OSError, RuntimeError):
            transport.write_eof()
            async with asyncio.timeout(LINGER):
                await self.inbox.drained(LINGER_OCTETS)

    async def encrypt(self) -> None:
        """RFC 3207 4.2: afterwards nothing is known of what was said in the clear, and nothing of it is left to read."""
        if self.transport is None or self.house.tls is None:
            raise Gone
        self.inbox.forget()  # before the handshake: the first words inside TLS may come with its end
        try:
            transport = await self.loop.start_tls(
                self.transport,
                self,
                self.house.tls(),
                server_side=True,
                ssl_handshake_timeout=self.limits.handshake,
            )
        except (OSError, TimeoutError) as error:
            reason = error.reason if isinstance(error, ssl.SSLError) else type(error).__name__
            self.house.log("smtp.handshake", peer=self.client.address, why=reason)
            raise Gone from None
        if transport is None:  # the peer hung up meanwhile
            raise Gone
        self._use(transport)

    def _use(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.inbox.use(transport)
        # as StreamWriter.start_tls does; a second writer would close the line when the first one is forgotten
        self._writer._transport = transport  # type: ignore[attr-defined]
        self._transport, self._over_ssl = transport, True
        self.client = Client(self.client.address, self.client.port, tls=self._tls(transport), via=self.client.via)

    def _tls(self, transport: asyncio.Transport) -> Tls | None:
        """How it is encrypted, if it is."""
        if transport.get_extra_info("sslcontext") is None:
            return None
        cipher = transport.get_extra_info("cipher") or ("", "", 0)
        inner = transport.get_extra_info("ssl_object")
        bound = self.house.bindings(inner) if self.house.bindings and inner is not None else ()
        return Tls(cipher[1], cipher[0], cipher[2] or 0, bound)
