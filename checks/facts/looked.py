"""What the DNS said and which ports answered, as values. Pure.

A look-up is made in one of two ways. Plain (`accurate=False`): asked with CD and without RD, so that an answer comes even when
it is bogus; its security is bogus by an extended error of {6..12}, else secure by AD, else insecure. Accurate: first without
CD; on SERVFAIL again with CD, and what comes then is bogus.
Standards: RFC 4035 3.2.2 (CD), RFC 8914 (extended errors), RFC 2308 (no data, no name). Fails by: nothing; failures are values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from dnsops.resolve.answer import Security

_ESCAPE = re.compile(r"\\([0-9]{3}|.)", re.DOTALL)  # RFC 1035 5.1
NO_WAY = "this machine has no way there"  # to a whole family of addresses: says nothing about them
BOGUS_ERRORS = frozenset({6, 7, 8, 9, 10, 11, 12})  # RFC 8914 4.7 to 4.13


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a person may read to believe a fact. lines: printable, made harmless by who gathered them.  at: when."""

    lines: tuple[str, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a judgement asks of the DNS. name: without the dot at its end, lower case.  accurate: see above."""

    name: str
    type: str
    accurate: bool = False


@dataclass(frozen=True, slots=True)
class Lookup:
    """An answer. rcode: NOERROR, NXDOMAIN, SERVFAIL ..., "" when nobody answered (then `why` says why).

    records: rdata in the answer's order, as presentation text with absolute names in lower case (`10 mx.example.org.`); of
    a TXT record its strings joined without separator, escaped (`\\"`, `\\\\`, `\\DDD`) but not quoted.
    """

    name: str
    type: str
    rcode: str = "NOERROR"
    security: Security = Security.INSECURE
    records: tuple[str, ...] = ()
    why: str = ""
    ede: tuple[int, ...] = ()
    canonical: str = ""
    evidence: Evidence = field(default=Evidence())

    @property
    def answered(self) -> bool:
        """Whether the question is settled: there are records, or none, or no such name."""
        return self.rcode in ("NOERROR", "NXDOMAIN")

    @property
    def texts(self) -> tuple[str, ...]:
        """The records without their escapes; an octet beyond ASCII is the character of the same number."""
        return tuple(_ESCAPE.sub(_unescaped, text) for text in self.records)

    @property
    def none(self) -> bool:
        """No such name, or no such records (RFC 2308)."""
        return self.answered and not self.records


def unasked(question: Question) -> Lookup:
    """The answer to what nobody asked: a failure, so that a hole in the facts is never taken for an absence."""
    return Lookup(question.name, question.type, "", Security.FAILED, why="not asked")


@dataclass(frozen=True, slots=True)
class Reached:
    """A try at one address. ok: it answered (a name server with anything, a mail host's port 25 with a connection)."""

    address: str
    ok: bool
    why: str = ""
    evidence: Evidence = field(default=Evidence())

    @property
    def v6(self) -> bool:
        return ":" in self.address

    @property
    def untold(self) -> bool:
        """Whether it is this machine that cannot go there, so that nothing is known of the address."""
        return not self.ok and self.why == NO_WAY


@dataclass(frozen=True, slots=True)
class Addresses:
    """A host, its addresses, and whether they answered. IPv4-mapped IPv6 addresses are not among them.

    reached: one for every address tried (name servers: port 53 by UDP, then TCP when cut; mail hosts: TCP port 25).
    """

    name: str
    v4: tuple[str, ...] = ()
    v6: tuple[str, ...] = ()
    reached: tuple[Reached, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.v6, *self.v4)


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1]) & 255) if len(found[1]) == 3 else found[1]
