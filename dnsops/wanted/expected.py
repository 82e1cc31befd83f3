"""What only others can write, and we can but look for: reverse names and the DS of our zones. Pure.

Standards: RFC 1035 3.5 and RFC 3596 2.5 (reverse names), RFC 4034 5 (DS).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from dnsops.records import names
from dnsops.wanted.door import Expectation, Wish
from dnsops.wanted.house import House


def expectations(house: House, wishes: Iterable[Wish]) -> Iterator[Expectation]:
    """PTR of each address that mail leaves from, DS of each zone that our records stand in."""
    for address in dict.fromkeys((*house.addresses, *house.sources)):
        yield _reverse(house, address)
    for zone in sorted({_zone(house, wish.record.name) for wish in wishes}):
        yield _signed(zone)


def of(wish: Wish) -> Expectation:
    """A record that we would write, in a zone that is somebody else's."""
    record = wish.record
    advice = "its zone is not among those we write: have its holder add this record"
    return Expectation(record.name, record.type, str(record.data), wish.why, advice, wish.standard)


def _reverse(house: House, address: str) -> Expectation:
    return Expectation(
        ipaddress.ip_address(address).reverse_pointer,
        "PTR",
        house.target,
        f"receivers refuse mail from {address} unless its name is {house.hostname} and leads back",
        "whoever rents out the address sets it: look for `reverse DNS` in their panel",
        "RFC 1035 3.5",
    )


def _signed(zone: str) -> Expectation:
    return Expectation(
        zone,
        "DS",
        "of a DNSKEY of this zone",
        "without DNSSEC nobody can believe the TLSA records, and DANE does nothing",
        "switch DNSSEC on where the zone is held, and give its DS to the registrar",
        "RFC 4034 5",
    )


def _zone(house: House, name: str) -> str:
    return names.longest_suffix(name, list(house.places)) or name
