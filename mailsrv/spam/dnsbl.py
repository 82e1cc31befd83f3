"""Is it on a list? DNS lists of addresses and of domains, one flow for one list. Pure.

    192.0.2.99 and zen.example.net  ->  99.2.0.192.zen.example.net A?    127.0.0.2 ...     LISTED, with its codes and reason
    2001:db8::1                     ->  1.0.0.0. ... .8.b.d.0.1.0.0.2    NXDOMAIN, no A    CLEAN
    example.org and dbl.example.net ->  example.org.dbl.example.net      all else          REFUSED: the list did not tell

Standards: RFC 5782 2.1 (IPv4, codes, TXT), 2.4 (IPv6), 3 (domains), 5 (the entries by which a list is tested).
A list that is silent, bogus, or answers with a code that means "I do not serve you" (127.255.255.0/24 of Spamhaus,
127.0.0.1 of URIBL, anything outside 127.0.0.0/8) has said nothing: its word counts neither for the sender nor against.
Limits: 16 codes and `hints.LONGEST` characters of reason. Fails by: nothing is raised.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from dnsops.base.errors import ForUser
from dnsops.base.flow import Flow
from dnsops.records import names, rdata
from dnsops.resolve.answer import Answer, Question, Security
from mailsrv.spam.hints import Hint, Says, plain

Ip: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"
Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"

MOST_CODES = 16
CODES = ipaddress.IPv4Network("127.0.0.0/8")
ERRORS = ipaddress.IPv4Network("127.255.255.0/24")
NEVER_LISTED = ipaddress.IPv4Address("127.0.0.1")
# RFC 5782 5: what every list of addresses holds, and what none does
TEST_LISTED, TEST_CLEAN = "2.0.0.127", "1.0.0.127"
NOBODYS = tuple(  # addresses that mean something else in every network: no list knows them
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
        "::/128", "::1/128", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip


class Found(Enum):
    """What a list says; the value is for people."""

    LISTED = "it is on the list"
    CLEAN = "it is not on the list"
    REFUSED = "the list did not tell"


@dataclass(frozen=True, slots=True)
class List:
    """One list. domains: it lists domains, not addresses.  says: what being on it means.  codes: those that count, () for all."""

    zone: str
    says: Says = Says.JUNK
    domains: bool = False
    codes: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """What one list says about one subject. codes: as they came, in order.  why: the list's reason, or ours for REFUSED."""

    zone: str
    subject: str
    found: Found
    codes: tuple[str, ...] = ()
    why: str = ""


def address(text: str, of: List) -> Flow[Question, Answer, Listing]:
    """What a list of addresses says of a client. Private and loopback addresses are clean without a question."""
    ip = _ip(text)
    if ip is None or any(ip in network for network in NOBODYS if network.version == ip.version):
        return Listing(of.zone, plain(text), Found.CLEAN)
    return (yield from _look(text, _reversed(ip), of))


def domain(text: str, of: List) -> Flow[Question, Answer, Listing]:
    """What a list of domains says of one. An address literal, or what is no domain, is clean without a question."""
    try:
        name = "" if text.startswith("[") else names.canonical(text)
    except ForUser:
        name = ""
    if "." not in name or name.rpartition(".")[2].isdigit():
        return Listing(of.zone, plain(text), Found.CLEAN)
    return (yield from _look(name, name, of))


def works(of: List) -> Flow[Question, Answer, str]:
    """Why a list cannot be used from here, "" when it can: RFC 5782 5, the entries that must and must not be there."""
    subjects = ("test", "invalid") if of.domains else (TEST_LISTED, TEST_CLEAN)
    everything = List(of.zone)
    there = yield from _look(subjects[0], subjects[0], everything)
    if there.found is Found.REFUSED:
        return there.why
    if there.found is Found.CLEAN:
        return f"{of.zone} lacks its test entry: it is empty, or no list"
    absent = yield from _look(subjects[1], subjects[1], everything)
    return f"{of.zone} lists everything: it is closed" if absent.found is Found.LISTED else ""


def hint(listing: Listing, of: List) -> Hint:
    """The adviser's word."""
    source = f"dnsbl {of.zone}"
    if listing.found is Found.LISTED:
        told = f": {listing.why}" if listing.why else f" ({', '.join(listing.codes)})"
        return Hint(source, of.says, f"{listing.subject} is on the list {of.zone}{told}")
    return Hint(source, Says.NOTHING, listing.why)


def _look(subject: str, label: str, of: List) -> Flow[Question, Answer, Listing]:
    name = f"{label}.{of.zone}"
    shown = plain(subject)
    if len(name) > names.LONGEST_NAME:
        return Listing(of.zone, shown, Found.CLEAN)
    answer = yield Question(name, "A")
    if trouble := _trouble(answer):
        return Listing(of.zone, shown, Found.REFUSED, why=f"{of.zone} did not answer: {trouble}")
    codes = sorted(ip for item in answer.items if (ip := _ip(str(item))) is not None and ip.version == 4)[:MOST_CODES]
    if not codes:
        return Listing(of.zone, shown, Found.CLEAN)
    told = tuple(map(str, codes))
    if any(code not in CODES or code in ERRORS or code == NEVER_LISTED for code in codes):
        return Listing(
            of.zone, shown, Found.REFUSED, told, f"{of.zone} does not serve us: it answers {', '.join(told)}"
        )
    if of.codes and not any(code in network for code in codes for network in of.codes):
        return Listing(of.zone, shown, Found.CLEAN, told)
    reason = yield Question(name, "TXT")
    return Listing(of.zone, shown, Found.LISTED, told, _reason(reason))


def _trouble(answer: Answer) -> str:
    """Why this is no answer (promise P-28); "" when it is one."""
    if answer.security in (Security.BOGUS, Security.FAILED) or answer.rcode not in ("NOERROR", "NXDOMAIN"):
        return plain(answer.why or answer.rcode or answer.security.value)
    return ""


def _reason(answer: Answer) -> str:
    """RFC 5782 2.1: the TXT record beside it, if it can be had."""
    if _trouble(answer):
        return ""
    texts = sorted(b"".join(rdata.strings(item)) for item in answer.items if item.type == "TXT")
    return plain(texts[0]) if texts else ""


def _reversed(ip: Ip) -> str:
    """Bytes of IPv4, nibbles of IPv6 (RFC 5782 2.1, 2.4), the last one first."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ".".join(reversed(str(ip).split(".")))
    return ".".join(reversed(ip.exploded.replace(":", "")))


def _ip(text: str) -> Ip | None:
    """An address, ::ffff:192.0.2.1 as the IPv4 address that it is."""
    try:
        ip = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip
