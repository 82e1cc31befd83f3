"""What a person asked to keep true: one port of one host, where its certificate comes from, and how to switch keys. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from dnsops.base.errors import Deliberate
from dnsops.certs.chain import Chain
from dnsops.providers.door import Provider
from dnsops.records.names import tlsa_owner
from dnsops.records.tlsa import Tlsa
from dnsops.rollover.look import Finding, Look, Policy
from dnsops.rollover.tlsa import Decision

SHORTEST_TTL, LONGEST_TTL = 30, 86400
DEFAULT_TTL = 300


class Source(Protocol):
    """A place that a certificate comes from (dnsops/certs/sources). Blocking; errors are `ForUser` or `Later`."""

    def read(self, host: str) -> Chain: ...


class Announced(Protocol):
    """A key that will be served later: its SubjectPublicKeyInfo (DER), and its certificate once it has one."""

    @property
    def spki(self) -> bytes: ...

    @property
    def chain(self) -> Chain | None: ...


class Keys(Protocol):
    """Where our own keys live, current and next (dnsops/certs/generations), as the story needs it. Blocking."""

    def next(self, host: str) -> Announced | None: ...

    def promote(self, host: str) -> object:
        """The next key becomes the current one, in one step."""
        ...

    def make_next(self, host: str) -> object:
        """A new key to announce."""
        ...


@dataclass(frozen=True)
class Target:
    """One port of one host. how: the protocol before TLS (`smtp`, `imap`, `implicit` ...), "" for the port's usual one.

    next_sources: certificates that will be served later.  keys: our own generations, when they hold this host's.
    reload: a command (argument list) after which the server shows the new key.  provider: who holds the zone, made when
    there is something to write; None when nobody was named.
    """

    host: str
    port: int
    sources: tuple[Source, ...]
    policy: Policy = field(default_factory=Policy)
    ttl: int = DEFAULT_TTL
    how: str = ""
    addresses: tuple[str, ...] = ()
    next_sources: tuple[Source, ...] = ()
    keys: Keys | None = None
    reload: tuple[str, ...] = ()
    provider: Callable[[], Provider] | None = None

    @property
    def owner(self) -> str:
        return tlsa_owner(self.host, self.port)


@dataclass(frozen=True)
class Place:
    """One RRset and the targets whose names lead there."""

    targets: tuple[Target, ...]
    look: Look
    zone: str
    error: Deliberate | None = None


@dataclass(frozen=True)
class Outcome:
    """What a run did at one place: everything a report needs. `error`: why it could not do what it decided."""

    look: Look
    decision: Decision | None = None
    zone: str = ""
    added: frozenset[Tlsa] = frozenset()
    removed: frozenset[Tlsa] = frozenset()
    switched: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    error: Deliberate | None = None
