"""A server that mail programs are told of, tried once: does it answer there, in the way that it was announced, with its own name?

Ports with TLS from the first byte are shaken hands with; at the others STARTTLS is asked for first, as the program would.
Standards: RFC 8314 3, RFC 3207, RFC 9051 6.2.1, RFC 2595 4. Limits: SECONDS for all of it, LINE octets of a line, LINES lines; one TLS
connection at a time to an address. Fails by: a `Place` that says why.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress

from checks.facts.setup import IMPLICIT, Place, Service
from checks.probe.browsing import Browser, Lost, trouble
from checks.probe.world import World
from dnsops.certs import dialogue
from mailsrv.transport.fetching import context

SECONDS, LINE, LINES = 5.0, 4096, 100
FLOWS = {"smtp": dialogue.smtp, "imap": dialogue.imap, "pop3": dialogue.pop3}
NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL")


async def tried(one: Service, browser: Browser, world: World) -> Place:
    """What came of it."""
    at: list[str] = []
    try:
        address = await browser.address(one.host)
        async with world.gate.turn(address), asyncio.timeout(SECONDS):
            why = await _spoken(one, address, world, at)
    except Lost as lost:
        why = lost.why
    except TimeoutError:
        why = f"no answer within {SECONDS:g} s"
        if at == ["greeting"]:
            why = f"no greeting within {SECONDS:g} s: STARTTLS is announced, but TLS may come first here"
    except ssl.SSLError as error:
        why = trouble(error)
        if error.reason in NOT_TLS:
            why = f"it speaks no TLS at once, which is announced; STARTTLS may be meant ({why})"
    except (OSError, EOFError, ValueError) as error:
        why = trouble(error)
    return Place(one.host, one.port, why)


async def _spoken(one: Service, address: str, world: World, at: list[str]) -> str:
    """at: how far it went, for whoever is told that time was over."""
    tls = context(world.roots)
    first = tls if one.security == IMPLICIT else None
    reader, writer = await asyncio.open_connection(
        address, one.port, ssl=first, server_hostname=one.host if first else None, limit=LINE
    )
    try:
        if first is None:
            at.append("greeting")
            if why := await _agreed(FLOWS[one.kind]("mailsrv.invalid"), reader, writer, at):
                return why
            await writer.start_tls(tls, server_hostname=one.host)
    finally:
        with suppress(OSError):
            writer.transport.abort()
    return ""


async def _agreed(
    flow: dialogue.Dialogue, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, at: list[str]
) -> str:
    send = next(flow)
    for _ in range(LINES):
        writer.write(send)
        line = await reader.readline()
        at.append("more")
        if not line.endswith(b"\n"):
            return "it hung up before TLS"
        try:
            send = flow.send(line.rstrip(b"\r\n"))
        except StopIteration as done:
            return str(done.value)
    return "its answer has no end"
