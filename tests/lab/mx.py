"""Receiving mail servers for tests: STARTTLS (RFC 3207) or TLS from the first byte, hundreds in one thread.

    with Mx() as mx:
        port = mx.listen("192.0.2.25", 25, credentials)
        mx.switch(("192.0.2.25", 25), others)      # the next handshake shows the new certificate

They speak as much ESMTP (RFC 5321) as a peer needs to hand over a message, and keep what they are given.
Fails by: exceptions in the loop land in `crashes`; a line longer than 8 KiB or 60 s of silence ends the connection.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import tempfile
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from tests.lab import crashes
from tests.lab.pki import Credentials
from tests.lab.streams import start_server

T = TypeVar("T")
Where = tuple[str, int]
LONGEST_LINE, PATIENCE = 8192, 60.0
LARGEST_MESSAGE = 1 << 20


@dataclass(frozen=True)
class Message:
    """What was received, and over which TLS."""

    to: Where
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    tls: str


@dataclass
class _Listener:
    context: ssl.SSLContext | None
    implicit: bool
    name: str
    server: asyncio.Server | None = None
    connections: int = 0
    handshakes: int = 0


class Mx:
    """The servers. All methods may be called from any thread."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.nobody: set[str] = set()  # recipients that are refused
        self._listeners: dict[Where, _Listener] = {}

    def start(self) -> Self:
        logging.getLogger("asyncio").addFilter(_worth_saying)
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(crashes.of_loop("mx"))
        self._thread = threading.Thread(target=self._loop.run_forever, name="mx", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        for where in list(self._listeners):
            self.close(where)
        self._call(self._cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def listen(
        self,
        address: str = "127.0.0.1",
        port: int = 0,
        credentials: Credentials | None = None,
        implicit: bool = False,
        name: str = "mx1.example.org",
    ) -> int:
        """A server more; gives its port. Without credentials it offers no STARTTLS."""
        context = tls_context(credentials) if credentials else None
        return self._call(self._listen(address, port, _Listener(context, implicit, name)))

    def switch(self, where: Where, credentials: Credentials | None) -> None:
        """From the next connection on: this certificate; None: no STARTTLS any more."""
        self._listeners[where].context = tls_context(credentials) if credentials else None

    def close(self, where: Where) -> None:
        listener = self._listeners.pop(where)
        self._call(self._close(listener))

    def connections(self, where: Where) -> int:
        """How many were accepted so far."""
        return self._listeners[where].connections

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(30)

    async def _listen(self, address: str, port: int, listener: _Listener) -> int:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            listener.connections += 1
            where = writer.get_extra_info("sockname")[:2]
            session = _Session(listener, reader, writer, where, self.messages, self.nobody)
            try:
                await session.run()
            except (OSError, ssl.SSLError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                pass  # a peer that went away, or sent too much
            finally:
                writer.close()

        front = _front(listener) if listener.implicit else None
        listener.server = await start_server(serve, address, port, limit=LONGEST_LINE, ssl=front)
        where: Where = listener.server.sockets[0].getsockname()[:2]
        self._listeners[where] = listener
        return where[1]

    async def _close(self, listener: _Listener) -> None:
        if listener.server:
            listener.server.close()

    async def _cancel_all(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


@dataclass
class _Session:
    """One connection."""

    listener: _Listener
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    where: Where
    messages: list[Message]  # all that the servers have taken
    nobody: set[str]
    tls: str = ""
    sender: str = ""
    recipients: tuple[str, ...] = ()

    async def run(self) -> None:
        if self.listener.implicit:
            self._secured()
        await self._say(f"220 {self.listener.name} ESMTP lab")
        while True:
            line = await self._line()
            verb, _, rest = line.partition(" ")
            match verb.upper():
                case "QUIT":
                    return await self._say(f"221 {self.listener.name} goodbye")
                case "EHLO":
                    await self._say(*self._capabilities())
                case "HELO":
                    await self._say(f"250 {self.listener.name}")
                case "STARTTLS" if self.listener.context and not self.tls:
                    await self._say("220 go ahead")
                    await self._start_tls()
                case "MAIL":
                    self.sender, self.recipients = _path(rest), ()
                    await self._say("250 2.1.0 ok")
                case "RCPT" if _path(rest) in self.nobody:
                    await self._say("550 5.1.1 nobody of that name")
                case "RCPT":
                    self.recipients += (_path(rest),)
                    await self._say("250 2.1.5 ok")
                case "DATA" if self.recipients:
                    await self._data()
                case "RSET" | "NOOP":
                    await self._say("250 2.0.0 ok")
                case _:
                    await self._say("503 5.5.1 not now, or not known here")

    def _capabilities(self) -> tuple[str, ...]:
        offer = ("250-STARTTLS",) if self.listener.context and not self.tls else ()
        return (f"250-{self.listener.name}", *offer, "250-8BITMIME", f"250 SIZE {LARGEST_MESSAGE}")

    async def _start_tls(self) -> None:
        if self.listener.context is None:
            raise ConnectionError("no certificate to serve")
        await asyncio.wait_for(self.writer.start_tls(self.listener.context), PATIENCE)
        self._secured()

    def _secured(self) -> None:
        self.tls = str(self.writer.get_extra_info("cipher")[1])
        self.listener.handshakes += 1

    async def _data(self) -> None:
        await self._say("354 end with a line of one dot")
        lines: list[str] = []
        while (line := await self._line()) != ".":
            lines.append(line.removeprefix("."))
            if len(lines) > LARGEST_MESSAGE // 40:
                raise ConnectionError("message too large")
        content = "\r\n".join(lines).encode("latin-1")
        self.messages.append(Message(self.where, self.sender, self.recipients, content, self.tls))
        await self._say("250 2.0.0 kept")

    async def _line(self) -> str:
        raw = await asyncio.wait_for(self.reader.readuntil(b"\r\n"), PATIENCE)
        return raw[:-2].decode("latin-1")

    async def _say(self, *lines: str) -> None:
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self.writer.drain()


def tls_context(credentials: Credentials) -> ssl.SSLContext:
    """A server's context. OpenSSL reads keys from files only: one that nobody else may read, gone at once."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(prefix="mailsrv-lab-") as directory:
        context.load_cert_chain(*credentials.write(Path(directory), "mx"))
    return context


def _front(listener: _Listener) -> ssl.SSLContext:
    """A context that stays while the listener's own may be switched: it hands over at each ClientHello."""

    def hand_over(connection: ssl.SSLObject, _name: str | None, _front: ssl.SSLContext) -> int | None:
        if listener.context is None:
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        connection.context = listener.context
        return None

    front = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    front.sni_callback = hand_over
    return front


def _path(argument: str) -> str:
    """`FROM:<user1@example.org> SIZE=1` -> `user1@example.org`."""
    return argument.partition("<")[2].partition(">")[0]


def _worth_saying(line: logging.LogRecord) -> bool:
    """Python 3.11 says this of every peer that hangs up after start_tls, without a good bye."""
    return "returning true from eof_received()" not in line.getMessage()
