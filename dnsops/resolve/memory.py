"""A little DNS in memory: resolver and authorities in one object, for tests and rehearsals.

    dns = MemoryDns({"example.org": Security.SECURE})
    dns.put("_25._tcp.mx1.example.org", "TLSA", "3 1 1 ab...", ttl=3600)
    dns.lag("192.0.2.2")                       # this server stays behind until `follow`
    dns.silence("2001:db8::1")                 # this one says nothing until `speak`
    dns.verdict("bogus.org", Security.BOGUS)   # what the validator says below this name

It knows aliases and wildcards as RFC 1034 4.3.2 and 4.3.3 do, and asks nobody. Fails by: `ForUser` for rdata that is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dnsops.records import names, rdata
from dnsops.records.rdata import Rdata
from dnsops.resolve.answer import Answer, Consensus, Security, Server, Told, Zone, failed

SERVERS = (
    Server("ns1.example.org", "192.0.2.1"),
    Server("ns1.example.org", "2001:db8::1"),
    Server("ns2.example.org", "192.0.2.2"),
)
VALIDATOR = "the validator"  # may lag too, as one with a cache does
MOST_ALIASES = 8


@dataclass(frozen=True, slots=True)
class RRset:
    items: frozenset[Rdata]
    ttl: int


Records = dict[tuple[str, str], RRset]


class MemoryDns:
    """Both a `Resolver` and what `Authorities` offers."""

    by = "memory"

    def __init__(self, zones: Mapping[str, Security], servers: tuple[Server, ...] = SERVERS) -> None:
        self.zones = dict(zones)
        self.servers = servers
        self.records: Records = {}
        self.asked: list[tuple[str, str]] = []
        self._verdicts: dict[str, tuple[Security, str, tuple[int, ...]]] = {}
        self._behind: dict[str, Records] = {}
        self._silent: dict[str, Told] = {}

    # what is so

    def put(self, name: str, type_name: str, *texts: str, ttl: int = 3600) -> None:
        """The RRset is these; none: it is gone."""
        self.hold(name, type_name, frozenset(rdata.parse(type_name, text) for text in texts), ttl)

    def hold(self, name: str, type_name: str, items: frozenset[Rdata], ttl: int = 3600) -> None:
        key = names.asked(name), type_name
        self.records.pop(key, None)
        if items:
            self.records[key] = RRset(items, ttl)

    def verdict(self, name: str, security: Security, why: str = "", ede: tuple[int, ...] = ()) -> None:
        """What the validator says about this name and everything below it, whatever its zone."""
        self._verdicts[name] = security, why, ede

    def lag(self, address: str) -> None:
        """A server (or VALIDATOR) that shows from now on what is so now."""
        self._behind[address] = dict(self.records)

    def follow(self, address: str) -> None:
        self._behind.pop(address, None)

    def silence(self, address: str, why: str = "silent", unreachable: bool = False) -> None:
        for server in self.servers:
            if server.address == address:
                self._silent[address] = Told(server, why=why, unreachable=unreachable)

    def speak(self, address: str) -> None:
        self._silent.pop(address, None)

    # asking

    async def ask(self, name: str, type_name: str) -> Answer:
        name = names.asked(name) if name else ""
        self.asked.append((name, type_name))
        security, why, ede = self._judged(name)
        if security is Security.FAILED:
            return failed(name, type_name, why or "no answer", self.by, ede)
        if security is Security.BOGUS:
            return Answer(name, type_name, security, rcode="SERVFAIL", why=why or "forged", ede=ede or (6,), by=self.by)
        return self._found(name, type_name, security, ede)

    async def zone_of(self, name: str, apex: str | None = None) -> Zone:
        found = self._apex(name) if apex is None else apex
        if found is None:
            return Zone(name, (), f"{name}: no zone holds it")
        return Zone(found, self.servers)

    async def consensus(self, zone: Zone, name: str, type_name: str) -> Consensus:
        return Consensus(tuple(self._told(server, name, type_name) for server in zone.servers))

    def _told(self, server: Server, name: str, type_name: str) -> Told:
        if server.address in self._silent:
            return self._silent[server.address]
        rrset = self._behind.get(server.address, self.records).get((name, type_name))
        return Told(server, rrset.items, rrset.ttl) if rrset else Told(server, frozenset())

    def _found(self, name: str, type_name: str, security: Security, ede: tuple[int, ...]) -> Answer:
        records = self._behind.get(VALIDATOR, self.records)
        canonical, place = name, _place(records, name)
        for _ in range(MOST_ALIASES):
            alias = records.get((place, "CNAME"))
            if alias is None or type_name == "CNAME":
                break
            canonical = str(next(iter(alias.items))).removesuffix(".")
            place = _place(records, canonical)
        rrset = records.get((place, type_name), RRset(frozenset(), 0))
        rcode = "NOERROR" if _exists(records, place) else "NXDOMAIN"
        wildcard = place if place != canonical and rrset.items else ""
        zone = self._apex(canonical)
        return Answer(
            name, type_name, security, rcode, rrset.items, rrset.ttl, canonical, wildcard, "", ede, self.by, zone
        )

    def _apex(self, name: str) -> str | None:
        return names.longest_suffix(name, list(self.zones))

    def _judged(self, name: str) -> tuple[Security, str, tuple[int, ...]]:
        told = names.longest_suffix(name, list(self._verdicts))
        if told is not None:
            return self._verdicts[told]
        apex = self._apex(name)
        return self.zones[apex] if apex is not None else Security.INSECURE, "", ()


def _exists(records: Records, name: str) -> bool:
    return any(names.under(owner, name) for owner, _ in records)


def _place(records: Records, name: str) -> str:
    """The name itself when it exists, else the wildcard at its closest encloser (RFC 4592 3.3.1), else the name."""
    if _exists(records, name):
        return name
    encloser = name
    while encloser and not _exists(records, encloser):
        encloser = encloser.partition(".")[2]
    wildcard = f"*.{encloser}" if encloser else "*"
    return wildcard if any(owner == wildcard for owner, _ in records) else name
