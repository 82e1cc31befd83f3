"""A whole TLS 1.3 visit: the chain of a kind of key, and whether 0-RTT is offered.

Standards: as `thirteen`. Limits: the visitor's; `PATIENCE` seconds for a ticket after the handshake.
Fails by: an empty chain, and None for what was not seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets

from checks.facts import Version
from checks.probe.tls.groups import SIGNATURES_MODERN
from checks.probe.tls.hello import Offer
from checks.probe.tls.thirteen import GROUPS, SUITES, Thirteen
from checks.probe.tls.visit import Visitor
from dnsops.certs.line import Line, Trouble
from dnsops.certs.wire import FAREWELLS

PATIENCE = 1.0
RSA = tuple(scheme for scheme in SIGNATURES_MODERN if scheme >> 8 == 8 and scheme not in (0x0807, 0x0808))
ECDSA = (0x0403, 0x0503, 0x0603, 0x0807, 0x0808)


async def visit_13(
    visitor: Visitor, signatures: tuple[int, ...] = SIGNATURES_MODERN
) -> tuple[tuple[bytes, ...], bool | None]:
    """The chain that a client with these signature algorithms gets, and whether the first ticket allows early data."""
    place = visitor.place
    offer = Offer(Version.TLS13, SUITES, GROUPS, signatures, place.host)
    machine = Thirteen(offer, secrets.token_bytes(32), FAREWELLS.get(place.how, b""))
    with contextlib.suppress(Trouble, OSError, TimeoutError, ValueError):
        async with visitor.line() as line:
            await _carried(machine, line)
    return machine.chain, machine.early_data


async def _carried(machine: Thirteen, line: Line) -> None:
    while not machine.done:
        if machine.send:
            out, machine.send = machine.send, b""
            await line.send(out)
        async with asyncio.timeout(PATIENCE if machine.chain else None):
            data = await line.receive()
        if not data:
            return
        machine.feed(data)
