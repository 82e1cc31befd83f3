"""IPv6: do name servers and mail hosts have addresses, and do those answer? Points by reference internet.nl 5.1. Pure.

    a host's points   10; 2 when some of its IPv6 addresses are dead; 0 when all are, or it has none
    name servers      one: at most 5; more: the mean, rounded down, of all, or only of those with an address when two have one
    mail hosts        the mean, rounded down

Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from checks.catalogue import by_id
from checks.facts.domain import Facts
from checks.facts.looked import Addresses
from checks.finding import Finding, Status
from checks.judge import mx, unmailed

FULL, PARTLY, NONE, ALONE = 10, 2, 0, 5


def findings(facts: Facts, spf: str = "") -> tuple[Finding, ...]:
    """All four. spf: the domain's SPF record, for what a domain without MX should say."""
    servers = facts.name_servers
    return (_ns_aaaa(servers), _ns_reach(servers), *_mail(facts, spf))


def host_points(host: Addresses) -> int:
    """0, 2 or 10."""
    tried = [one.ok for one in host.reached if one.v6 and one.address in host.v6]
    if not any(tried):
        return NONE
    return FULL if all(tried) else PARTLY


def ns_points(servers: Sequence[Addresses]) -> int:
    """0..10."""
    points = sum(map(host_points, servers))
    with_address = sum(bool(server.v6) for server in servers)
    counted = with_address if with_address >= 2 else len(servers)
    if counted <= 1:
        return min(ALONE, points)
    return points // counted


def mx_points(hosts: Sequence[Addresses]) -> int:
    """0..10."""
    return sum(map(host_points, hosts)) // len(hosts) if hosts else NONE


def _ns_aaaa(servers: Sequence[Addresses]) -> Finding:
    with_address = sum(bool(server.v6) for server in servers)
    status, verdict = {0: (Status.FAIL, "bad"), 1: (Status.FAIL, "other")}.get(with_address, (Status.GOOD, "good"))
    return by_id("ns_aaaa").finding(status, verdict, details=_without(servers) or _no_servers(servers))


def _ns_reach(servers: Sequence[Addresses]) -> Finding:
    points = ns_points(servers)
    if not any(server.v6 for server in servers):
        return by_id("ns_reach").untested(points=NONE)
    return _reach("ns_reach", servers, points)


def _mail(facts: Facts, spf: str) -> tuple[Finding, Finding]:
    meant = mx.of(facts)
    if meant.state is not mx.MxState.HAS_MX:
        return unmailed.finding("mx_aaaa", meant.state, mx.hint(facts, spf)), by_id("mx_reach").untested()
    hosts = [host.addresses for host in facts.hosts]
    return _mx_aaaa(hosts, _left_out(meant)), _mx_reach(hosts)


def _mx_aaaa(hosts: Sequence[Addresses], note: tuple[str, ...]) -> Finding:
    good = bool(hosts) and all(host.v6 for host in hosts)
    status, verdict = (Status.GOOD, "good") if good else (Status.FAIL, "bad")
    return by_id("mx_aaaa").finding(status, verdict, details=(*_without(hosts), *note))


def _mx_reach(hosts: Sequence[Addresses]) -> Finding:
    if not any(host.v6 for host in hosts):
        subtest = by_id("mx_reach")
        return subtest.untested(worst=subtest.worst, points=NONE)
    return _reach("mx_reach", hosts, mx_points(hosts))


def _reach(name: str, hosts: Sequence[Addresses], points: int) -> Finding:
    """Good when every IPv6 address answered. An address that nobody tried did not."""
    answered = {(host.name, one.address) for host in hosts for one in host.reached if one.ok}
    dead = [(host.name, address) for host in hosts for address in host.v6 if (host.name, address) not in answered]
    status, verdict = (Status.FAIL, "bad") if dead else (Status.GOOD, "good")
    whys = {(host.name, one.address): one.why for host in hosts for one in host.reached}
    details = [f"{host} ({address}): {whys.get((host, address)) or 'no answer'}" for host, address in dead]
    evidence = [one.evidence for host in hosts for one in host.reached if one.v6 and one.evidence.lines]
    return by_id(name).finding(status, verdict, points, details=details, evidence=evidence)


def _without(hosts: Sequence[Addresses]) -> tuple[str, ...]:
    return tuple(f"{host.name}: no IPv6 address" for host in hosts if not host.v6)


def _no_servers(servers: Sequence[Addresses]) -> tuple[str, ...]:
    return () if servers else ("the domain has no name servers of its own, nor has a name above it that is asked",)


def _left_out(meant: mx.Mx) -> tuple[str, ...]:
    return (f"{meant.left_out} more mail hosts were not looked at",) if meant.left_out else ()
