"""The addresses that this machine would reach the Internet from. Touches: two sockets, and sends nothing.

A UDP socket that is connected makes the kernel choose a route and a source address, and no packet leaves (udp(7), connect(2)).
What it chose is taken when it is global: an address behind NAT is not, and nobody can know the public one from here.
Standard: RFC 5014 (a lasting IPv6 address rather than a temporary one).
Limits: one address of each family; a host with more has them in `records.addresses`. Fails by: an empty tuple.
"""

from __future__ import annotations

import ipaddress
import socket

SOMEWHERE = {
    socket.AF_INET: "198.41.0.4",
    socket.AF_INET6: "2001:503:ba3e::2:30",
}  # a root server's: as global as can be
IPV6_ADDR_PREFERENCES, IPV6_PREFER_SRC_PUBLIC = 72, 2  # Linux's numbers; Python has no names for them


def global_addresses() -> tuple[str, ...]:
    """At most one IPv4 and one IPv6 address."""
    found = [_source(family, there) for family, there in SOMEWHERE.items()]
    return tuple(address for address in found if address and ipaddress.ip_address(address).is_global)


def _source(family: socket.AddressFamily, there: str) -> str:
    """The address that the kernel would send from; "" when there is no route."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            if family == socket.AF_INET6:
                asking.setsockopt(socket.IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, IPV6_PREFER_SRC_PUBLIC)
            asking.connect((there, 53))
            return str(asking.getsockname()[0]).partition("%")[0]
    except OSError:
        return ""
