"""A world in memory: zones as a table, hosts that answer or hang, all of it counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from checks.facts import Lookup, Question, Reached, Routing, Tls
from checks.probe.world import World

FOREVER = 3600.0
Records = Mapping[tuple[str, str], tuple[str, ...]]


@dataclass
class Memory:
    """records: of (name, type).  hangs: names, types and addresses that never answer.  wait: seconds of every look at TLS."""

    records: Records
    hangs: frozenset[str] = frozenset()
    wait: float = 0.0
    asked: Counter[str] = field(default_factory=Counter)
    inside: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    by: str = "memory"

    async def look(self, question: Question) -> Lookup:
        self.asked[f"{question.name} {question.type}"] += 1
        await self._hang(question.name, question.type)
        found = self.records.get((question.name, question.type), ())
        return Lookup(question.name, question.type, records=found)

    async def look_tls(self, host: str, address: str) -> Tls:
        self.asked[f"tls {host}"] += 1
        self.inside[address] += 1
        self.most[address] = max(self.most[address], self.inside[address])
        await asyncio.sleep(self.wait)
        await self._hang(f"tls {address}")
        self.inside[address] -= 1
        return Tls(host, address, why="there is no server in memory")

    async def try_server(self, address: str, domain: str) -> Reached:
        await self._hang(address)
        return Reached(address, True)

    async def try_host(self, address: str) -> Reached:
        await self._hang(address)
        return Reached(address, True)

    async def of(self, address: str) -> Routing:
        await self._hang(f"route {address}")
        return Routing(address)

    async def _hang(self, *names: str) -> None:
        await asyncio.sleep(FOREVER if self.hangs & {*names} else 0)

    def world(self, budget: float = 5.0) -> World:
        return World(
            dns=self,
            look_tls=self.look_tls,
            try_server=self.try_server,
            try_host=self.try_host,
            now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
            organizational=lambda domain: ".".join(domain.split(".")[-2:]),
            routes=self,
            budget=budget,
        )


def mail_domain(domain: str, *hosts: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """MX, hosts, a name server, SPF and DMARC of a domain."""
    records = {
        (domain, "MX"): tuple(f"10 {host}." for host in hosts),
        (domain, "NS"): (f"ns.{domain}.",),
        (domain, "TXT"): ("v=spf1 mx -all",),
        (f"_dmarc.{domain}", "TXT"): ("v=DMARC1; p=reject",),
        (f"ns.{domain}", "A"): ("192.0.2.53",),
    }
    for number, host in enumerate(hosts, 1):
        records[host, "A"] = (f"192.0.2.{number}",)
        records[host, "AAAA"] = (f"2001:db8::{number:x}",)
    return records
