"""What a check needs of the world, handed in: who answers, how ports are tried, how long it may take.

Fails by: nothing; it only holds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from checks.facts import Reached, Routing, Tls
from checks.probe.asking import Asker
from checks.probe.known import Known
from checks.probe.tls.visit import Gate
from checks.probe.wanted import Wanted
from dnsops.dnssec.facts import Facts as Zone
from dnsops.dnssec.facts import Place

BUDGET = 55.0  # seconds for all that is asked about one domain; the rest of a minute is for judging and telling


def nobody_knows(domain: str) -> tuple[str, ...]:
    """No selector."""
    return ()


class Zones(Protocol):
    """Who looks at the zones of names."""

    async def of(self, names: Sequence[str], places: Sequence[Place]) -> tuple[Zone, ...]: ...


class Routers(Protocol):
    """Who knows how addresses are announced."""

    async def of(self, address: str) -> Routing: ...


@dataclass(frozen=True, slots=True)
class World:
    """dns: a validating resolver.  look_tls: what STARTTLS at (host, address) shows.  routes: None when nobody was named.

    try_server: (address, domain) port 53.  try_host: (address) port 25.  organizational: of a domain, by the public suffix list.
    selectors: of a domain's DKIM keys, those that are known.
    blocklists: zones to ask about the hosts' addresses.  local: addresses that are not global count as those of the Internet.
    known: hosts seen lately, for a run over many domains.  budget: seconds for one domain.
    roots: a PEM file of authorities that web servers may have, besides this machine's.
    zones: who looks at zones and their servers.  wanted: who knows what we wish for a domain of ours; both may be missing.
    heard: of a domain's DKIM selectors, those that mail in our store named.
    gate: one TLS connection at a time to an address, whoever asks.
    """

    dns: Asker
    look_tls: Callable[[str, str], Awaitable[Tls]]
    try_server: Callable[[str, str], Awaitable[Reached]]
    try_host: Callable[[str], Awaitable[Reached]]
    now: Callable[[], datetime]
    organizational: Callable[[str], str]
    routes: Routers | None = None
    selectors: Callable[[str], tuple[str, ...]] = nobody_knows
    blocklists: tuple[str, ...] = ()
    local: bool = False
    known: Known = field(default_factory=Known)
    budget: float = BUDGET
    roots: Path | None = None
    zones: Zones | None = None
    wanted: Wanted | None = None
    heard: Callable[[str], tuple[str, ...]] = nobody_knows
    gate: Gate = field(default_factory=Gate)
