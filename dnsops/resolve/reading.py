"""What an answer's packet says about one question: where the data stands, how it came there, who signed it. Pure.

Standards: RFC 1034 4.3.2 (aliases), RFC 4034 3.1.3 (a signature's labels tell a wildcard), RFC 2308 5 (negative TTL),
RFC 8914 (extended errors). Fails by: None for what is no DNS message; `ForUser` from `items` for rdata that is none.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from dnsops.records import rdata
from dnsops.records.rdata import Rdata
from dnsops.resolve.answer import Answer, Security

MOST_ALIASES = 16
MALFORMED = (dns.exception.DNSException, ValueError, IndexError, struct.error)


@dataclass(frozen=True, slots=True)
class Reading:
    """`data`: rdata without compression, None when there is no such RRset. The rest as in `Answer`."""

    canonical: str
    data: tuple[bytes, ...] | None = None
    ttl: int = 0
    wildcard: str = ""
    zone: str | None = None

    def answer(
        self,
        name: str,
        type_name: str,
        security: Security,
        rcode: str,
        items: frozenset[Rdata],
        ede: tuple[int, ...],
        by: str,
    ) -> Answer:
        """Together with the verdict of whoever validated."""
        return Answer(
            name, type_name, security, rcode, items, self.ttl, self.canonical, self.wildcard, "", ede, by, self.zone
        )


def parse(packet: bytes, lenient: bool = False) -> dns.message.Message | None:
    """The message; `lenient` passes over records that make no sense (for packets from our own library)."""
    try:
        return dns.message.from_wire(packet, ignore_trailing=lenient, continue_on_error=lenient)
    except MALFORMED:
        return None


def read(message: dns.message.Message, name: str, type_name: str) -> Reading:
    """Find the RRset that answers the question, behind its aliases, or the SOA that says there is none."""
    code = dns.rdatatype.from_text(type_name)
    owner = _end_of_aliases(message, dns.name.from_text(name + "."), code)
    found = _rrset(message.answer, owner, code)
    if found is None:
        return _negative(message, owner)
    wildcard, zone = _signed(message, owner, code)
    return Reading(text(owner), tuple(data.to_wire() for data in found), found.ttl, wildcard, zone)


def signatures(message: dns.message.Message, name: str, type_name: str) -> tuple[bytes, ...]:
    """The RRSIGs over an RRset of the answer, rdata without compression."""
    owner, code = dns.name.from_text(name + "."), dns.rdatatype.from_text(type_name)
    found = _rrset(message.answer, owner, dns.rdatatype.RRSIG, code)
    return tuple(data.to_wire() for data in found or ())


def delegation(message: dns.message.Message, name: str) -> dict[str, tuple[str, ...]]:
    """The name servers that a referral names for `name` itself, each with the addresses that come along (RFC 1034 4.3.2)."""
    owner = dns.name.from_text(name + ".")
    found = _rrset(message.answer, owner, dns.rdatatype.NS) or _rrset(message.authority, owner, dns.rdatatype.NS)
    return {text(data.target): _glue(message, data.target) for data in found or ()}


def _glue(message: dns.message.Message, host: dns.name.Name) -> tuple[str, ...]:
    both = [_rrset(message.additional, host, code) for code in (dns.rdatatype.A, dns.rdatatype.AAAA)]
    return tuple(data.address for rrset in both for data in rrset or ())


def items(type_name: str, data: Iterable[bytes]) -> frozenset[Rdata]:
    return frozenset(rdata.from_wire(type_name, one) for one in data)


def extended(message: dns.message.Message) -> tuple[tuple[int, str], ...]:
    """Codes and texts of the extended errors."""
    options = (option for option in message.options if isinstance(option, dns.edns.EDEOption))
    return tuple((int(option.code), option.text or "") for option in options)


def rcode(message: dns.message.Message) -> str:
    return dns.rcode.to_text(message.rcode())


def rcode_name(code: int) -> str:
    """The mnemonic of the four bits in a header."""
    return dns.rcode.to_text(dns.rcode.Rcode(code & 0xF))


def authentic(message: dns.message.Message) -> bool:
    return bool(message.flags & dns.flags.AD)


def authoritative(message: dns.message.Message) -> bool:
    return bool(message.flags & dns.flags.AA)


def text(name: dns.name.Name) -> str:
    """As `names.canonical` writes it: lower case, no final dot, the root empty."""
    return name.to_text(omit_final_dot=True).lower().removesuffix(".")


def alias(message: dns.message.Message, name: str) -> str | None:
    """Where a CNAME of this name leads."""
    found = _rrset(message.answer, dns.name.from_text(name + "."), dns.rdatatype.CNAME)
    return text(found[0].target) if found else None


def _end_of_aliases(message: dns.message.Message, owner: dns.name.Name, code: dns.rdatatype.RdataType) -> dns.name.Name:
    if code == dns.rdatatype.CNAME:
        return owner
    for _ in range(MOST_ALIASES):
        found = _rrset(message.answer, owner, dns.rdatatype.CNAME)
        if not found:
            break
        owner = found[0].target
    return owner


def _rrset(
    section: list[dns.rrset.RRset],
    owner: dns.name.Name,
    code: dns.rdatatype.RdataType,
    covers: dns.rdatatype.RdataType = dns.rdatatype.NONE,
) -> dns.rrset.RRset | None:
    for rrset in section:
        kind = (rrset.rdclass, rrset.rdtype, rrset.covers)
        if kind == (dns.rdataclass.IN, code, covers) and rrset.name == owner and rrset:
            return rrset
    return None


def _signed(
    message: dns.message.Message, owner: dns.name.Name, code: dns.rdatatype.RdataType
) -> tuple[str, str | None]:
    """The wildcard that made the RRset, or nothing, and the zone whose key signed it, when it is signed."""
    signatures = _rrset(message.answer, owner, dns.rdatatype.RRSIG, code)
    if not signatures or not owner.is_subdomain(signatures[0].signer):
        return "", None
    labels = len(owner) - 1 - owner.is_wild()  # neither the root nor a leading asterisk counts
    kept = signatures[0].labels
    made = "" if kept >= labels else f"*.{text(owner.split(kept + 1)[1])}".removesuffix(".")
    return made, text(signatures[0].signer)


def _negative(message: dns.message.Message, owner: dns.name.Name) -> Reading:
    for rrset in message.authority:
        if rrset.rdtype == dns.rdatatype.SOA and rrset and owner.is_subdomain(rrset.name):
            return Reading(text(owner), None, min(rrset.ttl, rrset[0].minimum), zone=text(rrset.name))
    return Reading(text(owner))
