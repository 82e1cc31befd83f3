"""An authority that validates one of our names at port 443: how it is known, and what it is shown.

    hello = await client_hello(sock)             left where it is, so that a handshake can follow
    if OFFERED in hello: context = validating(pair)

Standards: RFC 8737 3 (TLS-ALPN-01), RFC 7301 3.1 (how a ClientHello lists protocols), RFC 8446 5.1 (records).
The octets of the protocol's name are looked for anywhere in the hello: who hides them elsewhere sees a certificate without worth.
Limits: one record, RECORD octets; the time is the caller's. Fails by: OSError; a name without a pair is an alert of TLS
(unrecognized_name).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from socket import MSG_PEEK, socket

ACME = "acme-tls/1"
OFFERED = bytes([len(ACME)]) + ACME.encode()
RECORD = 5 + (16 << 10)
HANDSHAKE = 22  # the type of a record
AGAIN = 0.02  # seconds until half a hello is looked at again


async def client_hello(peer: socket) -> bytes:
    """The first record of a connection, or what is none. Nothing is taken out of the socket."""
    while True:
        await _readable(peer)
        hello = peer.recv(RECORD, MSG_PEEK)
        if not hello:
            raise ConnectionResetError("gone before it said hello")
        if hello[0] != HANDSHAKE or (len(hello) >= 5 and len(hello) >= min(RECORD, 5 + _length(hello))):
            return hello
        await asyncio.sleep(AGAIN)


def _length(record: bytes) -> int:
    return int.from_bytes(record[3:5], "big")


async def _readable(peer: socket) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(peer, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(peer)


def validating(pair: Callable[[str], Path | None]) -> ssl.SSLContext:
    """Shows for each name the certificate that was made for its validation. pair: its file, None when there is none."""

    def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        context = _loaded(pair(name or ""))
        if context is None:
            return int(ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME)
        connection.context = context
        return None

    context = _bare()
    context.sni_callback = choose
    return context


def _loaded(path: Path | None) -> ssl.SSLContext | None:
    """The answer may be taken away at any moment."""
    if path is None:
        return None
    context = _bare()
    try:
        context.load_cert_chain(path)
    except OSError:
        return None
    return context


def _bare() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols([ACME])
    return context
