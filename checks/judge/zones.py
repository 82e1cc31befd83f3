"""The zones around a mail domain: whether their servers agree and answer, and how long keys and signatures hold. Pure.

    zone_servers       silent, behind in its serial, other keys than the others        fail, with each address and its serial
    zone_signatures    DS and DNSKEY, algorithms, days that signatures have left       fail when resolvers refuse it, or soon will

The judging is that of `mailsrv dns dnssec` (`dnsops.dnssec.care`). Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from checks.catalogue import by_id
from checks.facts.looked import Evidence
from checks.finding import Finding, Status
from dnsops.base.printable import printable
from dnsops.dnssec import care
from dnsops.dnssec.facts import Facts as Zone
from dnsops.dnssec.facts import View
from dnsops.resolve.answer import Security
from dnsops.rollover.look import Finding as Cared

VERY_SOON = timedelta(days=3)
MOST_LINES = 40


def findings(zones: Iterable[Zone], now: datetime) -> Iterator[Finding]:
    """Two of each zone."""
    for zone in zones:
        yield servers(zone, now)
        yield signatures(zone, now)


def servers(zone: Zone, now: datetime) -> Finding:
    """Whether all of them say the same."""
    found = tuple(care.servers(zone, now))
    if not zone.views and not found:
        why = zone.why_no_servers or zone.why or "no server was found"
        return by_id("zone_servers").finding(
            Status.NOT_TESTED, "not-tested", worst=Status.NOT_TESTED, host=_name(zone), details=[why]
        )
    return _told("zone_servers", zone, found, (), _evidence(map(_seen, zone.views), now))


def signatures(zone: Zone, now: datetime) -> Finding:
    """Keys, DS, and the days that are left."""
    subjects = (subject for subject in care.SUBJECTS if subject is not care.servers)
    found = tuple(one for subject in subjects for one in subject(zone, now))
    left = zone.left(now)
    days = (
        []
        if left is None
        else [f"signatures: {days_of(left)} left" if left > timedelta(0) else "signatures have ended"]
    )
    if left is not None and timedelta(0) < left < VERY_SOON and not any(one.trouble for one in found):
        days.append("they are short-lived: whoever signs must never stop for long")
    return _told("zone_signatures", zone, found, days, _evidence(_proofs(zone, now), now))


def _told(name: str, zone: Zone, found: tuple[Cared, ...], days: Iterable[str], seen: Evidence) -> Finding:
    trouble = any(one.trouble for one in found)
    status = Status.FAIL if trouble else Status.INFO if found else Status.GOOD
    if zone.security is Security.FAILED and not trouble:
        status = Status.ERROR
    advice = list(dict.fromkeys(one.advice for one in found if one.advice))
    return by_id(name).finding(
        status,
        "good" if status is Status.GOOD else "bad",
        host=_name(zone),
        details=[*days, *(one.what for one in found)],
        fix=printable("; ".join(advice)),
        override=True,
        strict=status,
        evidence=[seen],
    )


def _name(zone: Zone) -> str:
    return zone.apex or "."


def _evidence(lines: Iterable[str], now: datetime) -> Evidence:
    return Evidence(tuple(printable(line) for line, _ in zip(lines, range(MOST_LINES), strict=False)), now)


def _seen(view: View) -> str:
    """One address of one server, and what it has."""
    family = "IPv6" if ":" in view.server.address else "IPv4"
    if not view.heard:
        return f"{view.server} over {family}: {view.why}"
    keys = ", ".join(str(key.tag) for key in sorted(view.keys)) or "none"
    return f"{view.server} over {family}: serial {view.serial}, keys {keys}"


def _proofs(zone: Zone, now: datetime) -> Iterator[str]:
    for server, found in zone.parents:
        told = "no answer" if found is None else ", ".join(str(ds) for ds in sorted(found)) or "none"
        yield f"DS at {server}: {told}"
    for view in zone.heard:
        for cover in view.covers:
            until = cover.until(now, view.keys) if cover.there else None
            if until is not None:
                yield f"{cover} at {view.server}: signed until {until:%Y-%m-%d %H:%M} UTC"


def days_of(span: timedelta) -> str:
    """`12 days`, `2.5 days`."""
    days = span.total_seconds() / 86400
    return f"{days:.0f} days" if days >= 10 else f"{days:.1f} days"
