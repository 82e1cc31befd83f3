"""What each authoritative server says itself, past every cache: the proof that a record is everywhere, or gone everywhere.

    async with Authorities(resolver) as authorities:
        zone = await authorities.zone_of(answer.place)
        consensus = await authorities.consensus(zone, answer.place, "TLSA")

The zone, its servers and their addresses come from the validating resolver; the servers are asked directly, without
recursion. Standards: RFC 1034 4.2.1 (zone cuts), RFC 2181 6.1, RFC 1035 4.1.1 (AA).
Fails by values: a `Zone` without servers says why; a server that gives no answer of its own is `Told(items=None)`.
Limits: servers, addresses of each, questions at once, tries and seconds (`Patience`); what exceeds them is not left out
silently, it makes the consensus incomplete.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Self

from dnsops.base.errors import ForUser
from dnsops.records.rdata import Rdata
from dnsops.resolve.answer import Answer, Consensus, Resolver, Sealed, Security, Server, Told, Zone
from dnsops.resolve.line import Line, Patience, Question, Silence

if TYPE_CHECKING:
    import dns.message

MOST_SERVERS = 32
MOST_ADDRESSES = 8
MOST_STEPS = 40  # from a name up to its zone; an ip6.arpa name has 34 labels
AT_ONCE = 64
PROVEN_OR_PLAIN = (Security.SECURE, Security.INSECURE)


class Authorities:
    """One run's view: zones are looked up once, and each address has one line."""

    def __init__(self, resolver: Resolver, patience: Patience | None = None, port: int = 53) -> None:
        self._resolver, self._patience, self._port = resolver, patience or Patience(), port
        self._zones: dict[str, asyncio.Task[Zone]] = {}
        self._lines: dict[str, Line] = {}
        self._room = asyncio.Semaphore(AT_ONCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        for task in self._zones.values():
            task.cancel()
        for line in self._lines.values():
            line.close()
        self._zones, self._lines = {}, {}

    async def zone_of(self, name: str, apex: str | None = None) -> Zone:
        """The closest zone that holds a name. `apex`: who has an `Answer` about the name knows it (`answer.zone`)."""
        if apex is None:
            found = await find_apex(self._resolver, name)
            if isinstance(found, Zone):
                return found
            apex = found
        task = self._zones.get(apex)
        if task is None:
            task = self._zones[apex] = asyncio.create_task(servers_of(self._resolver, apex))
        zone = await asyncio.shield(task)
        if not zone.servers:
            self._zones.pop(apex, None)  # it may be better luck next time
        return zone

    async def consensus(self, zone: Zone, name: str, type_name: str) -> Consensus:
        """Every server's word on one RRset. `name` is the place itself (`Answer.place`): aliases are not followed."""
        return Consensus(tuple(await asyncio.gather(*(self._told(server, name, type_name) for server in zone.servers))))

    async def sealed(self, zone: Zone, name: str, type_name: str) -> tuple[Sealed, ...]:
        """As `consensus`, with the signatures that each server gives along. Nothing of it is validated here."""
        return tuple(await asyncio.gather(*(self._sealed(server, name, type_name) for server in zone.servers)))

    async def delegated(self, parent: Zone, apex: str) -> Zone:
        """A zone's servers as its parent's servers name them, unproven: for looking at a zone that does not validate."""
        for server in parent.servers:
            said = await self._ask(server, Question(apex, "NS"))
            if not isinstance(said, Silence) and (found := await _referral(self._resolver, said, apex)):
                return Zone(apex, found)
        return Zone(apex, (), f"no server of {parent.apex or 'the root'} names servers for {apex}")

    async def _told(self, server: Server, name: str, type_name: str) -> Told:
        said = await self._ask(server, Question(name, type_name))
        if isinstance(said, Silence):
            return Told(server, why=said.why, unreachable=said.unreachable)
        return hear(server, said, name, type_name)

    async def _sealed(self, server: Server, name: str, type_name: str) -> Sealed:
        said = await self._ask(server, Question(name, type_name, dnssec=True))
        if isinstance(said, Silence):
            return Sealed(Told(server, why=said.why, unreachable=said.unreachable))
        from dnsops.resolve import reading

        told = hear(server, said, name, type_name)
        try:
            return Sealed(told, reading.items("RRSIG", reading.signatures(said, name, type_name)))
        except ForUser as error:
            return Sealed(Told(server, why=str(error)))

    async def _ask(self, server: Server, question: Question) -> dns.message.Message | Silence:
        if not server.address:
            return Silence("its address could not be found out")
        line = self._lines.get(server.address)
        if line is None:
            line = self._lines[server.address] = Line(server.address, self._patience, self._port)
        async with self._room:
            return await line.ask(question)


def hear(server: Server, said: dns.message.Message, name: str, type_name: str) -> Told:
    """A server's message as its word on (name, type)."""
    from dnsops.resolve import reading

    rcode = reading.rcode(said)
    if rcode not in ("NOERROR", "NXDOMAIN"):
        return Told(server, why=f"it answers {rcode}")
    if not reading.authoritative(said):
        return Told(server, why="it does not serve the zone (lame: its answer is not authoritative)")
    target = reading.alias(said, name) if type_name != "CNAME" else None
    if target is not None:
        return Told(server, why=f"it shows an alias to {target}")
    read = reading.read(said, name, type_name)
    try:
        items = reading.items(type_name, read.data or ())
    except ForUser as error:
        return Told(server, why=str(error))
    return Told(server, items, read.ttl if items else 0)


async def find_apex(resolver: Resolver, name: str) -> str | Zone:
    """The apex of the zone that a name is in, walking up; a `Zone` without servers when nobody can say."""
    here = name
    for _ in range(MOST_STEPS):
        answer = await resolver.ask(here, "SOA")
        if answer.security not in PROVEN_OR_PLAIN:
            return Zone(here, (), f"the zone of {name} could not be found out: {_why(answer)}")
        if answer.canonical == here:
            if answer.items:
                return here
            if answer.zone is not None:
                return answer.zone
        if not here:
            break
        here = here.partition(".")[2]  # an alias stands in its parent's zone, or higher up
    return Zone(name, (), f"{name}: no zone holds it")


async def servers_of(resolver: Resolver, apex: str) -> Zone:
    """The zone with every address of every server."""
    answer = await resolver.ask(apex, "NS")
    hosts = sorted(str(item).lower().removesuffix(".") for item in answer.items)
    if answer.security not in PROVEN_OR_PLAIN or not hosts:
        return Zone(apex, (), f"the name servers of {apex or 'the root'} could not be found out: {_why(answer)}")
    if len(hosts) > MOST_SERVERS:
        return Zone(apex, (), f"{apex} has {len(hosts)} name servers, and we ask {MOST_SERVERS} at the most")
    groups = await asyncio.gather(*(_servers(resolver, host) for host in hosts))
    servers = tuple(server for group in groups for server in group)
    return Zone(apex, servers, "" if servers else f"none of the name servers of {apex} has an address")


async def _referral(resolver: Resolver, said: dns.message.Message, apex: str) -> tuple[Server, ...]:
    """The servers of a referral; those without an address in it are looked up."""
    from dnsops.resolve import reading

    found: list[Server] = []
    for host, addresses in sorted(reading.delegation(said, apex).items())[:MOST_SERVERS]:
        glue = [Server(host, address) for address in addresses[:MOST_ADDRESSES]]
        found += glue or await _servers(resolver, host)
    return tuple(found)


async def _servers(resolver: Resolver, host: str) -> list[Server]:
    """A server's addresses. One that is proven to have none is left out: nobody can hear it."""
    answers = await asyncio.gather(resolver.ask(host, "A"), resolver.ask(host, "AAAA"))
    found = [Server(host, str(item)) for answer in answers for item in _in_order(answer.items)[:MOST_ADDRESSES]]
    doubtful = any(answer.security not in PROVEN_OR_PLAIN for answer in answers)
    return [*found, Server(host, "")] if doubtful else found


def _in_order(items: frozenset[Rdata]) -> list[Rdata]:
    return sorted(items, key=str)


def _why(answer: Answer) -> str:
    return answer.why or f"{answer.rcode}, {answer.security.value}"
