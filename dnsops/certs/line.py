"""A connection up to the place where TLS may begin: a socket, the dialogue before TLS, then bytes.

Standards: RFC 5321 4.1.3 (the address literal that a nameless client says in EHLO); the dialogues name theirs.
Limits: lines, their length. Time is the caller's: `async with asyncio.timeout(...)` around all of it.
Fails by: `Trouble` with a sentence when the peer does not go along, OSError from the socket; `doing` says what went on.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket

from dnsops.certs.dialogue import Dialogue

LONGEST_LINE = 4096
MOST_LINES = 128
_CHUNK = 16384


class Trouble(Exception):
    """The peer did something that ends the visit; the text says what."""


class Line:
    """One connection to a literal address, and what is going on in it (for the error text)."""

    def __init__(self, address: str, port: int) -> None:
        self.doing = "connecting"
        self._place = address, port
        self._socket: socket.socket | None = None
        self._buffer = b""

    async def open(self) -> None:
        family = socket.AF_INET6 if ipaddress.ip_address(self._place[0]).version == 6 else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(self._socket, self._place)

    async def agree(self, dialogue: Dialogue) -> None:
        """Drive a dialogue until it agrees that TLS begins."""
        self.doing = "waiting for the greeting"
        send = next(dialogue)
        try:
            for _ in range(MOST_LINES):
                if send:
                    await self.send(send)
                    self.doing = f"waiting for the answer to {send.strip().decode()}"
                send = dialogue.send(await self._line())
        except StopIteration as done:
            if done.value:
                raise Trouble(done.value) from None
            if self._buffer:
                raise Trouble("it goes on in plain text after agreeing to TLS") from None
            return
        raise Trouble(f"more than {MOST_LINES} lines before TLS")

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._wire, data)

    async def receive(self) -> bytes:
        """Some bytes; none when the peer has closed."""
        return await asyncio.get_running_loop().sock_recv(self._wire, _CHUNK)

    def literal(self) -> str:
        """Our own address, as EHLO takes it from a client without a name."""
        address = str(self._wire.getsockname()[0]).partition("%")[0]
        return f"[IPv6:{address}]" if ":" in address else f"[{address}]"

    def close(self) -> None:
        if self._socket:
            self._socket.close()

    @property
    def _wire(self) -> socket.socket:
        if self._socket is None:
            raise Trouble("there is no connection")
        return self._socket

    async def _line(self) -> bytes:
        """The next line, without its end."""
        while b"\n" not in self._buffer:
            if len(self._buffer) > LONGEST_LINE:
                raise Trouble(f"a line longer than {LONGEST_LINE} bytes before TLS")
            data = await self.receive()
            if not data:
                raise Trouble(f"it closed the connection while {self.doing.replace('waiting', 'we waited')}")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        if len(line) > LONGEST_LINE:
            raise Trouble(f"a line longer than {LONGEST_LINE} bytes before TLS")
        return line.rstrip(b"\r")
