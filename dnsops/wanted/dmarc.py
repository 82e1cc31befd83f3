"""What others shall do with mail that pretends to be ours, and where they report. Pure.

Standard: RFC 9989 4.7. `v=DMARC1` and `p=` come first, as internet.nl demands.
Fails by: `ForUser` for a records.dmarc that is none.
"""

from __future__ import annotations

from collections.abc import Iterator

from dnsops.base.errors import ForUser
from dnsops.records.txt.dmarc import Policy, Uri
from dnsops.wanted.door import Family, Finding, Wish
from dnsops.wanted.house import House
from dnsops.wanted.making import mailto, text

STANDARD = "RFC 9989 4.7"


def wishes(house: House) -> Iterator[Wish]:
    """One a domain."""
    for domain in house.domains:
        content, policy = content_of(house, domain), policy_of(house, domain)
        why = f"mail that is neither signed nor sent by us: {_request(policy)}; reports tell who tries"
        yield text(house, f"_dmarc.{domain}", content, why, STANDARD, Family.DMARC)


def content_of(house: House, domain: str) -> str:
    """records.dmarc as it is written, or reject with reports."""
    if house.records.dmarc:
        return house.records.dmarc
    return str(Policy(p="reject", rua=(Uri(mailto(house.dmarc_to or f"postmaster@{domain}")),)))


def policy_of(house: House, domain: str) -> Policy:
    """The same, read."""
    try:
        return Policy.parse(content_of(house, domain))
    except ForUser as error:
        raise ForUser(error.what, "records.dmarc", error.advice) from None


def findings(house: House) -> Iterator[Finding]:
    """A policy of one's own that asks for less than it could."""
    if house.records.dmarc and house.domains:
        policy = policy_of(house, house.domains[0])
        if policy.request(below=False, there=True) == "none" or policy.testing:
            yield Finding("records.dmarc asks nobody to refuse anything", "once reports look well, write p=reject")


def _request(policy: Policy) -> str:
    words = {"none": "no request", "quarantine": "into the spam folder", "reject": "refused"}
    return words[policy.request(below=False, there=True)]
