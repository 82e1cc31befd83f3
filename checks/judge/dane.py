"""DANE of one mail host: are there signed TLSA records, do they fit, is the next key prepared? Pure.

    none     no answer, insecure, or usages 0 and 1 only (RFC 7672 3.1.3)       bad, 0
    bogus    the answer, or that the name does not exist, is bogus              bogus, 0
    there    good; dane_valid by the chain that was shown                       10 and 10, or 0 and 0

Usage 2 as the site checks it: the authority's certificate is in the chain shown, and the MX name fits. Standards: RFC 7671, 7672.
Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from checks.catalogue import by_id
from checks.facts.domain import Facts
from checks.facts.looked import Lookup
from checks.facts.tls import Tls
from checks.finding import Finding, Status
from dnsops.base.errors import ForUser
from dnsops.certs.chain import association
from dnsops.records.tlsa import Tlsa, flaw
from dnsops.resolve.answer import Security
from mailsrv.transport import matching

FULL, NONE = 10, 0
MOST = 64
NAMES = ("dane_exists", "dane_valid", "dane_rollover")


@dataclass(frozen=True, slots=True)
class Published:
    """records: usable ones, proven.  bogus: they cannot be believed.  why: for a person, when there are none."""

    records: tuple[Tlsa, ...] = ()
    bogus: bool = False
    why: str = ""

    @property
    def anchored(self) -> bool:
        """Whether one of them names an authority (usage 2)."""
        return any(record.usage == 2 for record in self.records)


def owner_of(host: str) -> str:
    """Where the records of a host's port 25 stand (RFC 6698 3)."""
    return f"_25._tcp.{host}"


def published(facts: Facts, host: str) -> Published:
    """What the book has of a host's TLSA records for port 25."""
    owner = owner_of(host)
    answer, address = facts.looked(owner, "TLSA", accurate=True), facts.looked(owner, "A")
    if answer.security is Security.BOGUS:
        return Published(bogus=True, why=f"the TLSA records of {owner} are bogus: {answer.why}")
    if not answer.records or answer.security is not Security.SECURE:
        return Published(why=_missing(owner, answer))
    if address.rcode == "NXDOMAIN" and address.security is Security.BOGUS:
        return Published(bogus=True, why=f"{owner} does not exist, they say, and it is bogus")
    usable = tuple(record for record in _read(answer) if record.usage in (2, 3))
    return Published(usable, why="" if usable else f"{owner}: none of usage 3 or 2")


def findings(tls: Tls, told: Published, now: datetime) -> tuple[Finding, ...]:
    """The three of NAMES. now: of the looking."""
    exists, valid, rollover = map(by_id, NAMES)
    if not told.records:
        verdict = "bogus" if told.bogus else "bad"
        missing = exists.finding(Status.FAIL, verdict, NONE, host=tls.host, details=(told.why,))
        return missing, valid.untested(points=NONE), rollover.untested()
    wrong = mismatch(tls.chain, told.records, tls.host, now)
    points = NONE if wrong else FULL
    flaws = [f"{record.short}: {why}" for record in told.records if (why := flaw(record))]
    others = [] if wrong else _others(tls, told.records, now)
    return (
        exists.finding(
            Status.GOOD,
            "good",
            points,
            host=tls.host,
            strict=Status.NOTICE if flaws else None,
            strict_details=flaws,
        ),
        valid.finding(
            Status.FAIL if wrong else Status.GOOD,
            "bad" if wrong else "good",
            points,
            host=tls.host,
            details=(wrong,) if wrong else (),
            strict=Status.FAIL if others else None,
            strict_details=others,
        ),
        _rollover(tls.host, told.records),
    )


def mismatch(chain: Sequence[bytes], records: Sequence[Tlsa], host: str, now: datetime) -> str:
    """Why no record fits; "" when one does. An authority that is not among the certificates shown does not count."""
    shown = [
        record for record in records if record.usage == 3 or any(_means(record, der) for der in chain[1:] or chain)
    ]
    if not shown:
        return "no record is of a key or an authority among the certificates shown"
    found = matching.mismatch(chain, shown, (host,), now)
    return found.details if found else ""


def _means(record: Tlsa, der: bytes) -> bool:
    try:
        return association(der, record.usage, record.selector, record.matching) == record
    except (ForUser, ValueError, KeyError):
        return False


def _rollover(host: str, records: Sequence[Tlsa]) -> Finding:
    own, authorities = (sum(record.usage == usage for record in records) for usage in (3, 2))
    good = own > 1 or (own and authorities)
    status, verdict = (Status.GOOD, "good") if good else (Status.FAIL, "bad")
    details = () if good else ("one record only: the next certificate's key has none yet",)
    return by_id("dane_rollover").finding(status, verdict, host=host, details=details)


def _others(tls: Tls, records: Sequence[Tlsa], now: datetime) -> list[str]:
    """A second certificate of the same host must fit, too: which one a sender gets is chance."""
    whys = (mismatch(chain, records, tls.host, now) for chain in tls.wide_chains)
    return [f"its other certificate: {why}" for why in whys if why]


def _read(answer: Lookup) -> list[Tlsa]:
    found = []
    for text in answer.records[:MOST]:
        try:
            found.append(Tlsa.parse(text))
        except ForUser:
            continue  # what cannot be read cannot be used (RFC 7671 4.1)
    return found


def _missing(owner: str, answer: Lookup) -> str:
    if answer.records:
        return f"the TLSA records of {owner} are not signed: nobody heeds them"
    return f"{owner}: {answer.why or 'no TLSA records'}"
