"""Which keys DNSSEC proves for a mail host: a flow that asks for its TLSA records and ends in them, or in why there are none.

    MX insecure, or addresses insecure ──> no DANE (but an alias whose own record is proven may carry TLSA itself)
    _25._tcp. the name after CNAMEs  ──┐   proven and some ──> these        proven and none, or unproven ──> the next name
    _25._tcp. the name as the MX has it ┘   bogus, SERVFAIL, silent ──> Later, never "there are none"

Standards: RFC 7672 2.1 (bogus is no "none"), 2.2 (which names, in which order), 3.1 (usages 2 and 3 only); RFC 7671 9 (of
several digests the strongest counts); RFC 6698 2.1.
Limits: 100 records are looked at, in their order. Fails by: `Later`. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dnsops.base.errors import ForUser, Later
from dnsops.base.flow import Flow
from dnsops.records import names
from dnsops.records.tlsa import DIGEST_BYTES, MATCHINGS, SELECTORS, Tlsa
from dnsops.resolve.answer import Answer, Question, Security
from mailsrv.transport.host import Host, mail_domain

MOST_RECORDS = 100
USAGES = {2: "an authority's", 3: "the host's own"}  # RFC 7672 3.1.3: 0 and 1 are not for mail


@dataclass(frozen=True, slots=True)
class Dane:
    """What is proven. base: the name under which the records stand, for SNI too.  usable: those that can be matched.

    found: all of them, sorted.  names: whom a certificate under usage 2 may name (RFC 7672 3.2.2).
    """

    base: str
    usable: tuple[Tlsa, ...]
    found: tuple[Tlsa, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoDane:
    """DANE does not apply, and why."""

    why: str


def look(domain: str, host: Host, proven: bool) -> Flow[Question, Answer, Dane | NoDane]:
    """The TLSA records of a host that mail for `domain` goes to; proven: DNSSEC says that the host is the right one."""
    if host.name.startswith("["):
        return NoDane("an address has no TLSA records")
    if not proven:
        return NoDane(f"nothing proves that {host.name} is the mail host of {domain}")
    bases = yield from _bases(host)
    if not bases:
        return NoDane(f"nothing proves the addresses of {host.name}")
    why = ""
    for base in bases:
        found = yield from _records(base, host.port)
        if isinstance(found, str):
            why = why or found
            continue
        return Dane(base, usable(found), found, _distinct(base, mail_domain(domain)))
    return NoDane(why)


def _bases(host: Host) -> Flow[Question, Answer, tuple[str, ...]]:
    """RFC 7672 2.2.2: the name after CNAMEs, then the name itself; an alias into the unproven only by itself, if proven."""
    if host.proven:
        return _distinct(host.canonical or host.name, host.name)
    if host.canonical in ("", host.name):
        return ()
    alias = yield Question(host.name, "CNAME")
    _known(alias, f"whether {host.name} is an alias")
    return (host.name,) if alias.proven and alias.items else ()


def _records(base: str, port: int) -> Flow[Question, Answer, tuple[Tlsa, ...] | str]:
    """The proven records, sorted; or why there are none."""
    try:
        owner = names.tlsa_owner(base, port)
    except ForUser:
        return f"{base} is too long a name for TLSA records"
    answer = yield Question(owner, "TLSA")
    _known(answer, f"the TLSA records of {base}")
    if not answer.proven:
        return f"nothing proves the TLSA records of {base}"
    found = sorted(item for item in answer.items if isinstance(item, Tlsa))
    return tuple(found[:MOST_RECORDS]) if found else f"{base} has no TLSA records"


def _known(answer: Answer, what: str) -> None:
    """RFC 7672 2.1.1, 2.1.2: forged, refused or silent is a reason to wait; whoever attacks would like it to be none."""
    if answer.security in (Security.BOGUS, Security.FAILED) or answer.rcode not in ("NOERROR", "NXDOMAIN"):
        raise Later(f"{what} cannot be known now: {answer.why or answer.rcode or answer.security.value}")


def unusable(record: Tlsa) -> str | None:
    """Why a record cannot be matched; None when it can (RFC 7672 2.2 and 3.1.3, RFC 7671 4.1)."""
    if record.usage not in USAGES:
        return f"usage {record.usage} is not for mail"
    if record.selector not in SELECTORS:
        return f"selector {record.selector} is unknown"
    if record.matching not in MATCHINGS:
        return f"matching type {record.matching} is unknown"
    wanted = DIGEST_BYTES.get(record.matching)
    if wanted is None:
        return None if _is_der(record.data) else "its data is no certificate and no key"
    return (
        None if len(record.data) == wanted else f"{len(record.data)} bytes are no {MATCHINGS[record.matching]} digest"
    )


def usable(records: Iterable[Tlsa]) -> tuple[Tlsa, ...]:
    """Those that can be matched, without weaker digests beside stronger ones of the same kind (RFC 7671 9)."""
    good = [record for record in records if unusable(record) is None]
    strongest: dict[tuple[int, int], int] = {}
    for record in good:
        kind = record.usage, record.selector
        strongest[kind] = max(strongest.get(kind, 0), record.matching)
    return tuple(r for r in good if r.matching in (0, strongest[r.usage, r.selector]))


def _is_der(data: bytes) -> bool:
    """Whether it is one SEQUENCE from its first byte to its last (X.690 8.1), as certificates and keys are."""
    if len(data) < 4 or data[0] != 0x30:
        return False
    octets = data[1] & 0x7F if data[1] & 0x80 else 0
    length = int.from_bytes(data[2 : 2 + octets], "big") if octets else data[1]
    return octets <= 4 and len(data) == 2 + octets + length


def _distinct(*words: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def texts(records: Sequence[Tlsa]) -> tuple[str, ...]:
    """The records as TLS reports quote them (RFC 8460 4.2)."""
    return tuple(map(str, records))
