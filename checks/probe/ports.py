"""Looking at every port of a domain's mail hosts for DANE: which have TLSA records, what they show, and the zones around them.

The hosts: a domain's MX, or the name itself when it has none. The ports: 25 always, the others of PORTS where a TLSA record is. The
looking is that of `mailsrv tlsa show` and `mailsrv dns dnssec`.
Limits: MOST_HOSTS hosts of a domain. Fails by: nothing; what could not be seen is in the values.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from dnsops.base.errors import Misused
from dnsops.dnssec.facts import Facts as Zone
from dnsops.reconcile import outside
from dnsops.reconcile.dnssec import look as look_at_zone
from dnsops.reconcile.dnssec import zones_of
from dnsops.reconcile.looking import Eyes, look_at
from dnsops.reconcile.target import Target
from dnsops.records import names
from dnsops.resolve.adbit import AdBit
from dnsops.resolve.answer import Answer, Resolver, Security
from dnsops.resolve.authority import Authorities
from dnsops.resolve.choice import resolver
from dnsops.resolve.settings import Settings
from dnsops.resolve.validator import Validator
from dnsops.rollover.look import Port

PORTS = (25, 465, 587, 143, 993, 110, 995, 4190, 443)
MOST_HOSTS = 12


@dataclass(frozen=True)
class Seen:
    """Of one domain. notes: what was left out.  why: it could not be looked at at all."""

    ports: tuple[Port, ...] = ()
    zones: tuple[Zone, ...] = ()
    notes: tuple[str, ...] = ()
    why: str = ""


def asked_of(named: str, configured: Settings | None) -> AdBit | Validator:
    """Who validates: the resolver that the user named (ADDRESS or ADDRESS@PORT, on loopback), else the usual one."""
    if not named:
        return resolver(configured)
    address, _, port = named.partition("@")
    port = port or "53"
    if not (port.isascii() and port.isdecimal() and is_address(address)):
        raise Misused(f"not an address: {named[:80]!r}", "--resolver", "write ADDRESS or ADDRESS@PORT")
    return AdBit((address,), port=int(port), believed=True)


def is_address(text: str) -> bool:
    """Whether it is an IP address."""
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


async def look(domain: str, asking: Resolver, authorities: Authorities) -> Seen:
    """One domain: its hosts, their ports, the zones of all of them."""
    answer = await asking.ask(domain, "MX")
    if answer.security is Security.FAILED:
        return Seen(why=f"{domain} MX: {answer.why}")
    hosts, notes = _hosts(domain, answer)
    eyes = Eyes(asking, authorities, outside.probe, lambda place: True)
    targets = [Target(host, port, ()) for host, port in await _with_records(hosts, eyes)]
    places, zones = await asyncio.gather(look_at(targets, eyes), _zones([domain, *hosts], asking, authorities))
    ports = sorted((port for place in places for port in place.look.ports), key=_order)
    return Seen(tuple(ports), tuple(zones), notes)


def _order(port: Port) -> tuple[str, int]:
    return port.host, PORTS.index(port.port)


def _hosts(domain: str, answer: Answer) -> tuple[list[str], tuple[str, ...]]:
    """Where the domain's mail goes. A null MX (RFC 7505) leaves nothing to look at but the zone."""
    found = [str(item).split()[1].rstrip(".") for item in answer.items if item.type == "MX"]
    hosts = sorted({host for host in found if host})
    if len(hosts) > MOST_HOSTS:
        return hosts[:MOST_HOSTS], (f"it has {len(hosts)} mail hosts; the first {MOST_HOSTS} were looked at",)
    if found and not hosts:
        return [], ("it takes no mail (null MX)",)
    return (hosts, ()) if hosts else ([domain], ("it has no MX record, and was looked at as a host",))


async def _with_records(hosts: Sequence[str], eyes: Eyes) -> list[tuple[str, int]]:
    """The ports that have TLSA records, and 25."""
    every = [(host, port) for host in hosts for port in PORTS]

    async def ask(host: str, port: int) -> Answer:
        async with eyes.at_once:
            return await eyes.resolver.ask(names.tlsa_owner(host, port), "TLSA")

    answers = await asyncio.gather(*(ask(host, port) for host, port in every))
    return [one for one, answer in zip(every, answers, strict=True) if answer.items or one[1] == PORTS[0]]


async def _zones(wanted: Sequence[str], asking: Resolver, authorities: Authorities) -> list[Zone]:
    """The zones of the domain and its hosts, each once."""
    apexes = await zones_of(wanted, asking)
    return list(await asyncio.gather(*(look_at_zone(apex, [], asking, authorities) for apex in apexes)))
