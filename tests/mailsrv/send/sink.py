"""A server that takes mail in the test's own loop, and misbehaves at whatever stage it is told to.

    async with Sink({"RCPT": "550 5.1.1 no", ".": [DROP, "250 ok"]}) as sink: ... sink.port, sink.messages

Stages: greeting EHLO HELO STARTTLS AUTH MAIL RCPT DATA . RSET QUIT. A list is for the first time, the second ..., its last one for good.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass, field
from typing import Self

from tests.lab.streams import start_server

DROP, SILENT, DRIP, ENDLESS, FLOOD, CLOSE_MIDWAY = "<drop>", "<silent>", "<drip>", "<endless>", "<flood>", "<midway>"
GOOD = {
    "greeting": "220 sink",
    "HELO": "250 sink",
    "STARTTLS": "220 go",
    "AUTH": "235 welcome",
    "MAIL": "250 2.1.0 ok",
    "RCPT": "250 2.1.5 ok",
    "DATA": "354 go",
    ".": "250 2.0.0 taken",
    "RSET": "250 ok",
    "QUIT": "221 bye",
}
ALL = ("PIPELINING", "SIZE 1000000", "8BITMIME", "SMTPUTF8", "DSN")

Says = str | list[str]


@dataclass
class Taken:
    """A message: the command lines, and the bytes between DATA and its end, as they came."""

    mail: str
    rcpts: list[str]
    raw: bytes
    tls: bool

    @property
    def content(self) -> bytes:
        """Without dot stuffing."""
        body = self.raw.removesuffix(b".\r\n")
        return (b"\r\n" + body).replace(b"\r\n..", b"\r\n.")[2:]


@dataclass
class Sink:
    says: dict[str, Says] = field(default_factory=dict)
    offers: tuple[str, ...] = ALL
    context: ssl.SSLContext | None = None
    implicit: bool = False
    messages: list[Taken] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    poured: int = 0  # bytes that a flood got rid of
    at_once: int = 0
    most_at_once: int = 0
    port: int = 0
    address: str = "127.0.0.1"
    inside: tuple[str, ...] | None = None  # what it offers inside TLS, when that is something else

    async def __aenter__(self) -> Self:
        self._times: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        implicit = self.context if self.implicit else None
        self._server = await start_server(self._met, self.address, self.port, ssl=implicit, limit=1 << 26)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self.connections += 1
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, _Over, asyncio.CancelledError):
                await _Conversation(self, reader, writer).run()
        finally:
            self.at_once -= 1
            writer.transport.abort()
            self._tasks.discard(task)

    def said(self, stage: str) -> str:
        says = self.says.get(stage, GOOD.get(stage, "250 ok"))
        if isinstance(says, str):
            return says
        time = self._times.get(stage, 0)
        self._times[stage] = time + 1
        return says[min(time, len(says) - 1)]


class _Over(Exception):
    """This conversation is."""


class _Conversation:
    def __init__(self, sink: Sink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sink, self.reader, self.writer = sink, reader, writer
        self.tls, self.mail, self.rcpts = sink.implicit, "", list[str]()

    async def run(self) -> None:
        await self.say("greeting")
        while line := await self.reader.readline():
            text = line.decode(errors="replace").rstrip("\r\n")
            self.sink.commands.append(text)
            await self.obey(text, text.split(" ")[0].split(":")[0].upper())

    async def obey(self, text: str, verb: str) -> None:  # noqa: C901 - a table of verbs
        match verb:
            case "EHLO":
                await self.say(verb, self.ehlo())
            case "STARTTLS":
                if (await self.say(verb)).startswith("220"):
                    assert self.sink.context
                    await self.writer.start_tls(self.sink.context)
                    self.tls = True
            case "MAIL":
                self.mail, self.rcpts = text, []
                await self.say(verb)
            case "RCPT":
                if (await self.say(verb)).startswith("2"):
                    self.rcpts.append(text)
            case "DATA":
                if (await self.say(verb)).startswith("3"):
                    await self.data()
            case "AUTH":
                if text == "AUTH LOGIN":
                    for question in (b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n"):
                        self.writer.write(question)
                        self.sink.commands.append((await self.reader.readline()).decode().strip())
                await self.say(verb)
            case "QUIT":
                await self.say(verb)
                raise _Over
            case _:
                await self.say(verb)

    def ehlo(self) -> str:
        said = self.sink.offers if self.sink.inside is None or not self.tls else self.sink.inside
        offers = [o for o in said if not (o == "STARTTLS" and self.tls)]
        return "\r\n".join(["250-sink", *(f"250-{offer}" for offer in offers), "250 HELP"])

    async def data(self) -> None:
        raw = bytearray(b"\r\n")
        while not raw.endswith(b"\r\n.\r\n"):
            raw += await self.reader.readuntil(b"\n")
            if self.sink.says.get("midway") == CLOSE_MIDWAY:
                raise _Over
        await self.say(".", before=lambda: self.take(bytes(raw[2:])))

    def take(self, raw: bytes) -> None:
        self.sink.messages.append(Taken(self.mail, self.rcpts, raw, self.tls))

    async def say(self, stage: str, good: str = "", before: object = None) -> str:
        says = self.sink.said(stage)
        if good and stage not in self.sink.says:
            says = good
        if callable(before) and (says.startswith("2") or says in (DROP, SILENT)):
            before()
        match says:
            case "<drop>":
                raise _Over
            case "<silent>":
                await asyncio.sleep(60)
            case "<drip>":
                for byte in b"250 slow is beautiful\r\n":
                    self.writer.write(bytes((byte,)))
                    await asyncio.sleep(0.1)
            case "<endless>":
                await self.pour(GOOD.get(stage, "250 ok")[:3].encode() + b"-more\r\n")
            case "<flood>":
                await self.pour(b"x" * 200)
            case _:
                self.writer.write(says.encode() + b"\r\n")
                await self.writer.drain()
                if says.startswith("421"):
                    raise _Over
        return says

    async def pour(self, drop: bytes) -> None:
        """For as long as anybody takes it."""
        while True:
            self.writer.write(drop * 50)
            await self.writer.drain()
            self.sink.poured += 50 * len(drop)
