"""What internet.nl does not look at: names of the hosts' addresses, blocklists, the MTA-STS policy, records about reports.

Standards: RFC 1912 2.1 (reverse names), RFC 5782 (blocklists), RFC 8461 (MTA-STS), RFC 8460 (TLS-RPT).
The policy is fetched from public addresses only, unless the world is `local`: no zone makes us talk to our own network.
Limits: MOST_NAMES names of an address, MOST_ADDRESSES of a domain's hosts; those of the fetcher. Fails by: nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from math import inf

from checks.facts import Addresses, Beyond, Fetched, Listing, MailHost, Question, Reverse, Tls
from checks.facts.setup import Setup
from checks.probe.answers import Answers
from checks.probe.book import Book
from checks.probe.showing import evidence
from checks.probe.world import World
from dnsops.base.errors import ForUser
from dnsops.base.flow import arun
from dnsops.base.printable import printable
from dnsops.records import names
from mailsrv.spam import dnsbl

MOST_NAMES = 5
MOST_ADDRESSES = 24
LONGEST_HELO = 100
OF_POLICY = 0.3  # of the budget
SPARE = 0.5  # seconds, to hand over what came
RECORDS = ("_mta-sts", "_smtp._tls", "default._bimi")
_GREETING = re.compile(r"220[ -]\s*([^\s]{1,255})")


async def look(book: Book, domain: str, hosts: Sequence[MailHost], world: World, end: float = inf) -> Beyond:
    """All of it, side by side. end: of the loop's time; what comes from the Web stops a moment before."""
    end -= SPARE
    reverse, listings, policy, found, _ = await asyncio.gather(
        _reverse(book, hosts, world),
        _listings(book, hosts, world),
        _policy(book, domain, world, end),
        _setup(book, domain, hosts, world, end),
        book.look_each(Question(f"{label}.{domain}", "TXT") for label in RECORDS),
    )
    return Beyond(tuple(reverse), tuple(listings), policy, setup=found)


async def _setup(book: Book, domain: str, hosts: Sequence[MailHost], world: World, end: float) -> Setup | None:
    """What mail programs find; of a domain without mail hosts nobody asks it."""
    if not hosts:
        return None
    from checks.probe import setup

    return await setup.look(book, domain, tuple(host.name for host in hosts), world, end)


def _addresses(hosts: Iterable[Addresses]) -> list[str]:
    return list(dict.fromkeys(address for host in hosts for address in host.all))[:MOST_ADDRESSES]


# reverse names


async def _reverse(book: Book, hosts: Sequence[MailHost], world: World) -> list[Reverse]:
    helos = {host.tls.address: helo(host.tls) for host in hosts}
    addresses = _addresses(host.addresses for host in hosts)
    return list(await asyncio.gather(*(_names(book, address, helos.get(address, ""), world) for address in addresses)))


async def _names(book: Book, address: str, helo: str, world: World) -> Reverse:
    """The names of an address, and those of them that lead back to it."""
    found = await book.look(ip_address(address).reverse_pointer, "PTR")
    if not found.answered:
        return Reverse(address, helo=helo, known=False, why=found.why or found.rcode, evidence=found.evidence)
    called = [name for record in found.records[:MOST_NAMES] if (name := _host(record))]
    type_name = "AAAA" if ":" in address else "A"
    answers = await asyncio.gather(*(book.look(name, type_name) for name in called))
    confirmed = [name for name, answer in zip(called, answers, strict=True) if _has(answer.records, address)]
    lines = [line for answer in (found, *answers) for line in answer.evidence.lines]
    return Reverse(address, tuple(called), tuple(confirmed), helo, evidence=evidence(lines, world.now()))


def _has(records: Iterable[str], address: str) -> bool:
    return any(ip_address(record) == ip_address(address) for record in records)


def _host(record: str) -> str:
    try:
        return names.host(record)
    except ForUser:
        return ""


def helo(tls: Tls) -> str:
    """What a server calls itself in its greeting: `220 mx.example.org ESMTP`."""
    match = _GREETING.match(tls.banner)
    return printable(match[1][:LONGEST_HELO]).lower() if match else ""


# blocklists


async def _listings(book: Book, hosts: Sequence[MailHost], world: World) -> list[Listing]:
    addresses = _addresses(host.addresses for host in hosts)
    asked = (_listing(book, address, zone) for address in addresses for zone in world.blocklists)
    return list(await asyncio.gather(*asked))


async def _listing(book: Book, address: str, zone: str) -> Listing:
    said = await arun(dnsbl.address(address, dnsbl.List(zone)), Answers(book).answer)
    listed = {dnsbl.Found.LISTED: True, dnsbl.Found.CLEAN: False}.get(said.found)
    return Listing(zone, address, listed, said.codes, said.why)


# MTA-STS


async def _policy(book: Book, domain: str, world: World, end: float) -> Fetched | None:
    """What is served as the domain's policy, when a record says that there is one."""
    found = await book.look(f"_mta-sts.{domain}", "TXT")
    if not any(record.lower().startswith("v=stsv1") for record in found.records):
        return None
    from mailsrv.transport.fetching import Fetcher, context
    from mailsrv.transport.found import Fault

    url = f"https://mta-sts.{domain}/.well-known/mta-sts.txt"
    allows = (lambda ip: True) if world.local else None
    tls = context(world.roots) if world.roots else None
    left = max(0.1, end - asyncio.get_running_loop().time())
    deadline = min(world.budget * OF_POLICY, left)
    got = await Fetcher(Answers(book), allows, tls, deadline=deadline).document(domain)
    if isinstance(got, Fault):
        return Fetched(url, why=got.details, evidence=evidence((f"{url}: {got.details}",), world.now()))
    body = got.decode("utf-8", "replace")
    return Fetched(url, body, "text/plain", evidence=evidence((url, *body.splitlines()), world.now()))
