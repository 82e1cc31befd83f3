"""RPKI: do route authorisations exist for the addresses of mail hosts and name servers, and are the routes valid? Pure.

Three sets: the mail hosts', the domain's name servers', the name servers' of the mail hosts' names (reference internet.nl 5.5).
    exists   5 when every address has an authorisation, or there is no address
    valid   10 when no route is invalid or unknown; a set without routes has them, too
Standards: RFC 6811. Fails by: nothing; a source that is silent is an error of the subtest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from checks.catalogue import by_id, in_category
from checks.facts.domain import Facts
from checks.facts.looked import Addresses, Evidence
from checks.facts.routing import Routing, Validity
from checks.finding import Category, Finding, Status, Verdict
from checks.score import single

EXISTS, VALID, NONE = 5, 10, 0
_UNASKED = "routing data were not asked for: the category is not run, and the total is of the others"


def category(facts: Facts) -> Category:
    """All six subtests; not run when nobody was asked."""
    if facts.routing is None:
        found = tuple(one.finding(Status.NOT_TESTED, "not-run", details=(_UNASKED,)) for one in in_category("rpki"))
        return Category("rpki", found, Verdict.INFO, run=False)
    findings: list[Finding] = []
    for name, hosts in _sets(facts).items():
        routings = _of(hosts, facts.routing)
        findings += [_exists(f"{name}_exists", routings), _valid(f"{name}_valid", routings)]
    return single("rpki", findings)


def _sets(facts: Facts) -> dict[str, list[Addresses]]:
    return {
        "mail_rpki": [host.addresses for host in facts.hosts],
        "ns_rpki": list(facts.name_servers),
        "mail_mx_ns_rpki": [server for host in facts.hosts for server in host.name_servers],
    }


def _of(hosts: Iterable[Addresses], routing: Mapping[str, Routing]) -> list[tuple[str, Routing]]:
    """(host, routing) of each address, once. An address that nobody asked about has a silent source."""
    found = {(host.name, address): None for host in hosts for address in host.all}
    return [
        (name, routing.get(address) or Routing(address, routes_known=False, roas_known=False))
        for name, address in found
    ]


def _exists(name: str, routings: list[tuple[str, Routing]]) -> Finding:
    subtest = by_id(name)
    if not routings:
        return subtest.finding(Status.NOT_TESTED, "no-addresses", EXISTS, strict=Status.NOT_TESTED)
    if not all(routing.roas_known for _, routing in routings):
        return subtest.finding(Status.ERROR, "not-tested", override=True, details=("the relying party did not answer",))
    without = [f"{host} ({routing.address}): no authorisation" for host, routing in routings if not routing.authorised]
    status, verdict, points = (Status.NOTICE, "bad", NONE) if without else (Status.GOOD, "good", EXISTS)
    return subtest.finding(status, verdict, points, details=without, evidence=_evidence(routings))


def _valid(name: str, routings: list[tuple[str, Routing]]) -> Finding:
    subtest = by_id(name)
    if not routings:
        return subtest.finding(Status.NOT_TESTED, "not-tested", VALID)
    if not all(routing.roas_known and routing.routes_known for _, routing in routings):
        return subtest.finding(
            Status.ERROR, "not-tested", override=True, details=("routes or authorisations could not be asked for",)
        )
    status, verdict, points = _judged({route.validity for _, routing in routings for route in routing.routes})
    return subtest.finding(status, verdict, points, details=_wrong(routings), evidence=_evidence(routings))


def _judged(seen: set[Validity]) -> tuple[Status, str, int]:
    if Validity.INVALID in seen:
        return Status.FAIL, "invalid", NONE
    if Validity.NOT_FOUND in seen:
        return Status.FAIL, "bad", NONE
    return (Status.GOOD, "good", VALID) if seen else (Status.NOT_TESTED, "not-routed", VALID)


def _wrong(routings: list[tuple[str, Routing]]) -> list[str]:
    return [
        f"{host} ({routing.address}): {route.prefix} by AS{route.asn} is {route.validity.value}"
        + (f" ({route.reason})" if route.reason else "")
        for host, routing in routings
        for route in routing.routes
        if route.validity is not Validity.VALID
    ]


def _evidence(routings: list[tuple[str, Routing]]) -> list[Evidence]:
    return [routing.evidence for _, routing in routings if routing.evidence.lines]
