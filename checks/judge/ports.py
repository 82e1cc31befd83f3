"""DANE on every port: from what the ports show, their records and the zones' signatures to findings. Pure.

    records match, or none are there for a port that need not have any        good
    none for port 25; none usable; only the served key is announced           notice, info
    no match at an address; records in a zone without DNSSEC; bogus           fail

Rollover advice is in days: a key that is to be served on a day must have its record published twice its TTL before (RFC 7671 8.1, with
a second TTL for servers that lag). A certificate is renewed RENEWED before its end. Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from checks.catalogue.ports import CATEGORY, port_subtest
from checks.facts.looked import Evidence
from checks.finding import Category, Finding, Report, Status, strict_verdict
from checks.judge.zones import days_of
from checks.judge.zones import findings as zone_findings
from dnsops.certs.chain import Chain, key_name, matches
from dnsops.dnssec.facts import Facts as Zone
from dnsops.records.tlsa import Tlsa, flaw
from dnsops.resolve.answer import Answer, Security
from dnsops.rollover.look import Port, Shown, tlsa_only

RENEWED = timedelta(days=30)
SOON = timedelta(days=14)
MAIL = 25


def report(
    domain: str, now: datetime, ports: Sequence[Port], zones: Sequence[Zone], notes: Sequence[str] = ()
) -> Report:
    """All findings about one domain's ports and zones; they have no score."""
    found = (*(one for port in ports for one in of_port(port, now)), *zone_findings(zones, now))
    return Report(domain, now, 0, (), notes=tuple(notes), beyond=Category(CATEGORY, found, strict_verdict(found)))


def of_port(port: Port, now: datetime) -> Iterator[Finding]:
    """Its records; and where it shows a certificate, its days and its successor."""
    yield _records(port, now)
    chains = _chains(port)
    if chains:
        yield _days(port, chains, now)
    records = _usable(port.answer)
    if chains and records and port.answer.security is Security.SECURE:
        yield _next(port, chains, records, now)


def _records(port: Port, now: datetime) -> Finding:
    status, details = _judged(port)
    verdict = "good" if status is Status.GOOD else "bad"
    return port_subtest("port_dane").finding(
        status,
        verdict,
        override=True,
        host=str(port),
        details=details,
        strict=status,
        evidence=[Evidence(tuple(_seen(port)), now)],
    )


def _judged(port: Port) -> tuple[Status, list[str]]:
    """The worst that can be said, and why."""
    answer, records = port.answer, tlsa_only(port.answer.items)
    match answer.security:
        case Security.BOGUS:
            return Status.FAIL, [f"its TLSA records are bogus ({answer.why}): senders do not deliver"]
        case Security.FAILED:
            return Status.ERROR, [f"its TLSA records could not be looked up: {answer.why}"]
        case Security.INSECURE if records:
            return Status.FAIL, ["it has TLSA records, but DNSSEC does not prove them: they do nothing"]
    if not records:
        if port.port == MAIL:
            return Status.NOTICE, ["no TLSA records: senders cannot know that this server speaks TLS, nor verify it"]
        return Status.INFO, ["no TLSA records"]
    return _against(
        port, _usable(answer), [f"{record.short}: {flaw(record)}" for record in sorted(records) if flaw(record)]
    )


def _against(port: Port, records: Sequence[Tlsa], flawed: list[str]) -> tuple[Status, list[str]]:
    """What each address shows, held against the records."""
    if not records:
        return Status.NOTICE, [
            "none of its TLSA records can be used: TLS is required, but nothing is verified",
            *flawed,
        ]
    strangers = [shown for shown in port.shown if shown.chain and not _fits(records, shown.chain)]
    if strangers:
        told = [
            f"{shown.address} shows a key that no record is of: senders do not deliver there" for shown in strangers
        ]
        return Status.FAIL, [*told, *flawed]
    silent = [shown for shown in port.shown if not shown.chain and not shown.unroutable]
    if silent or not _chains(port):
        told = [f"{shown.address} shows nothing: {shown.error}" for shown in silent]
        return Status.NOTICE, [*(told or ["no address of it could be looked at"]), *flawed]
    return (Status.INFO if flawed else Status.GOOD), [*_matching(port, records), *flawed]


def _matching(port: Port, records: Sequence[Tlsa]) -> list[str]:
    hits = sorted({record.short for record in records for chain in _chains(port) if matches(record, chain)})
    return [f"{len(port.shown)} addresses show what {', '.join(hits)} is of"]


def _days(port: Port, chains: Sequence[Chain], now: datetime) -> Finding:
    """The certificate that ends first."""
    end = min(chain.not_after for chain in chains)
    left = end - now
    status = Status.FAIL if left <= timedelta(0) else Status.NOTICE if left < SOON else Status.GOOD
    said = (
        f"ended {days_of(-left)} ago"
        if left <= timedelta(0)
        else f"{days_of(left)} left, until {end:%Y-%m-%d %H:%M} UTC"
    )
    begun = [chain for chain in chains if chain.not_before > now]
    if begun:
        status, said = Status.FAIL, f"not valid before {begun[0].not_before:%Y-%m-%d %H:%M} UTC"
    named = sorted({f"{key_name(chain)} for {', '.join(chain.names[:3]) or 'no name'}" for chain in chains})
    return port_subtest("port_certificate").finding(
        status, "good" if status is Status.GOOD else "bad", host=str(port), details=[said, *named], strict=status
    )


def _next(port: Port, chains: Sequence[Chain], records: Sequence[Tlsa], now: datetime) -> Finding:
    """Whether a change of keys is prepared, and by when it should be."""
    spare = [record for record in records if not any(matches(record, chain) for chain in chains)]
    authority = [record for record in records if record.usage == 2 and _fits([record], chains[0])]
    ready = Status.GOOD if spare or authority else Status.INFO
    end = min(chain.not_after for chain in chains)
    if ready is Status.GOOD:
        details = [f"announced: {', '.join(record.short for record in sorted({*spare, *authority}))}"]
    else:
        details = _advice(end, 2 * timedelta(seconds=port.answer.ttl), now)
    return port_subtest("port_rollover").finding(
        ready, "good" if ready is Status.GOOD else "no-rollover-scheme", host=str(port), details=details, strict=ready
    )


def _advice(end: datetime, wait: timedelta, now: datetime) -> list[str]:
    """By when the next key's record must be there."""
    serve, publish = end - RENEWED, end - RENEWED - wait
    left = publish - now
    when = f"in {days_of(left)} ({publish:%Y-%m-%d})" if left > timedelta(0) else "now"
    return [
        f"only the served key is announced; renewal is due about {serve:%Y-%m-%d}",
        f"publish the record of the next key {when}: it must stand {_span(wait)} before its key is served",
    ]


def _seen(port: Port) -> Iterator[str]:
    """What it was judged by."""
    answer = port.answer
    yield f"{answer.name} TLSA: {answer.security.name.lower()}, TTL {answer.ttl}" + (
        f" ({answer.why})" if answer.why else ""
    )
    yield from (f"  {record}" for record in sorted(tlsa_only(answer.items)))
    yield from (f"[{shown.address}]:{port.port} {_face(shown)}" for shown in port.shown)


def _face(shown: Shown) -> str:
    if shown.chain is None:
        return shown.error
    names = ", ".join(shown.chain.names[:3])
    return f"{key_name(shown.chain)}, {names}, until {shown.chain.not_after:%Y-%m-%d}"


def _usable(answer: Answer) -> list[Tlsa]:
    return sorted(record for record in tlsa_only(answer.items) if flaw(record) is None)


def _fits(records: Iterable[Tlsa], chain: Chain) -> bool:
    return any(matches(record, chain) for record in records)


def _chains(port: Port) -> list[Chain]:
    return [shown.chain for shown in port.shown if shown.chain]


def _span(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} h" if hours >= 2 else f"{hours * 60:.0f} min"
