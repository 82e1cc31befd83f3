"""One question to a scanner, and its whole answer: over a socket, bounded in octets and in time.

What is sent and what the answer means are the pure rooms' (`rspamd`, `spamd`, `clamd`). A scanner may answer and hang up
before it has heard everything, for a message too large for it; the answer counts.
Limits: `Manners.longest` octets of the answer, `deadline` seconds from connecting to the end.
Fails by: `Later`, when there is no answer.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

from dnsops.base.errors import Later
from mailsrv.spam.place import Manners, Place

PIECE = 64 << 10


class Exchange(Protocol):
    """`ask`, or a test's."""

    async def __call__(self, place: Place, manners: Manners, question: Iterable[bytes], deadline: float) -> bytes: ...


async def ask(place: Place, manners: Manners, question: Iterable[bytes], deadline: float) -> bytes:
    """The octets of the answer."""
    try:
        async with asyncio.timeout(deadline):
            reader, writer = await _connected(place)
            try:
                return await _asked(reader, writer, question, manners)
            finally:
                writer.close()
    except TimeoutError:
        raise Later(f"{place} did not answer within {deadline:g} s") from None
    except OSError as error:
        raise Later(f"{place} cannot be reached: {error.strerror or type(error).__name__}") from None


async def _connected(place: Place) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if place.socket:
        return await asyncio.open_unix_connection(place.socket)
    secure = ssl.create_default_context() if place.tls else None
    return await asyncio.open_connection(place.host, place.port, ssl=secure)


async def _asked(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, question: Iterable[bytes], manners: Manners
) -> bytes:
    """Listening while speaking: else an answer before the end of the question would be lost."""
    listening = asyncio.create_task(_answer(reader, manners))
    try:
        with suppress(ConnectionError):  # it has heard enough; what it said about it is in the reader
            for piece in question:
                if listening.done():
                    break
                writer.write(piece)
                await writer.drain()
            if manners.half:
                writer.write_eof()
        answer = await listening
    finally:
        listening.cancel()
    if not answer:
        raise Later("the scanner hung up without an answer")
    return answer


async def _answer(reader: asyncio.StreamReader, manners: Manners) -> bytes:
    heard = bytearray()
    with suppress(ConnectionError):  # a reset after the answer is still an answer
        while piece := await reader.read(PIECE):
            heard += piece
            if len(heard) > manners.longest:
                raise Later(f"the scanner's answer is longer than {manners.longest} octets")
            if manners.whole(bytes(heard)):
                break
    return bytes(heard)
