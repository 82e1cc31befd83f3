"""Whether an address answers: a name server on port 53, a mail host on port 25.

A name server is asked over UDP, over TCP only when its answer was cut; any answer counts, a refusal too. A mail host must take a
TCP connection; nothing is read or written. Waiting follows the site: 5 s and 4 s.
Fails by: nothing; `Reached.why` says why not.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from checks.facts.looked import NO_WAY, Reached
from checks.probe.showing import evidence
from dnsops.resolve.line import CD, NO_ROUTE, Line, Patience, Question, Silence

NAME_SERVER = Patience(udp=(2.0, 3.0), tcp=5.0, tcp_after_silence=False)
MAIL_HOST = 4.0  # seconds

Now = Callable[[], datetime]


async def name_server(address: str, domain: str, now: Now, port: int = 53) -> Reached:
    """Whether anything answers a question for the domain's NS records."""
    from dnsops.resolve import reading

    line = Line(address, NAME_SERVER, port)
    try:
        said = await line.ask(Question(domain, "NS", CD))
    finally:
        line.close()
    if isinstance(said, Silence):
        why = NO_WAY if said.unreachable else said.why
        return _reached(address, False, why, f"{address} port 53: {why}", now)
    return _reached(address, True, "", f"{address} port 53: answers {reading.rcode(said)}", now)


async def mail_host(address: str, now: Now, port: int = 25) -> Reached:
    """Whether port 25 takes a connection."""
    try:
        async with asyncio.timeout(MAIL_HOST):
            _, writer = await asyncio.open_connection(address, port)
    except TimeoutError:
        why = f"silent for {MAIL_HOST:g} s"
    except OSError as error:
        why = trouble(error)
    else:
        await _hang_up(writer)
        return _reached(address, True, "", f"{address} port {port}: takes a connection", now)
    return _reached(address, False, why, f"{address} port {port}: {why}", now)


def trouble(error: OSError) -> str:
    """What went wrong, as the system calls it: `Connection refused`."""
    if error.errno in NO_ROUTE:
        return NO_WAY
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(1):
            await writer.wait_closed()


def _reached(address: str, ok: bool, why: str, line: str, now: Now) -> Reached:
    return Reached(address, ok, why, evidence((line,), now()))
