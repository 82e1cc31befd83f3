"""Ports: whether ours are free, whether mail may leave by port 25, whether we find ourselves at our public address.

Touches sockets; what it opens is closed at once. What a firewall further away does cannot be seen from here.
Limits: DIAL seconds for each server, LONGEST octets of a greeting. Fails by: facts that say why.
"""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from dnsops.base.printable import printable
from mailsrv.quickstart import facts
from mailsrv.serving.addresses import local
from mailsrv.serving.running import serving
from mailsrv.serving.sockets import bound

DIAL = 8.0  # seconds
LONGEST = 512  # octets of a greeting (RFC 5321 4.5.3.1.5)
OURS = (25, 465, 587, 143, 993, 80, 443)
EVERYWHERE = ("::", "0.0.0.0")


async def outbound(servers: Sequence[str], sources: Sequence[str]) -> facts.Outbound:
    """All servers at once."""
    source = next((one for one in sources if ":" not in one), None)
    return facts.Outbound(tuple(await asyncio.gather(*(_dialled(server, source) for server in servers))))


async def _dialled(server: str, source: str | None) -> facts.Dialled:
    host, _, port = server.partition(":")
    try:
        async with asyncio.timeout(DIAL):
            return facts.Dialled(server, await _greeted(host, int(port or 25), source))
    except TimeoutError:
        return facts.Dialled(server, "no answer")
    except (OSError, ValueError) as error:
        return facts.Dialled(server, _reason(error))


def _reason(error: OSError | ValueError) -> str:
    """asyncio's own words name the address again, which we do already."""
    number = error.errno or 0 if isinstance(error, OSError) else 0
    return os.strerror(number) if number > 0 else str(error.args[-1] if error.args else error)


async def _greeted(host: str, port: int, source: str | None) -> str:
    """What is wrong with the greeting, "" for a good one."""
    local_address = (source, 0) if source else None
    reader, writer = await asyncio.open_connection(host, port, local_addr=local_address, limit=LONGEST)
    try:
        line = await reader.readline()
        writer.write(b"QUIT\r\n")
        with suppress(OSError):
            await writer.drain()
    finally:
        writer.close()
    # 4xx and 5xx are greetings too: somebody is there, and the way is open
    if line[:3].isdigit():
        return ""
    return f"it says {printable(line[:60].decode('ascii', 'replace').strip())}" if line else "it hung up"


async def ports(addresses: Sequence[str], state: Path) -> facts.Ports:
    """Try to have each port where the server would listen."""
    if serving(state):
        return facts.Ports(ours=True)
    tried = [(address, port) for address in addresses or EVERYWHERE for port in OURS]
    return facts.Ports(tuple(found for one in tried if (found := _tried(*one))))


def _tried(address: str, port: int) -> facts.Taken | None:
    try:
        bound(address, port).close()
    except OSError as error:
        if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            return None  # behind NAT, or no IPv6 here
        return facts.Taken(address, port, denied=error.errno in (errno.EACCES, errno.EPERM))
    return None


async def addresses(wanted: Sequence[str]) -> facts.Addresses:
    """Which are ours by the interfaces; for the others, whether a connection to them comes back to us."""
    here = frozenset(local())
    away = [one for one in wanted if one not in here]
    found = await asyncio.gather(*(_reaches_us(one) for one in away))
    return facts.Addresses(
        tuple(wanted), here, tuple(one for one, came in zip(away, found, strict=True) if came is False)
    )


async def _reaches_us(address: str) -> bool | None:
    """Whether port 25 there is port 25 here; None when that cannot be tried."""
    word = secrets.token_bytes(16)
    try:
        server = await asyncio.start_server(_saying(word), sock=bound("::" if ":" in address else "0.0.0.0", 25))
    except OSError:
        return None
    async with server:
        try:
            async with asyncio.timeout(DIAL):
                reader, writer = await asyncio.open_connection(address, 25)
                heard = await reader.read(LONGEST)
                writer.close()
        except (OSError, TimeoutError):
            return False
    return heard == word


def _saying(word: bytes):  # type: ignore[no-untyped-def]
    async def say(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(word)
        with suppress(OSError):
            await writer.drain()
        writer.close()

    return say
