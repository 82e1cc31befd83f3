"""Who may send as a domain, and as the host itself. Pure.

Standards: RFC 7208 3 (one record a name), 2.3 and 10.1.3 (the EHLO name, for bounces), 5 (mechanisms).
No `ra=` is written: nobody reads it. How our record and a stranger's become one is in `merge`.
Fails by: `ForUser` for a records.spf that is none.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from dnsops.base.errors import ForUser
from dnsops.records.txt.spf import Mechanism, Spf
from dnsops.wanted.door import Family, Finding, Wish
from dnsops.wanted.house import House
from dnsops.wanted.making import text

STANDARD = "RFC 7208 3"
FAIL = Mechanism("all", qualifier="-")


def wishes(house: House) -> Iterator[Wish]:
    """The record of each domain, and of the host where it is none of them."""
    for domain in house.domains:
        why = "only the hosts that take its mail send it"
        yield text(house, domain, str(of_domain(house)), why, STANDARD, Family.SPF)
    if house.hostname not in house.domains:
        why = "bounces, and the greeting of our server, are checked by the host's own name"
        yield text(house, house.hostname, str(of_host(house)), why, "RFC 7208 2.3", Family.SPF)


def of_domain(house: House) -> Spf:
    """records.spf, or `v=spf1 mx -all` with the addresses that mail leaves from besides."""
    if house.records.spf:
        try:
            return Spf.parse(house.records.spf)
        except ForUser as error:
            raise ForUser(error.what, "records.spf", error.advice) from None
    return Spf((Mechanism("mx"), *_sources(house), FAIL))


def of_host(house: House) -> Spf:
    """`v=spf1 a -all`, with those addresses too."""
    return Spf((Mechanism("a"), *_sources(house), FAIL))


def findings(house: House) -> Iterator[Finding]:
    """A relay sends our mail, and our records do not say so."""
    if house.relay and not house.records.spf:
        yield Finding(
            f"mail leaves through {house.relay}, whose addresses the SPF records do not name",
            "write records.spf with the include: that its operator tells",
            trouble=True,
        )


def _sources(house: House) -> tuple[Mechanism, ...]:
    addresses = map(ipaddress.ip_address, house.sources)
    return tuple(Mechanism(f"ip{address.version}", str(address)) for address in addresses)
