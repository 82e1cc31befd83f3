"""Hosts as the site looks at them: which name servers a name has, their addresses, and which of these answer.

    servers = await name_servers(book, "example.org", reach)      # NS of it, else of what is above; port 53 tried
    hosts = await mail_hosts(book, ("mx.example.org",), reach)    # port 25 tried

Standards: RFC 1034 4.2.1, RFC 5321 5.1, RFC 4291 2.5.5.2 (IPv4-mapped addresses: left out).
Limits: MOST_SERVERS name servers, MOST_ADDRESSES of a family of a host; seconds in `reach`. Fails by: nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from ipaddress import IPv6Address

from checks.facts.looked import Addresses, Lookup, Reached
from checks.probe.book import Book

MOST_SERVERS = 32
MOST_ADDRESSES = 16
MOST_LABELS = 127

Reach = Callable[[str], Awaitable[Reached]]


async def name_servers(book: Book, domain: str, reach: Reach) -> tuple[Addresses, ...]:
    """The tested domain's, each of their addresses tried."""
    found = await serving(book, domain, rooted=False)
    return tuple(await asyncio.gather(*(located(book, name, reach) for name in found)))


async def servers_of_host(book: Book, host: str) -> tuple[Addresses, ...]:
    """Those of a mail host's name; nobody tries them."""
    found = await serving(book, host, rooted=True)
    return tuple(await asyncio.gather(*(located(book, name) for name in found)))


async def serving(book: Book, name: str, rooted: bool) -> list[str]:
    """The names of the name servers: of the name, else of the first above it that has any."""
    for above in ascent(name, rooted):
        found = sorted(_hosts(await book.look(above, "NS")))
        if found:
            return found[:MOST_SERVERS]
    return []


def ascent(name: str, rooted: bool) -> Iterator[str]:
    """The name and those above it while there is a dot in them; `rooted` names end with one, so top-level domains are asked."""
    labels = name.split(".")[:MOST_LABELS]
    for start in range(len(labels)):
        if start == 0 or rooted or len(labels) - start > 1:
            yield ".".join(labels[start:])


async def located(book: Book, name: str, reach: Reach | None = None) -> Addresses:
    """A host's addresses, and whether they answer."""
    six, four = await asyncio.gather(book.look(name, "AAAA"), book.look(name, "A"))
    v6 = tuple(address for address in six.records[:MOST_ADDRESSES] if not mapped(address))
    v4 = four.records[:MOST_ADDRESSES]
    reached = await asyncio.gather(*map(reach, (*v6, *v4))) if reach else ()
    return Addresses(name, v4, v6, tuple(reached))


def mapped(address: str) -> bool:
    """`::ffff:192.0.2.1`."""
    return IPv6Address(address).ipv4_mapped is not None


def _hosts(found: Lookup) -> Iterable[str]:
    return {record.lower().removesuffix(".") for record in found.records}
