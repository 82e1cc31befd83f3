"""A man in the middle: on a mail host's own address, with the host behind him, he keeps senders from TLS or reads along.

    with Between([(MX, 25), (MX6, 25)], behind=(MX2, 25), impostor=credentials) as man:
        man.trick = Trick.STRIP
        attempt = attempted(server, man, "example.org")       # one message through him, and what became of it
        attempt.event, attempt.policy, attempt.trust, attempt.read

Standards: RFC 3207 6 (the attack), RFC 7672 1.3.1 and RFC 8461 1 (what it is met with).
Fails by: exceptions in the loop land in `crashes`; 60 s of silence end a conversation.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self, TypeVar

from tests.lab import crashes
from tests.lab.mailserver import MailServer
from tests.lab.mx import Where, tls_context
from tests.lab.pki import Credentials
from tests.lab.program import wait_until
from tests.lab.streams import start_server

T = TypeVar("T")
LONGEST_LINE, PATIENCE = 1 << 16, 60.0
HIDDEN = (b"STARTTLS", b"PIPELINING", b"CHUNKING", b"REQUIRETLS")
BROKEN = (OSError, ssl.SSLError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


class Trick(Enum):
    NONE = "he only carries"
    STRIP = "he takes STARTTLS out of the reply to EHLO"
    REFUSE = "he answers STARTTLS with 454"
    DUMB = "he says that EHLO is not known here"
    IMPOSTOR = "he shows a certificate of his own"


@dataclass(frozen=True)
class Attempt:
    """One message through him: the event and words of the sender's log, and whether he could read it."""

    trick: Trick
    domain: str
    event: str
    code: str
    policy: str
    trust: str
    read: bool


class Between:
    """The man. `read`: every line that he saw of senders, in the clear or inside his own TLS."""

    def __init__(self, places: Sequence[Where], behind: Where, impostor: Credentials) -> None:
        self.trick, self.read, self.connections = Trick.NONE, list[bytes](), 0
        self._places, self._behind, self.impostor = places, behind, tls_context(impostor)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(crashes.of_loop("downgrade"))
        self._thread = threading.Thread(target=self._loop.run_forever, name="downgrade", daemon=True)
        self._thread.start()
        self._servers = [self._call(self._listen(*place)) for place in self._places]
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _listen(self, address: str, port: int) -> asyncio.Server:
        return await start_server(self._met, address, port, limit=LONGEST_LINE)

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        host_reader, host_writer = await asyncio.open_connection(*self._behind, limit=LONGEST_LINE)
        try:
            with contextlib.suppress(*BROKEN):
                await _Conversation(self, reader, writer, host_reader, host_writer).run()
        finally:
            writer.close()
            host_writer.close()


@dataclass
class _Conversation:
    """Word by word: a line of the sender's to the host, the host's reply to the sender, as the trick wants them."""

    man: Between
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    host_reader: asyncio.StreamReader
    host_writer: asyncio.StreamWriter

    async def run(self) -> None:
        await self._answer(await self._reply())
        while line := await self._line():
            verb = line[:8].upper().split()[0] if line.strip() else b""
            if verb == b"STARTTLS":
                if not await self._starttls():
                    return
            elif verb == b"EHLO" and self.man.trick is Trick.DUMB:
                await self._answer([b"502 5.5.1 what?\r\n"])
            elif verb == b"DATA":
                await self._data(line)
            else:
                reply = await self._asked(line)
                await self._answer(self._without(reply) if verb == b"EHLO" else reply)

    def _without(self, reply: list[bytes]) -> list[bytes]:
        """The host's offers, less those that he cannot follow, and STARTTLS when he will have none."""
        hidden = HIDDEN if self.man.trick is Trick.STRIP else HIDDEN[1:]
        words = [line[4:] for line in reply if not line[4:].upper().startswith(hidden)]
        return [b"250%s%s" % (b"-" if number < len(words) - 1 else b" ", word) for number, word in enumerate(words)]

    async def _starttls(self) -> bool:
        """Whether there is more for him to read."""
        if self.man.trick is Trick.REFUSE:
            await self._answer([b"454 4.7.0 TLS not available due to temporary reason\r\n"])
            return True
        await self._answer(await self._asked(b"STARTTLS\r\n"))
        if self.man.trick is not Trick.IMPOSTOR:
            await asyncio.gather(_poured(self.reader, self.host_writer), _poured(self.host_reader, self.writer))
            return False
        await self.writer.start_tls(self.man.impostor)
        anyone = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
        await self.host_writer.start_tls(anyone)
        return True

    async def _data(self, line: bytes) -> None:
        reply = await self._asked(line)
        await self._answer(reply)
        if not reply[-1].startswith(b"354"):
            return
        while (line := await self._line()) and line != b".\r\n":
            self.host_writer.write(line)
        await self._answer(await self._asked(line))

    async def _line(self) -> bytes:
        line = await asyncio.wait_for(self.reader.readline(), PATIENCE)
        self.man.read.append(line)
        return line

    async def _asked(self, line: bytes) -> list[bytes]:
        self.host_writer.write(line)
        return await self._reply()

    async def _reply(self) -> list[bytes]:
        lines = [await asyncio.wait_for(self.host_reader.readuntil(b"\n"), PATIENCE)]
        while lines[-1][3:4] == b"-":
            lines.append(await asyncio.wait_for(self.host_reader.readuntil(b"\n"), PATIENCE))
        return lines

    async def _answer(self, lines: list[bytes]) -> None:
        self.writer.writelines(lines)
        await self.writer.drain()


async def _poured(source: asyncio.StreamReader, into: asyncio.StreamWriter) -> None:
    """What he cannot read, he carries."""
    while data := await source.read(65536):
        into.write(data)
        await into.drain()
    into.close()


def attempted(server: MailServer, man: Between, domain: str, user: str = "alice") -> Attempt:
    """One message by this server through him to user1 of a domain. Each time another domain: the queue lets one rest that failed."""
    sender = next(one["addresses"][0] for one in server.settings["accounts"] if one["name"] == user)
    to, secret = f"user1@{domain}", f"for {domain} alone"
    with server.submission(user) as client:
        client.sendmail(sender, [to], f"From: {sender}\r\nSubject: {secret}\r\n\r\n{secret}\r\n")

    def told() -> list[dict[str, Any]]:
        return [line for line in server.lines() if line.get("to") == to and line["event"].startswith("send.")]

    wait_until(lambda: bool(told()), f"an attempt for {domain}")
    line = told()[0]
    read = any(secret.encode() in seen for seen in man.read)
    event = line["event"].removeprefix("send.")
    return Attempt(man.trick, domain, event, line["code"], line["policy"], line["trust"], read)
