"""A domain has one SPF record: what stands there already and what we wish, made one. Pure.

    spf(["v=spf1 include:_spf.example.net ~all"], "v=spf1 mx -all", house, "example.org")
        -> Merged("v=spf1 include:_spf.example.net mx ~all", ...)

Their terms stay, in their order, and so does how theirs ends. Ours are added where they are looked at before anything that
could refuse our host, and only if it would not pass already. Two records, one that cannot be read, and one that contradicts a
parked name are for a person: then there is no text.
Standards: RFC 7208 3.2 (one record), 4.6.2 (the first match counts), 4.6.4 (look-ups), 6.1 (redirect counts when nothing matches).
Limits: those of `records.txt.spf`. Fails by: nothing; what is wrong is a finding.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dnsops.base.errors import ForUser
from dnsops.records.txt.spf import MOST_LOOKUPS, Mechanism, Modifier, Spf, is_spf
from dnsops.wanted.door import Finding
from dnsops.wanted.house import House

MOST_VOIDS = 2  # RFC 7208 4.6.4
LONG = 450  # octets: longer ones may not fit into a UDP answer (RFC 7208 3.4)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a record costs its readers, with all that it includes: look-ups, and those that find nothing (`spf_cost`)."""

    lookups: int
    voids: int = 0


@dataclass(frozen=True, slots=True)
class Merged:
    """text: the one record, "" when a person must decide.  added: our terms that it gained.  findings: what to know."""

    text: str
    added: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def spf(present: Iterable[str], ours: str, house: House, name: str, cost: Cost | None = None) -> Merged:
    """present: the TXT texts at the name.  ours: what we wish there.  cost: of the record that is there, when it is known."""
    there = [text for text in present if is_spf(text)]
    if not there or (house.records.spf and name in house.domains):
        return Merged(ours)
    if len(there) > 1:
        what = f"{name} has {len(there)} SPF records, which receivers take for an error"
        return _undecided(what, "keep one of them, and run this again")
    try:
        theirs, mine = Spf.parse(there[0]), Spf.parse(ours)
    except ForUser as error:
        return _undecided(f"the SPF record of {name} cannot be read: {error.what}", "correct it, and run this again")
    if not _senders(mine):
        return _parked(theirs, name)
    return _joined(theirs, _needed(theirs, mine, house, name), house, name, cost)


def passes(record: Spf, address: str, house: House, name: str) -> bool:
    """Whether the record lets an address of ours send, by what is known without asking: `mx` and `a` lead to our host."""
    for term in record.terms:
        if isinstance(term, Mechanism) and _matches(term, address, house, name):
            return term.qualifier == "+"
    return False


def _joined(theirs: Spf, needed: list[Mechanism], house: House, name: str, cost: Cost | None) -> Merged:
    before = cost or Cost(theirs.lookups)
    adding = _cheap(needed, house) if before.lookups + _price(needed) > MOST_LOOKUPS else needed
    place = _place(theirs)
    record = Spf((*theirs.terms[:place], *adding, *theirs.terms[place:])) if adding else theirs
    after = Cost(before.lookups + _price(adding), before.voids)
    return Merged(str(record), tuple(map(str, adding)), tuple(_findings(record, name, after)))


def _needed(theirs: Spf, mine: Spf, house: House, name: str) -> list[Mechanism]:
    """Our terms that are missing; none when every address that we send from passes as it is."""
    missing = [term for term in _senders(mine) if term not in theirs.terms]
    addresses = (*house.addresses, *house.sources)
    ours_pass = bool(addresses) and all(passes(theirs, address, house, name) for address in addresses)
    if ours_pass and not (house.other_mx and Mechanism("mx") in missing):
        return []
    # a term of ours that is there, behind one that refuses us, is needed again in front of it
    return missing or (list(_senders(mine)) if addresses and not ours_pass else [])


def _senders(record: Spf) -> tuple[Mechanism, ...]:
    """What it lets send, but for a bare `all`."""
    return tuple(t for t in record.terms if isinstance(t, Mechanism) and t.qualifier == "+" and t.name != "all")


def _place(theirs: Spf) -> int:
    """In front of the first term that may refuse, or that says what else there is."""
    stops = (
        position
        for position, term in enumerate(theirs.terms)
        if isinstance(term, Modifier) or term.qualifier != "+" or term.name == "all"
    )
    return next(stops, len(theirs.terms))


def _cheap(needed: list[Mechanism], house: House) -> list[Mechanism]:
    """The same by addresses, which cost no look-up; as it was, when no address is known."""
    addresses = [ipaddress.ip_address(address) for address in (*house.addresses, *house.sources)]
    written = [Mechanism(f"ip{address.version}", str(address)) for address in addresses]
    return [*(term for term in needed if term.name in ("ip4", "ip6") and term not in written), *written] or needed


def _price(terms: Iterable[Mechanism]) -> int:
    return Spf(tuple(terms)).lookups


def _matches(term: Mechanism, address: str, house: House, name: str) -> bool:
    here = ipaddress.ip_address(address)
    if term.name in ("ip4", "ip6"):
        return here.version == int(term.name[2]) and here in _network(term)
    place = term.value.lower().removesuffix(".") or name
    at_host = address in house.addresses
    return (
        term.name == "all"
        or (term.name == "mx" and place in house.domains and at_host)
        or (term.name == "a" and place == house.hostname and at_host)
    )


def _network(term: Mechanism) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    bits = term.bits4 if term.name == "ip4" else term.bits6
    return ipaddress.ip_network(f"{term.value}/{bits}" if bits is not None else term.value, strict=False)


def _parked(theirs: Spf, name: str) -> Merged:
    """A name that shall not send, and has a record."""
    ending = theirs.ending
    if _senders(theirs) or any(isinstance(t, Modifier) and t.name == "redirect" for t in theirs.terms):
        advice = "take it out of records.parked, or remove the record"
        return _undecided(f"{name} is parked, and its SPF record lets others send: {theirs}", advice)
    if ending is None or ending.qualifier != "-":
        return Merged("v=spf1 -all")
    return Merged(str(theirs))


def _findings(record: Spf, name: str, cost: Cost) -> Iterable[Finding]:
    ending, redirect = record.ending, any(isinstance(t, Modifier) and t.name == "redirect" for t in record.terms)
    if ending and ending.qualifier in "+?":
        what = "lets everybody send" if ending.qualifier == "+" else "refuses nobody"
        yield Finding(f"the SPF record of {name} {what}: it ends with {ending.qualifier}all", "write -all there", True)
    if ending is None and not redirect:
        yield Finding(f"the SPF record of {name} has no end, so that it refuses nobody", "add -all to it", True)
    if cost.lookups > MOST_LOOKUPS:
        what = f"the SPF record of {name} takes {cost.lookups} look-ups, and readers stop at {MOST_LOOKUPS}"
        yield Finding(what, "take out an include: that nothing is sent through any more", True)
    if cost.voids > MOST_VOIDS:
        what = f"the SPF record of {name} looks up {cost.voids} names that are not there; readers stop at {MOST_VOIDS}"
        yield Finding(what, "take those terms out", True)
    if any(isinstance(term, Mechanism) and term.name == "ptr" for term in record.terms):
        yield Finding(f"the SPF record of {name} uses ptr, which many readers ignore", "name the addresses instead")
    if len(str(record)) > LONG:
        yield Finding(f"the SPF record of {name} is longer than {LONG} octets", "some readers may not get it whole")


def _undecided(what: str, advice: str) -> Merged:
    return Merged("", findings=(Finding(what, advice, trouble=True),))


def merge_of(house: House) -> Callable[[str, str, str], str]:
    """A `plan.purpose.Merge`: how a stranger's SPF record and ours become one."""

    def merged(theirs: str, ours: str, name: str) -> str:
        found = spf([theirs], ours, house, name)
        if not found.text:
            finding = next(iter(found.findings))
            raise ForUser(finding.what, "", finding.advice)
        if not found.added and _same(found.text, theirs):
            return theirs  # as its author spelt it
        return found.text

    return merged


def _same(one: str, other: str) -> bool:
    try:
        return Spf.parse(one) == Spf.parse(other)
    except ForUser:
        return False
