"""Setting up an account as mail programs do: the same places in the same order, and each server that they name tried once.

    Thunderbird   https://autoconfig.DOMAIN/mail/config-v1.1.xml, https://DOMAIN/.well-known/autoconfig/mail/config-v1.1.xml, then
                  the same at the domain of the first mail host (its own data base, ISPDB, is not asked: it is no word of the domain)
    Outlook       POST https://DOMAIN/autodiscover/autodiscover.xml, https://autodiscover.DOMAIN/..., then SRV _autodiscover._tcp
    Apple, others SRV _submissions, _submission, _imaps, _imap, _pop3s, _pop3

Only public addresses are spoken to, unless the world is `local`; a redirect is told, not followed; ports that are not of mail are not
tried. Limits: SECONDS for each document and port, PLACES servers, LARGEST octets of a document. Standards: RFC 6186, RFC 9110.
Fails by: nothing; what could not be had says why.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import h11

from checks.facts import Facts, Question
from checks.facts.beyond import Beyond
from checks.facts.setup import CLEAR, IMPLICIT, Place, Service, Setup, Source
from checks.judge.setup import wanted
from checks.judge.setup_documents import LARGEST, SRV
from checks.probe.book import Book
from checks.probe.world import World
from dnsops.base.printable import printable
from mailsrv.transport.fetching import context, public

SECONDS, BLOCK, MOST_OF_HEAD = 5.0, 16384, 16384
PLACES, ADDRESSES = 6, 2
PORTS = (110, 143, 465, 587, 993, 995)
CONFIG, WELL_KNOWN = "/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml"
POST = "/autodiscover/autodiscover.xml"
ABSENT = (404, 410, 301, 302, 307, 308, 403, 405)
_ASKED = (
    '<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/'
    'requestschema/2006"><Request><EMailAddress>postmaster@{domain}</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft'
    ".com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>"
)


@dataclass(frozen=True, slots=True)
class Page:
    """Where a program asks, and how. body: of a POST, "" for GET."""

    host: str
    path: str
    who: str
    body: str = ""

    @property
    def where(self) -> str:
        return f"https://{self.host}{self.path}"


async def look(book: Book, domain: str, hosts: tuple[str, ...], world: World) -> Setup:
    """All places, and the servers that they name."""
    labels = [Question(f"{label}._tcp.{domain}", "SRV") for label in (*SRV, "_autodiscover")]
    *_, pointer = await book.look_each(labels)
    pages = list(_pages(domain, hosts, pointer.records))
    sources = tuple(await asyncio.gather(*(_source(page, book, world) for page in pages)))
    seen = Setup(sources)
    named = wanted(seen, Facts(domain, world.now(), book=book.pages, beyond=Beyond(setup=seen)))
    tried = [one for one in named if one.port in PORTS and one.security != CLEAR][:PLACES]
    return Setup(sources, tuple(await asyncio.gather(*(_tried(one, book, world) for one in tried))))


def _pages(domain: str, hosts: tuple[str, ...], pointer: tuple[str, ...]) -> Iterator[Page]:
    yield Page(f"autoconfig.{domain}", CONFIG, "Thunderbird")
    yield Page(domain, WELL_KNOWN, "Thunderbird")
    above = hosts[0].partition(".")[2] if hosts else ""
    if "." in above and above != domain:
        yield Page(f"autoconfig.{above}", CONFIG, "Thunderbird, by the mail host")
    body = _ASKED.format(domain=domain)
    yield Page(domain, POST, "Outlook", body)
    yield Page(f"autodiscover.{domain}", POST, "Outlook", body)
    for record in pointer[:1]:
        *_, port, target = ("", "", *record.split())
        if port == "443" and target not in ("", "."):
            yield Page(target.rstrip("."), POST, "Outlook, by SRV", body)


async def _source(page: Page, book: Book, world: World) -> Source:
    """What is there."""
    addresses, why = await _addresses(page.host, book, world)
    if not addresses:
        return Source(page.where, page.who, why=why, absent=True)
    try:
        async with asyncio.timeout(SECONDS):
            return await _fetched(page, addresses[0], world)
    except TimeoutError:
        return Source(page.where, page.who, why=f"no answer within {SECONDS:g} s", absent=not _own(page))
    except ssl.SSLError as error:
        return Source(page.where, page.who, why=f"TLS: {_of_tls(error)}", absent=not _own(page))
    except h11.RemoteProtocolError:
        return Source(page.where, page.who, why="it does not speak HTTP", absent=not _own(page))
    except (OSError, EOFError, ValueError) as error:
        return Source(page.where, page.who, why=_of_system(error), absent=not _own(page))


def _own(page: Page) -> bool:
    """Whether the name is there for this alone; at the domain itself another web server may live, which owes nothing."""
    return page.host.startswith(("autoconfig.", "autodiscover."))


async def _addresses(host: str, book: Book, world: World) -> tuple[list[str], str]:
    """Those that may be spoken to, IPv4 first."""
    found = [record for kind in ("A", "AAAA") for record in (await book.look(host, kind)).records]
    if not found:
        return [], "no such name"
    allowed = [one for one in found if world.local or public(ipaddress.ip_address(one))][:ADDRESSES]
    return allowed, "" if allowed else "its addresses are not of the public Internet"


async def _fetched(page: Page, address: str, world: World) -> Source:
    tls = context(world.roots)
    reader, writer = await asyncio.open_connection(address, 443, ssl=tls, server_hostname=page.host, limit=BLOCK)
    try:
        status, body = await _conversed(page, reader, writer)
    finally:
        writer.transport.abort()
    if status == 200:
        return Source(page.where, page.who, body)
    absent = status in ABSENT or not _own(page)
    return Source(page.where, page.who, why=f"status {status}", absent=absent)


async def _conversed(page: Page, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[int, bytes]:
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_OF_HEAD)
    data = page.body.encode()
    headers = [
        ("Host", page.host),
        ("User-Agent", "mailsrv"),
        ("Accept", "text/xml, application/xml"),
        ("Connection", "close"),
    ]
    if data:
        headers += [("Content-Type", "text/xml; charset=utf-8"), ("Content-Length", str(len(data)))]
    request = h11.Request(method="POST" if data else "GET", target=page.path, headers=headers)
    sent = [http.send(request), *((http.send(h11.Data(data=data)),) if data else ()), http.send(h11.EndOfMessage())]
    writer.write(b"".join(part or b"" for part in sent))
    status, body = 0, b""
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(BLOCK))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > LARGEST:
                raise ValueError(f"more than {LARGEST} octets")
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            return status, body


# the servers that are named


async def _tried(one: Service, book: Book, world: World) -> Place:
    """Whether it takes a connection; where TLS comes first, whether its certificate is of its name."""
    addresses, why = await _addresses(one.host, book, world)
    if not addresses:
        return Place(one.host, one.port, why)
    tls = context(world.roots) if one.security == IMPLICIT else None
    name = one.host if tls else None
    try:
        async with asyncio.timeout(SECONDS):
            _, writer = await asyncio.open_connection(addresses[0], one.port, ssl=tls, server_hostname=name)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
    except TimeoutError:
        return Place(one.host, one.port, f"no answer within {SECONDS:g} s")
    except ssl.SSLError as error:
        return Place(one.host, one.port, f"TLS: {_of_tls(error)}")
    except OSError as error:
        return Place(one.host, one.port, _of_system(error))
    return Place(one.host, one.port)


def _of_tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return printable(error.verify_message)
    return printable(error.reason or "no handshake")


def _of_system(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return os.strerror(error.errno)
    return printable(str(error))[:200] or type(error).__name__
