"""Setting up an account as mail programs do: do they find servers, safe ones, that are there and have their names? Pure.

    nothing at all is found                                            info: each user must type it
    a document that cannot be read or had, a server that is not there  notice
    a document that comes by way of plain HTTP                         notice
    a server without TLS                                               fail: the password travels in the clear
    a document that comes without TLS                                  fail: whoever is on the way names the servers
    documents and SRV records that name different servers              info
    a web page where another web server may live                       nothing: programs pass it over

Standards: RFC 6186, RFC 8314 3 and 5.1, Thunderbird's config-v1.1.xml, MS-OXDSCLI. Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.catalogue import by_id
from checks.facts.domain import Facts
from checks.facts.looked import Evidence
from checks.facts.setup import CLEAR, Service, Setup, Source
from checks.finding import Finding, Status
from checks.judge import setup_pacc
from checks.judge.setup_documents import SRV, by_srv, services
from dnsops.base.errors import ForUser
from dnsops.base.printable import printable
from dnsops.records.txt.uaac import OWNER

PACC = "Apple Mail and others, by PACC"
Named = dict[str, tuple[Service, ...]]


def finding(facts: Facts) -> Finding:
    """client_setup of the domain."""
    seen = facts.beyond.setup
    subtest = by_id("client_setup")
    if seen is None:
        return subtest.finding(
            Status.NOT_TESTED, "not-tested", worst=Status.NOT_TESTED, details=("there was no time for it",)
        )
    named, troubles = _read(seen, facts)
    remarks = [*troubles, *_remarks(seen, named)]
    if not named and not remarks:
        remarks = [(Status.INFO, "no mail program finds its servers: each user must type them")]
    status = min((one for one, _ in remarks), default=Status.GOOD)
    told = [printable(words) for _, words in sorted(remarks, key=lambda one: one[0])]
    lines = tuple(printable(f"{where}: {', '.join(map(str, found)) or 'no mail'}") for where, found in named.items())
    return subtest.finding(
        status,
        "good" if status is Status.GOOD else "bad",
        details=told or lines[:1],
        evidence=[Evidence((*lines, *map(printable, _untold(seen))), facts.at)],
    )


def _read(seen: Setup, facts: Facts) -> tuple[Named, list[tuple[Status, str]]]:
    """What each source names; and what is wrong with sources."""
    named: Named = {}
    troubles = []
    for source in seen.sources:
        if source.body is None:
            if not source.absent:
                troubles.append((Status.NOTICE, f"{source.where} ({source.who}): {source.why}"))
            continue
        try:
            named[source.where] = _services(source, facts)
        except ForUser as error:
            if not source.shared:
                troubles.append((Status.NOTICE, f"{source.where} ({source.who}): {error.what}"))
            continue
        troubles += [(status, f"{source.where} ({source.who}): {said}") for status, said in _doubts(source, facts)]
    found = tuple(
        one for label in SRV for one in by_srv(label, facts.looked(f"{label}._tcp.{facts.domain}", "SRV").records)
    )
    return (named | {"SRV records": found} if found else named), troubles


def _services(source: Source, facts: Facts) -> tuple[Service, ...]:
    body = source.body or b""
    return setup_pacc.services(body) if source.who == PACC else services(body, facts.domain)


def _doubts(source: Source, facts: Facts) -> Iterator[tuple[Status, str]]:
    """Whether a document that can be read may be believed."""
    steps = (source.where, *source.via)
    if source.clear:
        yield Status.FAIL, "it comes without TLS: whoever is on the way can name other servers, and gets the passwords"
    elif any(step.startswith("http:") for step in steps):
        yield Status.NOTICE, f"plain HTTP leads to {steps[-1]}: whoever is on the way can lead elsewhere"
    if source.who == PACC:
        records = facts.looked(f"{OWNER}.{facts.domain}", "TXT").records
        if why := setup_pacc.flaw(source.body or b"", records):
            yield Status.NOTICE, why


def wanted(seen: Setup, facts: Facts) -> tuple[Service, ...]:
    """Every server that anything names, each once: what the prober tries."""
    named, _ = _read(seen, facts)
    return tuple(dict.fromkeys(one for found in named.values() for one in found))


def _remarks(seen: Setup, named: Named) -> Iterator[tuple[Status, str]]:
    every = dict.fromkeys(one for found in named.values() for one in found)
    for one in every:
        if one.security == CLEAR:
            yield Status.FAIL, f"{one}: the password travels in the clear"
    for place in seen.places:
        if place.why:
            yield Status.NOTICE, f"{place.host}:{place.port}: {place.why}"
    hosts = {where: {one.host for one in found} for where, found in named.items() if found}
    if len(set(map(frozenset, hosts.values()))) > 1:
        said = "; ".join(f"{where}: {', '.join(sorted(some))}" for where, some in hosts.items())
        yield Status.INFO, f"programs are led to different servers: {said}"


def _untold(seen: Setup) -> Iterator[str]:
    yield from (f"{one.where}: {one.why}" for one in seen.sources if one.absent)
    yield from (f"{one.where}: redirects to {', '.join(one.via)}" for one in seen.sources if one.via)
    yield from (
        f"{one.host}:{one.port}: {'there was no time' if one.late else one.why or 'answers as its name'}"
        for one in seen.places
    )
