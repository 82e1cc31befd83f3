"""All that is to be seen of a mail domain, gathered: the DNS, its mail hosts, its name servers, their routing.

The order is the site's (reference internet.nl 3 to 5): the MX records say which hosts there are; all else goes side by side, each
host with one connection at a time. What is not there when the budget is over is missing in the facts, and the judges say so.
Limits: `World.budget` seconds; ten hosts; those of the rooms it calls. Fails by: nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from checks.facts import Addresses, Beyond, Facts, Lookup, MailHost, Question, Routing, Tls
from checks.facts.looked import unasked
from checks.judge import auth, caa, mx
from checks.probe import further, hosts
from checks.probe.book import Book
from checks.probe.known import Seen
from checks.probe.wanted import Unknown
from checks.probe.world import World
from dnsops.dnssec.facts import Facts as Zone
from dnsops.reconcile.zone_checks import Public

OF_HOST = 0.85  # of the budget: a host that takes longer is late, and the rest is told
MOST_OTHERS = 3  # addresses of a host beside the first
LATE = "the time budget was over"

Value = TypeVar("Value")


async def gather(domain: str, world: World) -> Facts:
    """Everything the judges read."""
    at, end = world.now(), asyncio.get_running_loop().time() + world.budget
    async with Book(world.dns) as book:
        servers, seen, _, zones, (ours, ours_why) = await asyncio.gather(
            _until(end, _name_servers(book, domain, world), ()),
            _mail_hosts(book, domain, world, end),
            _until(end, _about_domain(book, domain, world), None),
            _until(end, _zones(book, domain, world), ()),
            _until(end, _ours(domain, world), (None, LATE)),
        )
        mail = tuple(one.host for one in seen)
        routing, beyond = await asyncio.gather(
            _routing(world, servers, mail, end), _until(end, further.look(book, domain, mail, world, end), Beyond())
        )
        pages = dict(book.pages)
    beyond = replace(beyond, zones=zones, ours=ours, ours_why=ours_why)
    for one in seen:
        pages.update(one.pages)
    return Facts(domain, at, servers, mail, pages, routing, beyond, world.selectors(domain), world.heard(domain))


async def _name_servers(book: Book, domain: str, world: World) -> tuple[Addresses, ...]:
    return await hosts.name_servers(book, domain, lambda address: world.try_server(address, domain))


async def _about_domain(book: Book, domain: str, world: World) -> None:
    """What only the DNS is asked about."""
    plain = [Question(domain, type_name) for type_name in ("MX", "A", "AAAA", "NS")]
    await asyncio.gather(
        book.look_each([*plain, Question(domain, "SOA", accurate=True)]),
        book.follow(auth.look(domain, world.organizational, world.selectors(domain), world.heard(domain))),
    )


async def _zones(book: Book, domain: str, world: World) -> tuple[Zone, ...] | None:
    """Those of the domain and of its mail hosts."""
    if world.zones is None:
        return None
    hosts = _hosts(await book.answer(Question(domain, "MX")))
    return await world.zones.of([domain, *hosts], [(f"_25._tcp.{host}", "TLSA") for host in hosts])


async def _ours(domain: str, world: World) -> tuple[Public | None, str]:
    """What DNS says of our wishes; or why that is not known."""
    try:
        return (None, "") if world.wanted is None else (await world.wanted(domain), "")
    except Unknown as reason:
        return None, str(reason)


# mail hosts


async def _mail_hosts(book: Book, domain: str, world: World, end: float) -> list[Seen]:
    """Each of the hosts that are tested; one that takes too long is late."""
    asked = Question(domain, "MX")
    found = await _until(end, book.answer(asked), unasked(asked))
    looks = (
        _until(end, world.known.host(name, partial(_mail_host, name, world)), _late(name)) for name in _hosts(found)
    )
    return await asyncio.gather(*looks)


def _hosts(found: Lookup) -> tuple[str, ...]:
    """Those of an MX answer; which they are, no address of the domain decides."""
    unknown = unasked(Question(found.name, "A"))
    return mx.mx_of(found, unknown, unknown).hosts


async def _mail_host(name: str, world: World) -> Seen:
    """One host: what the DNS says of it, whether its ports answer, and then what STARTTLS shows."""
    end = asyncio.get_running_loop().time() + world.budget * OF_HOST
    async with Book(world.dns) as book:
        addresses, servers, _ = await asyncio.gather(
            _until(end, hosts.located(book, name, world.try_host), Addresses(name)),
            _until(end, hosts.servers_of_host(book, name), ()),
            _until(end, _about_host(book, name), None),
        )
        tls, others = await _all_tls(name, addresses, world, end)
        return Seen(MailHost(addresses, tls, servers, others), dict(book.pages))


async def _about_host(book: Book, name: str) -> None:
    tlsa = f"_25._tcp.{name}"
    asked = (Question(name, "SOA", accurate=True), Question(tlsa, "TLSA", accurate=True), Question(tlsa, "A"))
    await asyncio.gather(book.look_each(asked), book.follow(caa.find(name)))


async def _all_tls(name: str, addresses: Addresses, world: World, end: float) -> tuple[Tls, tuple[Tls, ...]]:
    """At the address that the site's scanner takes, IPv4 first; then, while there is time, at the others, one after the other."""
    first, *rest = (*addresses.v4, *addresses.v6) or ("",)
    if not first:
        return Tls(name, why="the host has no address"), ()
    tls = await _until(end, world.look_tls(name, first), Tls(name, first, late=True, why=LATE))
    others: list[Tls] = []
    untold = {one.address for one in addresses.reached if one.untold}
    for address in [one for one in rest if one not in untold][:MOST_OTHERS]:
        others.append(await _until(end, world.look_tls(name, address), Tls(name, address, late=True, why=LATE)))
    return tls, tuple(other for other in others if not other.late)


def _late(name: str) -> Seen:
    return Seen(MailHost(Addresses(name), Tls(name, late=True, why=LATE)), {})


# routing


async def _routing(
    world: World, servers: Iterable[Addresses], mail: Iterable[MailHost], end: float
) -> dict[str, Routing] | None:
    """Of every address that anything stands at; None when nobody was named who knows."""
    if world.routes is None:
        return None
    groups = (*servers, *(one for host in mail for one in (host.addresses, *host.name_servers)))
    addresses = sorted({address for group in groups for address in group.all})
    looks = (_until(end, world.routes.of(address), _unknown(address)) for address in addresses)
    return dict(zip(addresses, await asyncio.gather(*looks), strict=True))


def _unknown(address: str) -> Routing:
    return Routing(address, routes_known=False, roas_known=False)


async def _until(end: float, look: Awaitable[Value], otherwise: Value) -> Value:
    """What comes of it, or the other when the time is over."""
    try:
        async with asyncio.timeout_at(end):
            return await look
    except TimeoutError:
        return otherwise
