"""Rdata of every type, records and RRsets, as values that compare exactly.

`parse(type, text)` reads presentation text into the most exact value we have: `Tlsa` for TLSA, `Generic` otherwise.
A `Generic` holds dnspython's canonical presentation text, so two spellings of one rdata are equal.
Standards: RFC 1035 5, RFC 2181 5 (RRsets), RFC 3597.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dnsops.base.errors import ForUser
from dnsops.records.tlsa import Tlsa

LONGEST_TEXT = 65535 * 4


class Rdata(Protocol):
    """What every rdata value offers: its type's name, equality, a hash, and its presentation text by `str`."""

    @property
    def type(self) -> str: ...

    def __hash__(self) -> int: ...

    def __str__(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Generic:
    """Rdata as canonical presentation text: names absolute and lower case, TXT strings quoted."""

    type: str
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Record:
    """One resource record. `name` canonical (see names), `ttl` in seconds."""

    name: str
    type: str
    ttl: int
    data: Rdata

    def __str__(self) -> str:
        return f"{self.name}. {self.ttl} IN {self.type} {self.data}"


def parse(type_name: str, text: str) -> Rdata:
    """Presentation text -> value. Names in it are taken as absolute."""
    type_name = type_name.upper()
    if type_name == "TLSA":
        return Tlsa.parse(text)
    if len(text) > LONGEST_TEXT:
        raise ForUser(f"{type_name} rdata longer than {LONGEST_TEXT} characters")
    import dns.exception
    import dns.name
    import dns.rdata

    try:
        data = dns.rdata.from_text("IN", type_name, text, origin=dns.name.root, relativize=False)
    except (dns.exception.DNSException, ValueError) as error:
        raise ForUser(f"not {type_name} rdata: {text[:80]!r} ({error})") from None
    # RFC 4034 6.2: the canonical form has its names in lower case
    canonical = dns.rdata.from_wire(data.rdclass, data.rdtype, data.to_digestable(), 0, len(data.to_digestable()))
    return Generic(type_name, canonical.to_text())


def from_wire(type_name: str, wire: bytes) -> Rdata:
    """Rdata bytes without compression -> value."""
    if type_name == "TLSA":
        if len(wire) < 3:
            raise ForUser("a TLSA record of fewer than three bytes")
        return Tlsa(wire[0], wire[1], wire[2], wire[3:])
    import dns.exception
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype

    try:
        code = dns.rdatatype.from_text(type_name)
        data = dns.rdata.from_wire(dns.rdataclass.IN, code, wire, 0, len(wire))
    except (dns.exception.DNSException, ValueError) as error:
        raise ForUser(f"malformed {type_name} rdata ({error})") from None
    return parse(type_name, data.to_text())
