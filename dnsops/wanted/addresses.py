"""The addresses of the mail host. Pure. Standards: RFC 1035 3.4.1 (A), RFC 3596 2 (AAAA), RFC 5321 5.1 (why an MX needs them)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from dnsops.records import rdata
from dnsops.wanted.door import Finding, Wish
from dnsops.wanted.house import House
from dnsops.wanted.making import wish

WHY = {4: "other servers reach the host over IPv4 here", 6: "other servers reach the host over IPv6 here"}
STANDARD = {4: "RFC 1035 3.4.1", 6: "RFC 3596 2"}
TYPES = {4: "A", 6: "AAAA"}
# networks that nobody elsewhere has a way to, or that are everybody's own
# fmt: off
INSIDE = tuple(map(ipaddress.ip_network, (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
    "fc00::/7", "fe80::/10", "::1/128",
)))
# fmt: on


def wishes(house: House) -> Iterator[Wish]:
    """A and AAAA of the host."""
    yield from at(house, house.hostname)


def at(house: House, name: str, why: str = "") -> Iterator[Wish]:
    """The same addresses at another name, for one that cannot be an alias."""
    for address in map(ipaddress.ip_address, house.addresses):
        data = rdata.parse(TYPES[address.version], str(address))
        yield wish(house, name, data, why or WHY[address.version], STANDARD[address.version])


def findings(house: House) -> Iterator[Finding]:
    """What is odd about them."""
    if not house.addresses:
        advice = "write its public addresses into records.addresses"
        yield Finding(f"no public address of {house.hostname} is known", advice, trouble=True)
        return
    for address in map(ipaddress.ip_address, house.addresses):
        if any(address in network for network in INSIDE):
            yield Finding(f"{address} leads nowhere outside", "write the public address into records.addresses", True)
    if house.detected:
        found = ", ".join(house.addresses)
        yield Finding(
            f"the addresses of {house.hostname} are those of this machine's interfaces: {found}",
            "if the host is another machine, or more addresses lead to it, write records.addresses",
        )
    versions = {ipaddress.ip_address(address).version for address in house.addresses}
    if versions == {4}:
        yield Finding(f"{house.hostname} has no IPv6 address", "checkers such as internet.nl ask for one")
    if versions == {6}:
        yield Finding(f"{house.hostname} has no IPv4 address", "many servers cannot send to it, nor take mail from it")
