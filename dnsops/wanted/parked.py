"""Names that neither send nor receive mail, and say so. Pure.

Standards: RFC 7505 3 (null MX), RFC 7208 10.1.2 (nobody sends), RFC 9989 4.7. The texts are exactly those that internet.nl looks for.
"""

from __future__ import annotations

from collections.abc import Iterator

from dnsops.records import names, rdata
from dnsops.wanted.door import Family, Finding, Wish
from dnsops.wanted.house import House
from dnsops.wanted.making import text, wish

NULL_MX, NO_SENDER, REJECT = "0 .", "v=spf1 -all", "v=DMARC1; p=reject;"


def wishes(house: House) -> Iterator[Wish]:
    """Three records a name."""
    for name in _names(house):
        data = rdata.parse("MX", NULL_MX)
        yield wish(house, name, data, "it takes no mail: senders give up at once", "RFC 7505 3", alone=True)
        yield text(house, name, NO_SENDER, "it sends no mail", "RFC 7208 10.1.2", Family.SPF)
        why = "mail that pretends to come from it is refused"
        yield text(house, f"_dmarc.{name}", REJECT, why, "RFC 9989 4.7", Family.DMARC)


def findings(house: House) -> Iterator[Finding]:
    """Names that are in use."""
    for name in house.records.parked:
        if name in _in_use(house):
            yield Finding(
                f"{name} is in records.parked, and mail is sent from it or to it",
                "take it out there; it was left as it is",
                trouble=True,
            )


def _names(house: House) -> list[str]:
    parked = (names.host(name, "records.parked") for name in house.records.parked)
    return [name for name in dict.fromkeys(parked) if name not in _in_use(house)]


def _in_use(house: House) -> set[str]:
    return {house.hostname, *house.domains, *(host for _, host in house.other_mx)}
