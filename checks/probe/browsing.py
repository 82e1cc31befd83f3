"""One document from the Web as a mail program gets it: redirects followed, within limits, at addresses that may be spoken to.

    page = await Browser(book, world).get("https://autoconfig.example.org/mail/config-v1.1.xml")

Each step: the name's addresses, a public one of them (any when the world is `local`), one TLS connection at a time to it, certificate
by the Web's authorities. Where a step may lead: `checks.probe.redirects`.
Standards: RFC 9110, RFC 9112. Limits: STEP seconds for each step, WHOLE for all, `redirects.MOST` steps, MOST_OF_HEAD and LARGEST
octets. Fails by: `Lost`, with why, and whether nobody offers anything there.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from checks.judge.setup_documents import LARGEST
from checks.probe.book import Book
from checks.probe.redirects import MOST, STATUSES, follow
from checks.probe.world import World
from dnsops.base.errors import ForUser
from dnsops.base.printable import printable
from mailsrv.transport.fetching import context, public

STEP, WHOLE, BLOCK, MOST_OF_HEAD = 5.0, 10.0, 16384, 16384
ABSENT = (404, 410, 403, 405)


class Lost(Exception):
    """Why there is nothing. absent: nobody offers it there, which is no fault."""

    def __init__(self, why: str, absent: bool = False) -> None:
        super().__init__(why)
        self.why, self.absent = why, absent


@dataclass(frozen=True, slots=True)
class Got:
    """via: where redirects led, in order."""

    body: bytes
    via: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    location: str


class Browser:
    """Asks the world's names, and speaks to what they stand for."""

    def __init__(self, book: Book, world: World) -> None:
        self._book, self._world = book, world

    async def get(self, url: str, post: str = "") -> Got:
        """post: what is sent, by POST; "" for GET."""
        via: list[str] = []
        try:
            async with asyncio.timeout(WHOLE):
                while True:
                    answer = await self._step(url, post)
                    if answer.status not in STATUSES or not answer.location:
                        break
                    if len(via) == MOST:
                        raise Lost(f"more than {MOST} redirects")
                    url, post = follow(url, answer.location), "" if answer.status == 303 else post
                    via.append(url)
        except ForUser as error:
            raise Lost(error.what) from None
        except TimeoutError:
            raise Lost(f"no answer within {WHOLE:g} s") from None
        except Lost as lost:
            raise Lost(f"{url}: {lost.why}") if via else lost from None
        if answer.status != 200:
            raise Lost(f"status {answer.status}", answer.status in ABSENT and not via)
        return Got(answer.body, tuple(via))

    async def address(self, host: str) -> str:
        """The first that may be spoken to, IPv4 before IPv6. Raises Lost."""
        found = [record for kind in ("A", "AAAA") for record in (await self._book.look(host, kind)).records]
        if not found:
            raise Lost("no such name", absent=True)
        allowed = (one for one in found if self._world.local or public(ipaddress.ip_address(one)))
        if (first := next(allowed, None)) is None:
            raise Lost("its addresses are not of the public Internet", absent=True)
        return first

    async def _step(self, url: str, post: str) -> _Answer:
        parts = urlsplit(url)
        address = await self.address(parts.hostname or "")
        try:
            async with self._world.gate.turn(address), asyncio.timeout(STEP):
                return await self._asked(url, address, post)
        except TimeoutError:
            raise Lost(f"no answer within {STEP:g} s") from None
        except h11.RemoteProtocolError:
            raise Lost("it does not speak HTTP") from None
        except (OSError, EOFError, ValueError) as error:
            raise Lost(trouble(error)) from None

    async def _asked(self, url: str, address: str, post: str) -> _Answer:
        parts = urlsplit(url)
        host, secure = parts.hostname or "", parts.scheme == "https"
        tls = context(self._world.roots) if secure else None
        reader, writer = await asyncio.open_connection(
            address, 443 if secure else 80, ssl=tls, server_hostname=host if secure else None, limit=BLOCK
        )
        try:
            return await _conversed(host, url.split("/", 3)[3], post.encode(), reader, writer)
        finally:
            writer.transport.abort()


async def _conversed(
    host: str, path: str, data: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> _Answer:
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_OF_HEAD)
    accept = "text/xml, application/xml, application/json"
    headers = [("Host", host), ("User-Agent", "mailsrv"), ("Accept", accept), ("Connection", "close")]
    if data:
        headers += [("Content-Type", "text/xml; charset=utf-8"), ("Content-Length", str(len(data)))]
    request = h11.Request(method="POST" if data else "GET", target=f"/{path}", headers=headers)
    sent = [http.send(request), *((http.send(h11.Data(data=data)),) if data else ()), http.send(h11.EndOfMessage())]
    writer.write(b"".join(part or b"" for part in sent))
    status, location, body = 0, "", b""
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(BLOCK))
        elif isinstance(event, h11.Response):
            status = event.status_code
            found = {bytes(name).lower(): bytes(value) for name, value in event.headers}
            location = found.get(b"location", b"").decode("latin-1")
            if status in STATUSES:
                return _Answer(status, b"", location)
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > LARGEST:
                raise ValueError(f"more than {LARGEST} octets")
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            return _Answer(status, body, location)


def trouble(error: Exception) -> str:
    """In words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: {printable(error.verify_message)}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {printable(error.reason or 'no handshake')}"
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return os.strerror(error.errno)
    return printable(str(error))[:200] or type(error).__name__
