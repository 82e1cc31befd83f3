"""Who really asks when a reverse proxy stands in front: what its headers say, believed only from a proxy that we know. Pure.

    whose(peer, headers, trusted) -> Client         headers: lower-case names and values, in their order

Standards: none; X-Forwarded-For, -Proto and -Host as Caddy, nginx and HAProxy write them. Of a list of addresses the last one
that is not a proxy of ours counts: what stands before it the client may have made up.
Limits: HOPS addresses from the right. Fails by: the peer itself, where a header makes no sense.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
HOPS = 16


@dataclass(frozen=True, slots=True)
class Client:
    """address: who asks.  trusted: by way of a proxy of ours.  secure: that proxy was asked by TLS, as far as it says.

    host: the one that was asked for, "" for that of the Host header.
    """

    address: str
    trusted: bool = False
    secure: bool = True
    host: str = ""


def whose(peer: str, headers: Sequence[tuple[str, str]], trusted: Iterable[Network]) -> Client:
    """The client behind a peer, and what it asked for."""
    known = tuple(trusted)
    if not _within(peer, known):
        return Client(peer)
    chain = [part.strip() for value in _all(headers, "x-forwarded-for") for part in value.split(",")][-HOPS:]
    scheme = _last(headers, "x-forwarded-proto").lower()
    return Client(_client(peer, chain, known), True, scheme != "http", _last(headers, "x-forwarded-host"))


def _client(peer: str, chain: list[str], known: tuple[Network, ...]) -> str:
    found = peer
    for address in reversed(chain):
        if not _is_address(address):
            break
        found = address
        if not _within(address, known):
            break
    return found


def _all(headers: Sequence[tuple[str, str]], name: str) -> list[str]:
    return [value for key, value in headers if key == name]


def _last(headers: Sequence[tuple[str, str]], name: str) -> str:
    return ",".join(_all(headers, name)).rpartition(",")[2].strip()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _within(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return any((mapped or found) in network for network in networks)
