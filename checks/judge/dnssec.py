"""DNSSEC: is the SOA of the domain and of each mail host's name proven? Pure.

    secure  good, 10     insecure  fail, 2 (20 %)     bogus  signed, but wrong: 0     no answer  fail, 0

The category has the fewest points of the domain and all hosts (reference internet.nl 5.2).
Standards: RFC 4035 4.3. Fails by: nothing.
"""

from __future__ import annotations

from checks.catalogue import by_id
from checks.facts.domain import Facts
from checks.facts.looked import Lookup
from checks.finding import Category, Finding, Status
from checks.judge import mx, unmailed
from checks.score import single, worst_of
from dnsops.resolve.answer import Security

POINTS = {Security.SECURE: 10, Security.INSECURE: 2, Security.BOGUS: 0, Security.FAILED: 0}


def category(facts: Facts) -> Category:
    """The whole category: its points are not the sum of its findings'."""
    meant = mx.of(facts)
    own = facts.looked(facts.domain, "SOA", accurate=True)
    looked = [facts.looked(host, "SOA", accurate=True) for host in meant.hosts]
    found = [_findings(("dnssec_exists", "dnssec_valid"), own, facts.domain, True)]
    found += [
        [unmailed.finding("dnssec_mx_exists", meant.state), by_id("dnssec_mx_valid").untested()]
        if meant.state is not mx.MxState.HAS_MX
        else worst_of([_findings(("dnssec_mx_exists", "dnssec_mx_valid"), one, one.name, False) for one in looked])
    ]
    return single("dnssec", [one for pair in found for one in pair], min(map(points, (own, *looked))))


def points(soa: Lookup) -> int:
    """0, 2 or 10."""
    return POINTS[state(soa)]


def state(soa: Lookup) -> Security:
    """No such name counts as no answer here, but for a bogus one."""
    if soa.security is Security.BOGUS:
        return Security.BOGUS
    return soa.security if soa.rcode == "NOERROR" else Security.FAILED


def _findings(names: tuple[str, str], soa: Lookup, host: str, own: bool) -> list[Finding]:
    exists, valid = map(by_id, names)
    score = points(soa) if own else None
    details = (f"{host}: {_reason(soa)}",)
    match state(soa):
        case Security.SECURE:
            pair = exists.finding(Status.GOOD, "good"), valid.finding(Status.GOOD, "good", score)
        case Security.BOGUS:
            pair = (
                exists.finding(Status.GOOD, "good"),
                valid.finding(Status.FAIL, "bad", score, details=details, host=host, evidence=(soa.evidence,)),
            )
        case Security.INSECURE:
            pair = (
                exists.finding(Status.FAIL, "bad", details=details, host=host),
                valid.untested(worst=valid.worst, points=score),
            )
        case Security.FAILED:
            pair = (
                exists.finding(Status.FAIL, "resolver-error", details=details, host=host),
                valid.untested(points=score),
            )
    return list(pair)


def _reason(soa: Lookup) -> str:
    if soa.why:
        return soa.why
    return "no such name" if soa.rcode == "NXDOMAIN" else soa.security.value
