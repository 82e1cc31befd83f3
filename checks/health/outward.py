"""Can this host reach port 25 elsewhere? A connection to each target over IPv4 and IPv6, its greeting read, a goodbye; nothing is sent.

    tried = await outward(settings)      [] when no target is configured

Limits: SECONDS for each connection; the targets of `checks.outward`. Fails by: values that say so.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Sequence

from checks.health.facts import Outward
from checks.relay.talking import Talk
from mailsrv.spam.hints import plain

SECONDS = 10.0
NO_WAY = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


async def outward(targets: Sequence[tuple[str, int]]) -> tuple[Outward, ...]:
    """Each target over each family that it has an address of. targets: host or address, and port."""
    found = await asyncio.gather(*(_target(host, port) for host, port in targets))
    return tuple(one for of_target in found for one in of_target)


async def _target(host: str, port: int) -> list[Outward]:
    try:
        async with asyncio.timeout(SECONDS):
            rows = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError):
        return [Outward(host, "", 0, away=True, error="its address is not known here")]
    first: dict[int, str] = {}
    for row in rows:
        first.setdefault(ipaddress.ip_address(row[4][0]).version, str(row[4][0]))
    return [await _one(host, address, port, family) for family, address in sorted(first.items())]


async def _one(host: str, address: str, port: int, family: int) -> Outward:
    try:
        async with asyncio.timeout(SECONDS), Talk.opened(address, port, []) as talk:
            greeting = talk.greeting
            await talk.rest()
    except TimeoutError:
        return Outward(host, address, family, error=f"no answer within {SECONDS:g} s")
    except OSError as error:
        return Outward(host, address, family, error=plain(error.strerror or str(error)), away=error.errno in NO_WAY)
    if greeting.code // 100 in (2, 4, 5):  # whatever it says: port 25 is open on the way
        return Outward(host, address, family, greeting.text)
    return Outward(host, address, family, error=greeting.text)
