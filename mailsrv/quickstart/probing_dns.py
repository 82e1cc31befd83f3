"""What the DNS says now: the resolver's honesty, the zone, our names, block lists. Touches nothing but the resolver.

The records that are to be published are not asked for (a "no" would be remembered for the zone's negative TTL, RFC 2308 5),
but for the host's own name and the MX record: those must be known.
Fails by: answers that say why.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence

from dnsops.base.flow import arun
from dnsops.records import names
from dnsops.resolve.answer import Answer, Question, Resolver
from dnsops.resolve.authority import find_apex
from mailsrv.quickstart import facts
from mailsrv.quickstart.aside import aside
from mailsrv.quickstart.checks_names import pointed
from mailsrv.spam import dnsbl

SIGNED = ("", "NS")  # the root: everybody's chain begins there
FORGED = ("dnssec-failed.org", "rhybar.cz")  # kept broken by those who run them, for tests such as this one


async def validation(asking: Resolver) -> facts.Validation:
    signed, *forged = await asyncio.gather(asking.ask(*SIGNED), *(asking.ask(name, "A") for name in FORGED))
    return facts.Validation(signed, tuple(forged))


async def zone(asking: Resolver, domain: str, hostname: str) -> facts.Zone:
    types = ("SOA", "DS", "DNSKEY", "MX")
    soa, ds, dnskey, mx = await asyncio.gather(*(asking.ask(domain, one) for one in types))
    return facts.Zone(domain, hostname, soa, ds, dnskey, mx)


async def hostname(asking: Resolver, name: str, wanted: tuple[str, ...]) -> facts.HostName:
    found = await asyncio.gather(asking.ask(name, "A"), asking.ask(name, "AAAA"))
    return facts.HostName(name, wanted, tuple(found), await aside(lambda: _here(name)))


async def reverse(asking: Resolver, address: str, name: str) -> facts.Reverse:
    answer = await asking.ask(pointer(address), "PTR")
    return facts.Reverse(address, name, answer, pointed(answer))


async def listings(asking: Resolver, zone_name: str, addresses: Sequence[str]) -> facts.Listings:
    """One list's word on all addresses; first whether it serves us at all (RFC 5782 5)."""
    of = dnsbl.List(zone_name)

    async def ask(question: Question) -> Answer:
        return await asking.ask(question.name, question.type)

    if why := await arun(dnsbl.works(of), ask):
        return facts.Listings(zone_name, unusable=why)
    found = await asyncio.gather(*(arun(dnsbl.address(one, of), ask) for one in addresses))
    return facts.Listings(zone_name, tuple(one for one in found if one.found is dnsbl.Found.LISTED))


async def reverse_names(asking: Resolver, addresses: Sequence[str]) -> tuple[str, ...]:
    """All reverse names of some addresses."""
    answers = await asyncio.gather(*(asking.ask(pointer(one), "PTR") for one in addresses[:4]))
    return tuple(dict.fromkeys(name for answer in answers for name in pointed(answer)))


async def name_servers(asking: Resolver, domain: str) -> tuple[str, ...]:
    """Of the zone that the domain is in."""
    apex = await find_apex(asking, domain)
    if not isinstance(apex, str) or not apex:
        return ()
    answer = await asking.ask(apex, "NS")
    return tuple(sorted(names.asked(str(item)) for item in answer.items if item.type == "NS"))


def pointer(address: str) -> str:
    """The name under which an address has its PTR record (RFC 1035 3.5, RFC 3596 2.5)."""
    return ipaddress.ip_address(address).reverse_pointer


def _here(name: str) -> tuple[str, ...]:
    """What programs of this machine are told: /etc/hosts comes first there."""
    try:
        found = socket.getaddrinfo(name, 25, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))
