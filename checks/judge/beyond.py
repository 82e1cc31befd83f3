"""Beyond internet.nl: mail hosts, reverse names, blocklists, how long certificates last, what is said about reports. Pure.

These findings have a status of their own and no points. What nobody could ask about is `not tested`, never good.
Standards: RFC 5321 5.1, RFC 1912 2.1, RFC 5782. Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from checks.catalogue import by_id
from checks.facts.beyond import Reverse
from checks.facts.domain import Facts
from checks.finding import Category, Finding, Status
from checks.judge import mx, ours, setup, sts, zones
from checks.score import single
from dnsops.base.errors import ForUser
from dnsops.certs.chain import Chain, from_der
from dnsops.records.txt import bimi, tags, tlsrpt
from dnsops.resolve.answer import Security

SOON, VERY_SOON = timedelta(days=14), timedelta(days=3)


def category(facts: Facts) -> Category:
    """All of it; what has nothing to do with a domain without mail hosts is left out."""
    found: list[Finding] = []
    if mx.of(facts).state is mx.MxState.HAS_MX:
        found = [
            _mx_hosts(facts),
            _mx_signed(facts),
            _reverse(facts),
            _greeting(facts),
            _blocklists(facts),
            sts.finding(facts),
            _tls_rpt(facts),
            _certificate_days(facts),
            *((setup.finding(facts),) if facts.beyond.setup else ()),
        ]
    return single("beyond", [*found, *_bimi(facts), *_zones(facts), *ours.findings(facts.beyond)])


def _finding(name: str, status: Status, details: Iterable[str] = ()) -> Finding:
    return by_id(name).finding(status, "good" if status is Status.GOOD else "bad", details=tuple(details))


def _untested(name: str, why: str = "nobody was asked") -> Finding:
    return by_id(name).finding(Status.NOT_TESTED, "not-tested", worst=Status.NOT_TESTED, details=(why,))


def _zones(facts: Facts) -> Iterable[Finding]:
    seen = facts.beyond.zones
    if seen is not None and not seen:
        return [_untested(name, "there was no time for it") for name in ("zone_servers", "zone_signatures")]
    return zones.findings(seen or (), facts.at)


def _mx_hosts(facts: Facts) -> Finding:
    wrong, advice = [], []
    for name in mx.of(facts).hosts:
        answers = [facts.looked(name, type_name) for type_name in ("A", "AAAA")]
        if all(answer.none for answer in answers):
            wrong.append(f"{name}: no address")
        if any(answer.canonical and answer.canonical.removesuffix(".") != name for answer in answers):
            advice.append(f"{name}: an alias (CNAME), which an MX may not name")
    records = facts.looked(facts.domain, "MX").records
    hosts = [record.partition(" ")[2] for record in records]
    advice += [f"{host} stands in two MX records" for host in sorted({one for one in hosts if hosts.count(one) > 1})]
    status = Status.FAIL if wrong else Status.NOTICE if advice else Status.GOOD
    return _finding("mx_hosts", status, (*wrong, *advice))


def _mx_signed(facts: Facts) -> Finding:
    security = facts.looked(facts.domain, "MX").security
    if security is Security.SECURE:
        return _finding("mx_signed", Status.GOOD)
    status = Status.FAIL if security is Security.BOGUS else Status.NOTICE
    return _finding("mx_signed", status, (f"the MX records of {facts.domain}: {security.value}",))


# addresses


def _reverse(facts: Facts) -> Finding:
    seen = facts.beyond.reverse
    if not seen:
        return _untested("reverse_names")
    wrong = [f"{one.address}: {why}" for one in seen if one.known and (why := _unconfirmed(one))]
    unknown = [f"{one.address}: cannot be known now: {one.why}" for one in seen if not one.known]
    status = Status.NOTICE if wrong else Status.INFO if unknown else Status.GOOD
    return _finding("reverse_names", status, (*wrong, *unknown))


def _unconfirmed(seen: Reverse) -> str:
    if not seen.names:
        return "no reverse name"
    return "" if seen.confirmed else f"{', '.join(seen.names)} does not have this address"


def _greeting(facts: Facts) -> Finding:
    greeted = [one for one in facts.beyond.reverse if one.helo]
    if not greeted:
        return _untested("greeting", "no greeting was seen")
    known = {name.lower() for one in greeted for name in one.confirmed} | set(mx.of(facts).hosts)
    strange = [f"{one.address} calls itself {one.helo}" for one in greeted if one.helo.lower().rstrip(".") not in known]
    return _finding("greeting", Status.INFO if strange else Status.GOOD, strange)


def _blocklists(facts: Facts) -> Finding:
    lists = facts.beyond.listings
    if not lists:
        return _untested("blocklists", "no list was named")
    on = [f"{one.address} is on {one.zone}: {one.text or ', '.join(one.codes)}" for one in lists if one.listed]
    silent = [f"{one.zone} did not say about {one.address}" for one in lists if one.listed is None]
    if len(silent) == len(lists):
        return _untested("blocklists", "no list answered")
    return _finding("blocklists", Status.FAIL if on else Status.GOOD, (*on, *silent))


# certificates and reports


def _certificate_days(facts: Facts) -> Finding:
    chains = [(host.name, chain) for host in facts.hosts for chain in (host.tls.chain, *host.tls.wide_chains) if chain]
    if not chains:
        return _untested("certificate_days", "no certificate was seen")
    judged = [_lasting(name, chain, facts) for name, chain in dict.fromkeys(chains)]
    return _finding("certificate_days", min(status for status, _ in judged), (line for _, line in judged))


def _lasting(name: str, chain: tuple[bytes, ...], facts: Facts) -> tuple[Status, str]:
    try:
        shown: Chain = from_der(chain[:1], name)
    except ForUser as error:
        return Status.FAIL, f"{name}: {error.what}"
    left = shown.not_after - facts.at
    if shown.not_before > facts.at:
        return Status.FAIL, f"{name}: its certificate is not yet valid"
    if left < timedelta(0):
        return Status.FAIL, f"{name}: its certificate ended {shown.not_after:%Y-%m-%d}"
    status = Status.FAIL if left < VERY_SOON else Status.NOTICE if left < SOON else Status.GOOD
    return status, f"{name}: {left.days} days left"


def _tls_rpt(facts: Facts) -> Finding:
    answer = facts.looked(f"_smtp._tls.{facts.domain}", "TXT")
    if not answer.answered:
        return _untested("tls_rpt", answer.why or answer.rcode)
    nearly = [text for text in answer.texts if text.lower().startswith("v=tlsrpt")]
    ours = tlsrpt.ours(answer.texts) or nearly[:1]
    if not ours:
        return _finding("tls_rpt", Status.NOTICE, ("there is no record",))
    if len(ours) > 1:  # RFC 8460 3: senders then assume that there is none
        return _finding("tls_rpt", Status.FAIL, (f"{len(ours)} records: senders use none of them",))
    try:
        record = tlsrpt.TlsRpt.parse(ours[0])
    except ForUser as error:
        return _finding("tls_rpt", Status.FAIL, ("there is a record, and nobody can use it", str(error)))
    strange = [
        f"{uri}: neither mailto nor https, so nothing is sent there" for uri in record.rua if uri not in record.usable
    ]
    status = Status.FAIL if not record.usable else Status.NOTICE if strange else Status.GOOD
    return _finding("tls_rpt", status, strange or record.rua)


def _bimi(facts: Facts) -> list[Finding]:
    answer = facts.looked(f"default._bimi.{facts.domain}", "TXT")
    ours = [text for text in answer.texts if text.lower().startswith("v=bimi")]
    if not ours:
        return []
    if len(ours) > 1:
        return [_finding("bimi", Status.NOTICE, (f"{len(ours)} records: nobody shows a picture",))]
    try:
        record = bimi.Bimi.parse(ours[0])
    except (tags.Malformed, ForUser) as error:
        return [_finding("bimi", Status.NOTICE, (str(error),))]
    if record.location and not record.authority:
        alone = "no a=: who asks for a mark certificate shows no picture"
        return [_finding("bimi", Status.INFO, (alone,))]
    return [_finding("bimi", Status.GOOD)]
