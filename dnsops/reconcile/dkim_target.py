"""What a person asked to keep true for one domain's DKIM selectors, and what a run did about it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from dnsops.base.errors import Deliberate
from dnsops.dkim.ring import Ring, Selector
from dnsops.providers.door import Provider
from dnsops.reconcile.target import DEFAULT_TTL
from dnsops.rollover.dkim import Decision
from dnsops.rollover.dkim_look import Look, Policy
from dnsops.rollover.look import Finding


@dataclass(frozen=True)
class Target:
    """One domain. provider: who holds the zone, made when there is something to write; None when nobody was named.

    given: keys of another server, whose records are published and checked; nothing is ever rotated or removed for them.
    """

    domain: str
    policy: Policy = field(default_factory=Policy)
    ttl: int = DEFAULT_TTL
    provider: Callable[[], Provider] | None = None
    given: tuple[Selector, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a run did for one domain: everything a report needs. ring: as it is afterwards.

    due: why new keys were made, or would be in a dry run.  error: why it could not do what it decided.
    """

    domain: str
    ring: Ring
    look: Look
    decision: Decision | None = None
    due: str = ""
    added: frozenset[Selector] = frozenset()
    removed: frozenset[Selector] = frozenset()
    switched: bool = False
    findings: tuple[Finding, ...] = ()
    error: Deliberate | None = None
