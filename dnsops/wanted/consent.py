"""The consent of a host to get DMARC reports about another domain. Pure.

Standards: RFC 9990 4 and RFC 7489 7.1. Where the public suffixes lie is not asked: a record between names of which one is
above the other is left out, every other one is wished; one too many harms nobody.
"""

from __future__ import annotations

from collections.abc import Iterator

from dnsops.records import names
from dnsops.records.txt.dmarc import Uri
from dnsops.wanted.dmarc import policy_of
from dnsops.wanted.door import Family, Wish
from dnsops.wanted.house import House
from dnsops.wanted.making import text

STANDARD = "RFC 9990 4"
CONTENT = "v=DMARC1;"  # with the semicolon: some readers want it


def wishes(house: House) -> Iterator[Wish]:
    """One for each domain whose reports go elsewhere; the union leaves it to others where the zone is not ours."""
    for domain in house.domains:
        policy = policy_of(house, domain)
        for place in sorted({_place(uri) for uri in (*policy.rua, *policy.ruf)} - {""}):
            if not (names.under(place, domain) or names.under(domain, place)):
                why = f"{place} agrees to get the DMARC reports about {domain}; without it nobody sends them"
                yield text(house, f"{domain}._report._dmarc.{place}", CONTENT, why, STANDARD, Family.DMARC)


def _place(uri: Uri) -> str:
    mailbox = uri.mailbox
    return names.canonical(mailbox.rpartition("@")[2]) if mailbox else ""
