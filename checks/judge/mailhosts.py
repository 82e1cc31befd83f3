"""The whole category of STARTTLS and DANE: each mail host by itself, then all together. Pure.

A host that was not scanned has no findings but starttls_exists; one whose certificate could not be had lacks those of
certificates, CAA and DANE (reference internet.nl 5.4). The strict column also looks at each host's other addresses.
Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from checks.catalogue import by_id, in_category
from checks.facts.domain import Facts, MailHost
from checks.facts.tls import Tls
from checks.finding import Category, Finding, Status
from checks.judge import caa, certificates, dane, mx, tls, unmailed
from checks.score import of_hosts, single
from dnsops.base.flow import run

_ORDER = tuple(subtest.id for subtest in in_category("tls"))


def category(facts: Facts) -> Category:
    """Of all hosts; of none, the row of the domain's MX state."""
    meant = mx.of(facts)
    if meant.state is not mx.MxState.HAS_MX or not facts.hosts:
        first = unmailed.finding("starttls_exists", meant.state) if meant.state in unmailed.ROWS else _unknown()
        return single("tls", (first, *(by_id(name).untested() for name in _ORDER[1:])))
    return of_hosts("tls", [(host.name, _host(facts, host)) for host in facts.hosts])


def _unknown() -> Finding:
    """There are mail hosts and nobody looked at them."""
    return by_id("starttls_exists").finding(Status.ERROR, "could-not-test", 0, override=True)


def _host(facts: Facts, host: MailHost) -> tuple[Finding, ...]:
    own = _of(facts, host.tls)
    others = [(other.address, _of(facts, other)) for other in host.others]
    return tuple(_with_others(one, place, others) for place, one in enumerate(own))


def _of(facts: Facts, seen: Tls) -> tuple[Finding, ...]:
    found = tls.findings(seen)
    if not seen.reachable or not seen.chain:
        untrusted = certificates.findings(seen, anchored=False)[:1] if seen.reachable else ()
        rest = _ORDER[len(found) + len(untrusted) :]
        return (*found, *untrusted, *(by_id(name).untested() for name in rest))
    told = dane.published(facts, seen.host)
    return (
        *found,
        *certificates.findings(seen, told.anchored),
        caa.finding(seen.host, run(caa.find(seen.host), facts.answer)),
        *dane.findings(seen, told, facts.at),
    )


def _with_others(own: Finding, place: int, others: Sequence[tuple[str, tuple[Finding, ...]]]) -> Finding:
    """Strict: a host is as bad as its worst address; a sender takes any of them."""
    worst = min(others, key=lambda other: other[1][place].right, default=None)
    if worst is None or worst[1][place].right >= own.right:
        return own
    address, finding = worst[0], worst[1][place]
    details = tuple(f"{address}: {line}" for line in (*finding.details, *finding.strict_details))
    return replace(own, strict=finding.right, strict_details=details, fix=own.fix or finding.fix)
