"""One question to a scanner, and its whole answer: over a socket, bounded in octets and in time.

What is sent and what the answer means are the pure rooms' (`rspamd`, `spamd`, `clamd`). A scanner may answer and hang up
before it has heard everything, for a message too large for it, and the answer counts: so we listen while we speak, on the
socket itself, for asyncio's streams forget what came when a write fails.
Limits: `Manners.longest` octets of the answer, `deadline` seconds from connecting to the end.
Fails by: `Later`, when there is no answer.
"""

from __future__ import annotations

import asyncio
import socket
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
            with await _connected(place) as line:
                return await _asked(line, question, manners)
    except TimeoutError:
        raise Later(f"{place} did not answer within {deadline:g} s") from None
    except OSError as error:
        raise Later(f"{place} cannot be reached: {error.strerror or type(error).__name__}") from None
    except UnicodeError:  # of getaddrinfo, for a name with an empty label
        raise Later(f"{place} cannot be reached: there is no such name") from None


async def _connected(place: Place) -> socket.socket:
    """The first of its addresses that takes a connection."""
    if place.socket:
        return await _line(socket.AF_UNIX, place.socket)
    found = await asyncio.get_running_loop().getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    for family, _, _, _, address in found[:-1]:
        with suppress(OSError):
            return await _line(family, address)
    return await _line(found[-1][0], found[-1][4])


async def _line(family: int, address: str | tuple[object, ...]) -> socket.socket:
    line = socket.socket(family, socket.SOCK_STREAM)
    try:
        line.setblocking(False)
        await asyncio.get_running_loop().sock_connect(line, address)
    except BaseException:
        line.close()
        raise
    return line


async def _asked(line: socket.socket, question: Iterable[bytes], manners: Manners) -> bytes:
    loop = asyncio.get_running_loop()
    listening = asyncio.create_task(_answer(line, manners))
    try:
        with suppress(ConnectionError):  # it has heard enough
            for piece in question:
                if listening.done():
                    break
                await loop.sock_sendall(line, piece)
            if manners.half and not listening.done():
                line.shutdown(socket.SHUT_WR)
        answer = await listening
    finally:
        listening.cancel()
        await asyncio.wait([listening])
    if not answer:
        raise Later("the scanner hung up without an answer")
    return answer


async def _answer(line: socket.socket, manners: Manners) -> bytes:
    heard = bytearray()
    with suppress(ConnectionError):  # a reset after the answer is still an answer
        while piece := await asyncio.get_running_loop().sock_recv(line, PIECE):
            heard += piece
            if len(heard) > manners.longest:
                raise Later(f"the scanner's answer is longer than {manners.longest} octets")
            if manners.whole(bytes(heard)):
                break
    return bytes(heard)
