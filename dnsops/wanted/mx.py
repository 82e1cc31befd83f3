"""Where a domain's mail goes. Pure. Standard: RFC 5321 5.1."""

from __future__ import annotations

from collections.abc import Iterator

from dnsops.records import rdata
from dnsops.wanted.door import Wish
from dnsops.wanted.house import House
from dnsops.wanted.making import wish

STANDARD = "RFC 5321 5.1"


def wishes(house: House) -> Iterator[Wish]:
    """One MX a domain for our host, and those of other hosts that the configuration names."""
    hosts = [(house.records.mx_preference, house.hostname, "its mail comes to our host")]
    hosts += [
        (preference, host, "a further host takes its mail (records.other_mx)") for preference, host in house.other_mx
    ]
    for domain in house.domains:
        for preference, host, why in hosts:
            yield wish(house, domain, rdata.parse("MX", f"{preference} {host}."), why, STANDARD)
