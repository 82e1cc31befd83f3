"""Asking how addresses are announced and what the RPKI says of it: a whois source and a relying party, both given by the user.

    routes = Routes(whois="riswhois.ripe.net:43", validity_url="http://127.0.0.1:8323/api/v1/validity", now=now)
    routing = await routes.of("192.0.2.1")

Each prefix is asked about once in a run, an answer is kept KEPT seconds. The addresses are cut to /24 and /48 before they leave
this machine. Addresses that are not global have no routes, unless `everywhere`.
Standards: RFC 3912 (whois), RFC 6811. Limits: 1 MiB of an answer, 3 s to connect and 8 s for a whois answer, AT_ONCE questions.
Fails by: nothing; `Routing.routes_known` and `.roas_known` tell a silent source.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from checks.facts.routing import Route, Routing
from checks.probe import announced
from checks.probe.announced import Announcement, Judged
from checks.probe.lately import Lately
from checks.probe.reach import trouble
from checks.probe.showing import evidence
from dnsops.base.errors import Misused

AT_ONCE = 8
KEPT = 600.0  # seconds
MOST_KEPT = 10_000
CONNECT, ANSWER = 3.0, 8.0
WHOIS_PORT = 43

Now = Callable[[], datetime]


class Silent(Exception):
    """A source gave nothing to go by; the text says why."""


class Routes:
    """Both sources, and what they said lately."""

    def __init__(self, whois: str, validity_url: str, now: Now, everywhere: bool = False) -> None:
        self._host, self._port = door(whois)
        self._url, self._now, self._everywhere = web(validity_url), now, everywhere
        self._room = asyncio.Semaphore(AT_ONCE)
        self._announced = Lately[tuple[Announcement, ...]](KEPT, MOST_KEPT)
        self._valid = Lately[Judged](KEPT, MOST_KEPT)

    async def of(self, address: str) -> Routing:
        """What is known of one address."""
        try:
            routes = await self._announcements(address)
        except Silent as silence:
            return Routing(address, routes_known=False, evidence=evidence((str(silence),), self._now()))
        try:
            return await self._judged(address, routes)
        except Silent as silence:
            said = [*map(_told, routes), str(silence)]
            return Routing(address, roas_known=False, evidence=evidence(said, self._now()))

    async def _announcements(self, address: str) -> tuple[Announcement, ...]:
        if not self._everywhere and not announced.worldwide(address):
            return ()
        asked = announced.asked(address)
        return await self._announced.get(asked, lambda: self._whois(asked))

    async def _judged(self, address: str, announcements: tuple[Announcement, ...]) -> Routing:
        if not announcements:
            covering = await self._validity(0, f"{address}/{128 if ':' in address else 32}")
            said = f"{address}: no route is known; {covering.roas} ROAs cover it"
            return Routing(address, roas=covering.roas, evidence=evidence((said,), self._now()))
        judged = await asyncio.gather(*(self._validity(one.asn, one.prefix) for one in announcements))
        routes = tuple(
            Route(one.asn, one.prefix, said.validity, said.roas, said.reason)
            for one, said in zip(announcements, judged, strict=True)
        )
        lines = tuple(
            f"{_told(one)}: {said.validity.value} {said.reason}"
            for one, said in zip(announcements, judged, strict=True)
        )
        return Routing(address, routes, evidence=evidence(lines, self._now()))

    async def _validity(self, asn: int, prefix: str) -> Judged:
        return await self._valid.get(f"AS{asn} {prefix}", lambda: self._routinator(asn, prefix))

    # the sources

    async def _whois(self, address: str) -> tuple[Announcement, ...]:
        try:
            async with self._room:
                said = await self._converse(f"-L {address}\r\n".encode("ascii"))
        except TimeoutError:
            raise Silent(f"{self._host} port {self._port}: silent") from None
        except OSError as error:
            raise Silent(f"{self._host} port {self._port}: {trouble(error)}") from None
        return announced.announcements(said.decode("utf-8", "replace"))

    async def _converse(self, query: bytes) -> bytes:
        async with asyncio.timeout(CONNECT):
            reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            async with asyncio.timeout(ANSWER):
                writer.write(query)
                await writer.drain()
                return await _all_of(reader)
        finally:
            writer.close()

    async def _routinator(self, asn: int, prefix: str) -> Judged:
        from checks.probe.fetching import fetch

        try:
            async with self._room:
                return announced.validity(await fetch(f"{self._url}/{asn}/{prefix}", ANSWER))
        except TimeoutError:
            raise Silent(f"{self._url}: silent") from None
        except OSError as error:
            raise Silent(f"{self._url}: {trouble(error)}") from None
        except ValueError as error:
            raise Silent(f"{self._url}: {error}") from None


async def _all_of(reader: asyncio.StreamReader) -> bytes:
    """Until the end, or as much as is read of anybody."""
    said = bytearray()
    while len(said) < announced.LARGEST and (part := await reader.read(65536)):
        said += part
    return bytes(said[: announced.LARGEST])


def _told(one: Announcement) -> str:
    return f"{one.prefix} is announced by AS{one.asn}"


def door(text: str) -> tuple[str, int]:
    """`HOST`, `HOST:PORT`, `[ADDRESS]:PORT`, `ADDRESS` -> host and port."""
    if text.count(":") > 1 and not text.startswith("["):
        return text, WHOIS_PORT
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        raise Misused(f"not a host: {text[:80]!r}", "--whois", "write HOST:PORT, as riswhois.ripe.net:43")
    return host, port or WHOIS_PORT


def web(url: str) -> str:
    """The address of the relying party, without a final slash."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Misused(f"not a web address: {url[:80]!r}", "--routinator", "write http://127.0.0.1:8323/api/v1/validity")
    return url.rstrip("/")
