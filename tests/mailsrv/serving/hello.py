"""What a client's context offers, read from its ClientHello (RFC 8446 4.1.2): signature algorithms and groups, in hex."""

from __future__ import annotations

import ssl
from contextlib import suppress

GROUPS, SIGNATURES = 10, 13


def offered(context: ssl.SSLContext) -> set[str]:
    """The code points of both lists."""
    inbox, outbox = ssl.MemoryBIO(), ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(inbox, outbox, server_hostname="mx1.example.org").do_handshake()
    found: set[str] = set()
    for kind, data in _extensions(outbox.read()[9:]):
        if kind in (GROUPS, SIGNATURES):
            found |= {data[at : at + 2].hex() for at in range(2, len(data), 2)}
    return found


def _extensions(hello: bytes) -> list[tuple[int, bytes]]:
    """hello: after the headers of record and message."""
    at = 34
    at += 1 + hello[at]  # session id
    at += 2 + int.from_bytes(hello[at : at + 2])  # suites
    at += 1 + hello[at] + 2  # compression
    found = []
    while at < len(hello):
        kind, length = int.from_bytes(hello[at : at + 2]), int.from_bytes(hello[at + 2 : at + 4])
        found.append((kind, hello[at + 4 : at + 4 + length]))
        at += 4 + length
    return found
