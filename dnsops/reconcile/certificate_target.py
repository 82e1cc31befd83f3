"""What a person asked for about one host's certificate, and what a run did about it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from dnsops.acme.door import Kind
from dnsops.base.errors import Deliberate
from dnsops.providers.door import Provider
from dnsops.rollover.certificate import Decision, Look, Policy
from dnsops.rollover.look import Finding


@dataclass(frozen=True)
class Target:
    """One host. names: what its certificate shall be for, the host first.

    provider: who holds the zones, for dns-01.  install: the words of what wakes the server that shows the pair (dnsops/certs/installing); none for one that looks.
    """

    host: str
    names: tuple[str, ...]
    policy: Policy = field(default_factory=Policy)
    challenge: Kind = "dns-01"
    provider: Callable[[], Provider] | None = None
    profile: str = ""
    preferred_chain: str = ""
    install: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a run did for one host. look: as it is afterwards.

    issued: whether a certificate came; switched: whether one became current; installed: whether the server was told.
    error: why it could not do what it decided.
    """

    host: str
    look: Look
    decision: Decision | None = None
    issued: bool = False
    switched: bool = False
    installed: bool = False
    findings: tuple[Finding, ...] = ()
    error: Deliberate | None = None


@dataclass(frozen=True)
class Turn:
    """Whether the next pair became current, or why not. told: its server was told, too."""

    switched: bool = False
    told: bool = False
    findings: tuple[Finding, ...] = ()
