"""What the DNS answered, as values: proven or not, by whom, and why not. Pure.

Standards: RFC 4035 4.3 (secure, insecure, bogus, indeterminate), RFC 8914 (extended errors), RFC 2308 (negative TTL).
Verdicts are values here: a bogus answer is an `Answer`, not an exception.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from dnsops.records.rdata import Rdata


class Security(Enum):
    """RFC 4035 4.3, with the one word a program prints as its name and the sentence a person reads as its value."""

    SECURE = "proven by DNSSEC"
    INSECURE = "the zone is not signed: nothing is proven"
    BOGUS = "DNSSEC says that this answer is forged or broken"
    FAILED = "there was no answer"


@dataclass(frozen=True, slots=True)
class Answer:
    """A validated look-up of (name, type). Empty `items` with rcode NOERROR is NODATA, with NXDOMAIN no such name.

    canonical: the name where the data stands after CNAMEs (= name without any).
    wildcard: the wildcard's owner (`*.example.org`) when the data was made from one, else "".
    ttl: seconds, as the answer had it.  why: the reason for BOGUS and FAILED.  ede: RFC 8914 codes.
    by: who validated, for people: `libunbound 1.17.1`, or `the AD bit of 127.0.0.1`.
    zone: the apex of the zone where `canonical` lives, when the answer's signatures or its SOA say it, else None.
    """

    name: str
    type: str
    security: Security
    rcode: str = "NOERROR"
    items: frozenset[Rdata] = frozenset()
    ttl: int = 0
    canonical: str = ""
    wildcard: str = ""
    why: str = ""
    ede: tuple[int, ...] = ()
    by: str = ""
    zone: str | None = None

    @property
    def proven(self) -> bool:
        return self.security is Security.SECURE

    @property
    def place(self) -> str:
        """The name whose RRset this is: after CNAMEs, and the wildcard's own name when it made the answer."""
        return self.wildcard or self.canonical or self.name


def failed(name: str, type_name: str, why: str, by: str = "", ede: tuple[int, ...] = ()) -> Answer:
    """No answer, and why."""
    return Answer(name, type_name, Security.FAILED, rcode="", why=why, by=by, ede=ede)


@dataclass(frozen=True, slots=True)
class Question:
    """What a flow asks of the DNS; the answer to it is an `Answer`."""

    name: str
    type: str


class Resolver(Protocol):
    """A validating resolver."""

    async def ask(self, name: str, type_name: str) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Server:
    """One address of one authoritative server; the address is empty when it could not be found out."""

    name: str
    address: str

    def __str__(self) -> str:
        return f"{self.name} ({self.address or 'no address'})"


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone and all its authoritative servers' addresses, both families. Without servers, `why` says why."""

    apex: str
    servers: tuple[Server, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What one address of an authoritative server said; `items` is None when it did not answer, and `why` says it.

    unreachable: this machine has no route to that family (no IPv6 here), so its silence means nothing.
    """

    server: Server
    items: frozenset[Rdata] | None = None
    ttl: int = 0
    why: str = ""
    unreachable: bool = False


@dataclass(frozen=True, slots=True)
class Sealed:
    """What one address said about one RRset, with the RRSIGs over it, unproven."""

    told: Told
    signatures: frozenset[Rdata] = frozenset()


@dataclass(frozen=True, slots=True)
class Consensus:
    """Every authoritative server's word on one RRset."""

    told: tuple[Told, ...] = field(default=())

    @property
    def silent(self) -> tuple[Told, ...]:
        """Those who did not answer, though we could reach for them; and servers none of whose addresses we can reach."""
        heard = {told.server.name for told in self.told if told.items is not None}
        return tuple(
            told for told in self.told if told.items is None and (not told.unreachable or told.server.name not in heard)
        )

    @property
    def complete(self) -> bool:
        return bool(self.told) and not self.silent

    @property
    def everywhere(self) -> frozenset[Rdata] | None:
        """What all of them show; None when one is silent."""
        if not self.complete:
            return None
        answers = [told.items for told in self.told if told.items is not None]
        return frozenset.intersection(*answers)

    @property
    def anywhere(self) -> frozenset[Rdata]:
        """What at least one of them shows."""
        return frozenset().union(*(told.items for told in self.told if told.items is not None))

    @property
    def ttl(self) -> int:
        """The largest TTL that any of them hands out, in seconds."""
        return max((told.ttl for told in self.told), default=0)
