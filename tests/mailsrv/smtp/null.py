"""A service that takes every mail and keeps the last ones, a listening server of it, and a client that sends octets."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from dnsops.base.errors import Later
from dnsops.base.log import Value
from mailsrv.smtp.door import Challenge, Client, LoggedIn, Login, Rejected
from mailsrv.smtp.grammar import Address
from mailsrv.smtp.house import House
from mailsrv.smtp.listener import Listener
from mailsrv.smtp.parameters import MailOptions, RcptOptions
from mailsrv.smtp.replies import NO_RELAY, NOBODY, Refused, Reply, stored


@dataclass
class Mail:
    """What came of one mail."""

    sender: Address | None
    options: MailOptions
    recipients: list[tuple[Address, RcptOptions]] = field(default_factory=list)
    content: bytes = b""


@dataclass
class Null:
    """Takes mail for here.test, and knows alice there; `mail` holds the last ones."""

    mails: deque[Mail] = field(default_factory=lambda: deque(maxlen=100))
    logins: bool = False
    trouble: bool = False

    def mechanisms(self, client: Client) -> tuple[str, ...]:
        return ("PLAIN", "LOGIN") if self.logins else ()

    def login(self, client: Client, mechanism: str) -> Login | None:
        return {"PLAIN": Plain, "LOGIN": TwoSteps}[mechanism]() if mechanism in ("PLAIN", "LOGIN") else None

    async def mail(self, client: Client, sender: Address | None, options: MailOptions) -> One:
        return One(self, Mail(sender, options))


@dataclass
class One:
    service: Null
    mail: Mail

    async def recipient(self, address: Address, options: RcptOptions) -> None:
        if address.domain not in ("here.test", ""):
            raise Refused(NO_RELAY)
        if address.local.lower() not in ("alice", "postmaster", "\u00fc"):
            raise Refused(NOBODY)
        self.mail.recipients.append((address, options))

    async def message(self, content: bytes) -> Reply:
        if self.service.trouble:
            raise Later("the disk is full of /secret/paths")
        self.mail.content = content
        self.service.mails.append(self.mail)
        return stored("1")


@dataclass
class Plain:
    account: str = "alice"

    async def step(self, response: bytes | None) -> Challenge | LoggedIn | Rejected:
        if response is None:
            return Challenge(b"")
        words = (response or b"").split(b"\0")
        right = words[0] == b"" and words[-1] == b"foobar" and words[1].partition(b"@")[0] == self.account.encode()
        return LoggedIn(self.account) if right else Rejected()


class TwoSteps:
    name = b""

    async def step(self, response: bytes | None) -> Challenge | LoggedIn | Rejected:
        if response is None:
            return Challenge(b"Username:")
        if not self.name:
            self.name = response
            return Challenge(b"Password:")
        return LoggedIn("alice") if (self.name, response) == (b"alice", b"foobar") else Rejected()


class Lines:
    """A log that keeps what it is told, and fails the test that caused a bug."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Value]]] = []

    def __call__(self, event: str, **fields: Value) -> None:
        self.events.append((event, fields))

    @property
    def bugs(self) -> list[dict[str, Value]]:
        return [fields for event, fields in self.events if event == "smtp.bug"]


@asynccontextmanager
async def serving(house: House) -> AsyncIterator[int]:
    """The port of a listening server."""
    sock = socket.create_server(("127.0.0.1", 0))
    listener = Listener(house)
    await listener.open(sock)
    try:
        yield sock.getsockname()[1]
    finally:
        await listener.close(0)
        await asyncio.sleep(0)


class Peer:
    """A client that sends what it is told, octet by octet."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def call(cls, port: int, greeted: bool = True) -> Peer:
        peer = cls(*await asyncio.open_connection("127.0.0.1", port))
        if greeted:
            assert (await peer.reply()).startswith("220 ")
        return peer

    def send(self, octets: bytes) -> None:
        self.writer.write(octets)

    async def reply(self) -> str:
        """One reply, its lines joined by \\n; "" when the server has hung up."""
        lines = []
        while True:
            async with asyncio.timeout(8):
                line = (await self.reader.readline()).decode()
            lines.append(line.rstrip("\r\n"))
            if line[3:4] != "-":
                return "\n".join(lines)

    async def ask(self, octets: bytes) -> str:
        self.send(octets)
        return await self.reply()

    async def rest(self) -> list[str]:
        """All replies until the server hangs up."""
        replies = []
        try:
            while reply := await self.reply():
                replies.append(reply)
        except ConnectionError:
            pass
        return replies

    def close(self) -> None:
        self.writer.close()
