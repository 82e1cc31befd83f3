"""Where mail for a domain goes: a flow that asks the validating resolver and ends in hosts, or in a verdict.

    next_hop given ──> that host, or "here"
    [192.0.2.1], [IPv6:...] ──> that address
    MX: bogus, SERVFAIL, silent ──> later, never a bounce and never the A record
        NXDOMAIN ──> 5.1.2     "0 ." alone ──> 5.1.10 (RFC 7505)     none ──> the domain itself is the host (RFC 5321 5.1)
        some ──> by preference, equal ones shuffled; ourselves found among them: we and all that is not before us go

Standards: RFC 5321 5.1, 7505, 1035 3.3.9, 3596; an alias as MX (RFC 2181 10.3 forbids it) is tolerated, as everyone does.
Limits: 20 MX records looked at, 4 addresses of a family a host, 12 addresses in all.
Fails by: a `Verdict`; nothing is raised. Pure.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby, zip_longest
from typing import TypeAlias

from dnsops.base.errors import ForUser
from dnsops.base.flow import Flow
from dnsops.records import names
from dnsops.resolve.answer import Answer, Question, Security
from mailsrv.send.nexthop import Here, NextHop
from mailsrv.send.verdict import Verdict, failed, later
from mailsrv.transport.host import PORT, Host

MOST_HOSTS = 20
MOST_OF_A_FAMILY = 4
MOST_ADDRESSES = 12
FAMILIES = ("AAAA", "A")

Ip: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"


@dataclass(frozen=True, slots=True)
class Route:
    """Hosts in the order in which they are tried; `proven`: the MX RRset is DNSSEC-secure, or an administrator's word."""

    hosts: tuple[Host, ...]
    proven: bool = False
    via: NextHop | None = None

    @property
    def addresses(self) -> list[tuple[Host, str]]:
        """Each host's in turn, bounded."""
        return [(host, address) for host in self.hosts for address in host.addresses][:MOST_ADDRESSES]


Way = Route | Here | Verdict


@dataclass(frozen=True)
class Ours:
    """Who we are: host names, addresses, and the domains whose mailboxes are here. `loopback`: every loopback address is us."""

    names: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    loopback: bool = True

    @cached_property
    def _ips(self) -> frozenset[Ip]:
        return frozenset(ipaddress.ip_address(address) for address in self.addresses)

    def is_us(self, host: Host) -> bool:
        return {host.name, host.canonical} & self.names != set() or any(map(self.has, host.addresses))

    def has(self, address: str) -> bool:
        ip = _unmapped(ipaddress.ip_address(address))
        return ip in self._ips or (self.loopback and (ip.is_loopback or ip.is_unspecified))


@dataclass(frozen=True)
class Router:
    """How routes are found here. next_hop: `Here()`, a smarthost, or None for the MX. shuffle: of hosts of one preference."""

    ours: Ours = field(default_factory=Ours)
    next_hop: NextHop | Here | None = None
    families: tuple[str, ...] = FAMILIES
    port: int = PORT
    shuffle: Callable[[list[Host]], None] = lambda hosts: None

    def route(self, domain: str) -> Flow[Question, Answer, Way]:
        """The way of mail for a domain, as it stands after the last @."""
        if isinstance(self.next_hop, Here):
            return Here()
        if self.next_hop is not None:
            return (yield from self._smarthost(self.next_hop))
        if domain.startswith("["):
            return self._literal(domain)
        try:
            name = names.canonical(domain)
        except ForUser as error:
            return failed("5.1.3", f"{domain}: not a domain ({error.what})")
        if name in self.ours.domains:
            return Here()
        return (yield from self._by_mx(name))

    def _smarthost(self, hop: NextHop) -> Flow[Question, Answer, Way]:
        address = _address(hop.host)
        if address is not None:
            return Route((Host(hop.host, (str(address),), hop.port, hop.host),), proven=True, via=hop)
        found = yield from self._host(names.canonical(hop.host), 0, hop.port)
        if isinstance(found, Verdict):
            # the administrator's to mend: nobody's mail bounces for it
            return later("4.4.3", f"the next hop {hop.host}: {found.reason}")
        return Route((found,), proven=True, via=hop)

    def _literal(self, domain: str) -> Way:
        inner = domain[1:-1] if domain.endswith("]") else ""
        v6 = inner[:5].lower() == "ipv6:"
        address = _address(inner[5:] if v6 else inner)
        if address is None or (address.version == 6) is not v6:
            return failed("5.1.3", f"{domain}: not an address literal")
        if self.ours.has(str(address)):
            return failed("5.4.6", f"{domain} is this host: the mail would come back")
        return Route((Host(domain, (str(address),), self.port),)) if _usable(address) else _unreachable(domain)

    def _by_mx(self, domain: str) -> Flow[Question, Answer, Way]:
        answer = yield Question(domain, "MX")
        if verdict := _unknown(answer, f"the MX of {domain}"):
            return verdict
        if answer.rcode == "NXDOMAIN":
            return failed("5.1.2", f"there is no domain {domain}")
        wanted = _preferences(answer)
        if wanted is None:
            return failed("5.1.10", f"{domain} takes no mail: it says so by a null MX")
        if not wanted:
            return (yield from self._implicit(domain, answer.proven))
        return (yield from self._hosts(domain, wanted, answer.proven))

    def _implicit(self, domain: str, proven: bool) -> Flow[Question, Answer, Way]:
        found = yield from self._host(domain, 0, self.port)
        if isinstance(found, Verdict):
            return found
        if self.ours.is_us(found):
            return _loop(domain)
        return Route((found,), proven)

    def _hosts(self, domain: str, wanted: list[tuple[int, str]], proven: bool) -> Flow[Question, Answer, Way]:
        found: list[Host] = []
        trouble: Verdict | None = None
        for preference, name in wanted:
            if name in self.ours.names:
                found.append(Host(name, (), self.port, name, False, preference))
                continue
            host = yield from self._host(name, preference, self.port)
            if isinstance(host, Host):
                found.append(host)
            elif trouble is None or host.code.startswith("4"):
                trouble = host
        us = min((host.preference for host in found if self.ours.is_us(host)), default=None)
        before = [host for host in found if us is None or host.preference < us]
        if before:
            return Route(tuple(self._ordered(before)), proven)
        if trouble is not None and trouble.code.startswith("4"):
            return trouble
        return _loop(domain) if us is not None else failed("5.4.4", f"no MX of {domain} has an address")

    def _ordered(self, hosts: list[Host]) -> list[Host]:
        """Lowest preference first, equal ones in any order (RFC 5321 5.1)."""
        ordered: list[Host] = []
        for _, group in groupby(sorted(hosts, key=lambda host: host.preference), key=lambda host: host.preference):
            equal = list(group)
            self.shuffle(equal)
            ordered += equal
        return ordered

    def _host(self, name: str, preference: int, port: int) -> Flow[Question, Answer, Host | Verdict]:
        """A host and its addresses; a family that cannot be known does not stand in the way of the other."""
        answers: list[Answer] = []
        for family in self.families:
            answers.append((yield Question(name, family)))
        trouble = [verdict for answer in answers if (verdict := _unknown(answer, f"the addresses of {name}"))]
        addresses = _mixed([_addresses(answer) for answer in answers if not _unknown(answer, "")])
        if addresses:
            known = next(answer for answer in answers if answer.items)
            proven = not trouble and all(answer.proven for answer in answers if answer.items)
            return Host(name, addresses, port, known.canonical or name, proven, preference)
        if trouble:
            return trouble[0]
        if all(answer.rcode == "NXDOMAIN" for answer in answers):
            return failed("5.1.2", f"there is no host {name}")
        return _unreachable(name)


def _unknown(answer: Answer, what: str) -> Verdict | None:
    """Bogus, refused or silent is never "there is none" (promise P-28)."""
    if answer.security in (Security.BOGUS, Security.FAILED) or answer.rcode not in ("NOERROR", "NXDOMAIN"):
        return later("4.4.3", f"{what} cannot be known now: {answer.why or answer.rcode or answer.security.value}")
    return None


def _preferences(answer: Answer) -> list[tuple[int, str]] | None:
    """(preference, host), the best first, bounded; None for a null MX. What is no host name is left out."""
    found: list[tuple[int, str]] = []
    null = False
    for item in answer.items:
        preference, _, target = str(item).partition(" ")
        try:
            name = names.canonical(target)
        except ForUser:
            continue
        null = null or name == ""
        if name:
            found.append((int(preference), name))
    if null and not found:
        return None
    return sorted(found)[:MOST_HOSTS]


def _addresses(answer: Answer) -> list[str]:
    usable = [str(ip) for item in answer.items if (ip := _address(str(item))) is not None and _usable(ip)]
    return sorted(usable)[:MOST_OF_A_FAMILY]


def _mixed(families: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """One of each family in turn, so that a broken family costs one attempt and not all."""
    return tuple(address for pair in zip_longest(*families) for address in pair if address is not None)


def _address(text: str) -> Ip | None:
    try:
        return _unmapped(ipaddress.ip_address(text))
    except ValueError:
        return None


def _unmapped(ip: Ip) -> Ip:
    """::ffff:192.0.2.1 reaches 192.0.2.1."""
    return (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip


def _usable(ip: Ip) -> bool:
    """Whether a connection can go there at all; link-local addresses need a zone that the DNS does not give."""
    return not (ip.is_multicast or ip.is_link_local or ip == ipaddress.IPv4Address("255.255.255.255"))


def _unreachable(name: str) -> Verdict:
    return failed("5.4.4", f"{name} has no address that mail could go to")


def _loop(domain: str) -> Verdict:
    return failed("5.4.6", f"mail for {domain} loops back to this host, which does not take it")
