"""Whether a linked page answers: one HEAD request, no redirect followed, the status and nothing else read.

Standard: RFC 9110 9.3.2, RFC 9112 4. The name is resolved once and the address pinned; addresses that are not of the public
Internet are refused unless the caller says that this network is meant, so that no message makes us talk to our own house.
Limits: SECONDS for a page, LINE octets of its answer. Fails by: a `Page` without a status, and why.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

from checks.deliverability.known import Page
from dnsops.resolve.answer import Resolver
from mailsrv.spam.hints import plain
from mailsrv.transport.fetching import context, public

SECONDS = 8.0
LINE = 2048


async def page(target: str, asked: Resolver, local: bool = False) -> Page:
    """Ask for one page."""
    try:
        async with asyncio.timeout(SECONDS):
            parts = urlsplit(target)
            return await _head(target, parts, await _address(parts.hostname or "", asked, local))
    except TimeoutError:
        return Page(target, 0, f"no answer within {SECONDS:g} s")
    except ssl.SSLError as error:
        return Page(target, 0, f"TLS: {plain(error.reason or 'no handshake')}")
    except (OSError, ValueError, EOFError) as error:
        return Page(target, 0, plain(str(error)) or type(error).__name__)


async def _address(host: str, asked: Resolver, local: bool) -> str:
    with suppress(ValueError):
        return _allowed([str(ipaddress.ip_address(host))], local)
    answers = [await asked.ask(host, family) for family in ("A", "AAAA")]
    found = [str(item) for answer in answers for item in sorted(answer.items, key=str) if item.type in ("A", "AAAA")]
    if not found:
        raise ValueError(f"{host} has no address")
    return _allowed(found, local)


def _allowed(found: list[str], local: bool) -> str:
    for address in found:
        if local or public(ipaddress.ip_address(address)):
            return address
    raise ValueError("its address is not of the public Internet")


async def _head(target: str, parts: SplitResult, address: str) -> Page:
    secure = parts.scheme.lower() == "https"
    port = parts.port or (443 if secure else 80)
    name = (parts.hostname or "").encode("idna").decode()
    reader, writer = await asyncio.open_connection(
        address, port, ssl=context() if secure else None, server_hostname=name if secure else None, limit=LINE
    )
    try:
        writer.write(_request(parts, name))
        words = (await reader.readline()).split()
    finally:
        writer.transport.abort()
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        return Page(target, 0, "it does not speak HTTP")
    return Page(target, int(words[1][:3]))


def _request(parts: SplitResult, name: str) -> bytes:
    place = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    safe = "".join(c for c in place if "!" <= c <= "~")
    port = f":{parts.port}" if parts.port else ""
    return f"HEAD {safe} HTTP/1.1\r\nHost: {name}{port}\r\nUser-Agent: mailsrv\r\nConnection: close\r\n\r\n".encode()
