"""Who may issue certificates for our names. Pure.

Standards: RFC 8659 3 and 4, RFC 8657 3 and 4 (bound to our account and our methods).
At the host, because the web names of our domains are aliases to it and CAA follows aliases; and at each domain, for all else
below it. Strangers' CAA records at a domain are left there by the plan. An authority that nobody can name gets no record.
"""

from __future__ import annotations

from collections.abc import Iterator

from dnsops.records import names
from dnsops.records.txt.caa import IODEF, ISSUE, ISSUE_WILD, Caa, Issuer
from dnsops.wanted.door import Finding, Wish
from dnsops.wanted.house import House
from dnsops.wanted.making import mailto, wish

STANDARD = "RFC 8659 4.2"
WILD_METHOD = "dns-01"  # RFC 8555 7.1.3: authorities prove wildcards by DNS alone


def wishes(house: House) -> Iterator[Wish]:
    """issue, issuewild where it says something else, and iodef."""
    if not house.records.caa or not (house.acme.issuers or house.records.caa_issuers):
        return
    for name in dict.fromkeys((*house.domains, house.hostname)):
        for record, why in _properties(house, name):
            yield wish(house, name, record.data, why, "RFC 8659 4.4" if record.tag == IODEF else STANDARD)


def findings(house: House) -> Iterator[Finding]:
    """What these records do to certificates that are not ours."""
    if not house.records.caa:
        return
    if not house.acme.issuers:
        if not house.records.caa_issuers:
            advice = "write its name into records.caa_issuers, or records.caa: false"
            yield Finding("which authority issues our certificates is not known, so no CAA records are written", advice)
        return
    if not house.records.caa_issuers and house.domains:
        yield Finding(
            f"with the CAA records only {_bound(house)} may issue for {', '.join(house.domains)} and all below",
            "if web servers there have certificates of their own, name their authorities in records.caa_issuers",
        )
    if not house.acme.account:
        yield Finding(
            "the CAA records are not bound to an ACME account yet", "they will be, once `mailsrv cert issue` has one"
        )


def _properties(house: House, name: str) -> Iterator[tuple[Caa, str]]:
    others = [Issuer(issuer) for issuer in _others(house)]
    ours = "our authority may issue, for our account and by our methods alone"
    for issuer in _ours(house, house.acme.methods):
        yield Caa(0, ISSUE, str(issuer)), ours
    for other in others:
        yield Caa(0, ISSUE, str(other)), "this authority may issue too (records.caa_issuers)"
    if any(names.under(base, name) for base in _wild(house)):
        for issuer in _ours(house, (WILD_METHOD,)):
            yield Caa(0, ISSUE_WILD, str(issuer)), "our certificate holds a wildcard"
        for other in others:
            yield Caa(0, ISSUE_WILD, str(other)), "this authority may issue wildcards too (records.caa_issuers)"
    elif name == house.hostname and name not in house.domains:
        yield Caa(0, ISSUE_WILD, ";"), "nobody has business with a wildcard below a mail host"
    yield Caa(0, IODEF, mailto(_contact(house, name))), "an authority that was asked by a stranger tells us here"


def _ours(house: House, methods: tuple[str, ...]) -> tuple[Issuer, ...]:
    """Ours by its first name; none where others issue for us."""
    return tuple(Issuer.bound(name, house.acme.account, methods) for name in house.acme.issuers[:1])


def _others(house: House) -> tuple[str, ...]:
    """Those named by the configuration, in one spelling each; ours is there already, and bound."""
    named = (names.canonical(issuer, "records.caa_issuers") for issuer in house.records.caa_issuers)
    return tuple(dict.fromkeys(named))


def _wild(house: House) -> tuple[str, ...]:
    return tuple(name.removeprefix("*.") for name in house.acme.names if name.startswith("*."))


def _contact(house: House, name: str) -> str:
    home = name if name in house.domains else next(iter(house.domains), name)
    return house.acme.contact or f"postmaster@{home}"


def _bound(house: House) -> str:
    return f"{house.acme.issuers[0]} with our account" if house.acme.account else house.acme.issuers[0]
