"""Every record that our host and domains should have: the subjects' wishes, made one. Pure.

    wanted(house) -> Wanted      none twice, no alias beside other data, what is in others' zones as expectations

Fails by: `ForUser` for a setting that makes no record (records.spf, records.dmarc, records.other_mx ...), naming it.
"""

from __future__ import annotations

from collections.abc import Iterator

from dnsops.wanted import (
    addresses,
    bimi,
    caa,
    clients,
    consent,
    dkim,
    dmarc,
    expected,
    mtasts,
    mx,
    parked,
    persist,
    spf,
    srv,
    tlsa,
    tlsrpt,
)
from dnsops.wanted.door import Finding, Wanted, Wish
from dnsops.wanted.house import House

SUBJECTS = (addresses, mx, spf, dkim, dmarc, consent, tlsrpt, mtasts, tlsa, caa, persist, srv, clients, bimi, parked)
JUDGES = (addresses, spf, dkim, dmarc, tlsa, caa, persist, clients, bimi, parked)


def wanted(house: House) -> Wanted:
    """What should stand in DNS, what others must write, and what a person should know."""
    wishes = sorted(_without_clashes(house, _once(house)), key=order)
    ours = tuple(wish for wish in wishes if house.held(wish.record.name))
    theirs = [expected.of(wish) for wish in wishes if not house.held(wish.record.name)]
    findings = tuple(dict.fromkeys(_findings(house)))
    return Wanted(ours, (*theirs, *expected.expectations(house, ours)), findings)


def order(wish: Wish) -> tuple[list[str], str, str]:
    """As a reader looks for them: by domain, the domain before what is below it, then by type."""
    record = wish.record
    return record.name.split(".")[::-1], record.type, str(record.data)


def _once(house: House) -> list[Wish]:
    """Each record once, by the first that wishes it: the host's are there once, however many domains it has."""
    found: dict[tuple[str, str, str], Wish] = {}
    for subject in SUBJECTS:
        for wish in subject.wishes(house):
            record = wish.record
            found.setdefault((record.name, record.type, str(record.data)), wish)
    return list(found.values())


def _without_clashes(house: House, wishes: list[Wish]) -> Iterator[Wish]:
    """An alias must be alone at its name (RFC 1034 3.6.2): where it is not, the host's addresses stand there instead."""
    others = {wish.record.name for wish in wishes if wish.record.type != "CNAME"} | {house.hostname}
    for wish in wishes:
        if wish.record.type != "CNAME" or wish.record.name not in others:
            yield wish
        elif wish.record.name != house.hostname:
            yield from addresses.at(house, wish.record.name, f"{wish.why}; an alias cannot stand beside other records")


def _findings(house: House) -> Iterator[Finding]:
    for judge in JUDGES:
        yield from judge.findings(house)
