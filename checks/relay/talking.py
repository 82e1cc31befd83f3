"""One SMTP conversation, octet by octet as we want it, with its transcript.

    async with Talk.opened("192.0.2.25", 25, lines) as talk:
        await talk.say(b"EHLO a.test")          -> Answer(250, "...")

Standards: RFC 5321 4.2 (replies). Limits: LINES of a reply, LINE octets of a line, STEP seconds for each. Fails by: an answer of code 0
when the server hung up, said nothing in time, or no SMTP; OSError and TimeoutError from `opened`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from dnsops.base.printable import printable

LINE, LINES, STEP, CONNECT = 4096, 100, 20.0, 10.0
SHOWN = 160  # characters of a line in the transcript
MOST_REPLIES = 20
_REPLY = re.compile(rb"([2-5][0-9]{2})([ -]|\r?\n)")


@dataclass(frozen=True, slots=True)
class Answer:
    """code 0: there was none, and `text` says why. text: the last line."""

    code: int
    text: str
    lines: tuple[str, ...] = ()


class Talk:
    """Open until its block ends. greeting: what the server said first."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lines: list[str]) -> None:
        self._reader, self._writer, self._lines = reader, writer, lines
        self.greeting = Answer(0, "")

    @classmethod
    @asynccontextmanager
    async def opened(cls, address: str, port: int, lines: list[str]) -> AsyncIterator[Talk]:
        async with asyncio.timeout(CONNECT):
            reader, writer = await asyncio.open_connection(address, port, limit=LINE)
        talk = cls(reader, writer, lines)
        try:
            talk.greeting = await talk.answer()
            yield talk
        finally:
            writer.transport.abort()

    async def say(self, line: bytes) -> Answer:
        """A command and its answer."""
        await self.write(line + b"\r\n", line)
        return await self.answer()

    async def write(self, data: bytes, shown: bytes) -> None:
        """Octets as they are; a server that is gone shows at the answer."""
        self._lines.append("C: " + printable(shown.decode("latin-1"))[:SHOWN])
        try:
            self._writer.write(data)
            async with asyncio.timeout(STEP):
                await self._writer.drain()
        except (OSError, TimeoutError):
            return

    async def answer(self) -> Answer:
        """The next reply, whole."""
        told: list[str] = []
        for _ in range(LINES):
            try:
                async with asyncio.timeout(STEP):
                    line = await self._reader.readline()
            except TimeoutError:
                return Answer(0, f"no answer within {STEP:g} s")
            except (OSError, ValueError):
                return Answer(0, "it hung up, or its line has no end")
            if not line:
                return Answer(0, "it hung up")
            told.append(printable(line.decode("latin-1").rstrip("\r\n"))[:SHOWN])
            self._lines.append("S: " + told[-1])
            found = _REPLY.match(line)
            if found is None:
                return Answer(0, "it does not speak SMTP")
            if found[2] != b"-":
                return Answer(int(found[1]), told[-1], tuple(told))
        return Answer(0, "its reply has no end")

    async def rest(self) -> tuple[int, ...]:
        """Say goodbye; all codes that came before the answer to that."""
        codes: list[int] = []
        await self.write(b"QUIT\r\n", b"QUIT")
        for _ in range(MOST_REPLIES):
            code = (await self.answer()).code
            if code in (0, 221, 421):
                break
            codes.append(code)
        return tuple(codes)
