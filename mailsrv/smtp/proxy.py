"""The PROXY protocol, versions 1 and 2: who a proxy says is speaking. Pure.

Standard: haproxy's proxy-protocol.txt. Believed from listed peers only (the listener looks), and there it is obligatory.
Limits: a line of 107 octets, a block of 4096. Fails by: `BadHeader`.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

from dnsops.base.errors import Deliberate

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
START = len(SIGNATURE)  # no header is shorter
LONGEST_LINE = 107
LONGEST_BLOCK = 4096
HEAD = 4  # octets of version 2 behind the signature
_FORMS = {0x11: ("!4s4sHH", ipaddress.IPv4Address), 0x21: ("!16s16sHH", ipaddress.IPv6Address)}
_FAMILIES = {"TCP4": ipaddress.IPv4Address, "TCP6": ipaddress.IPv6Address}


class BadHeader(Deliberate):
    """This is no PROXY header."""


@dataclass(frozen=True, slots=True)
class Source:
    """The address and port that the proxy was called from."""

    address: str
    port: int


def version(start: bytes) -> int:
    """1 or 2, by the first twelve octets."""
    if start == SIGNATURE:
        return 2
    if start.startswith(b"PROXY "):
        return 1
    raise BadHeader


def line(text: bytes) -> Source | None:
    """Version 1. None: the proxy speaks for itself, or does not know."""
    if len(text) > LONGEST_LINE or not text.endswith(b"\r\n") or not text.isascii():
        raise BadHeader
    words = text[:-2].decode().split(" ")
    if words[:2] == ["PROXY", "UNKNOWN"]:
        return None
    if len(words) != 6 or words[0] != "PROXY" or words[1] not in _FAMILIES:
        raise BadHeader
    family = _FAMILIES[words[1]]
    try:
        source, _ = family(words[2]), family(words[3])
    except ValueError:
        raise BadHeader from None
    ports = [_port(word) for word in words[4:]]
    return Source(str(source), ports[0])


def block_length(head: bytes) -> int:
    """Version 2: how much follows these four octets."""
    length = int.from_bytes(head[2:4], "big")
    if head[0] not in (0x20, 0x21) or length > LONGEST_BLOCK:
        raise BadHeader
    return length


def block(head: bytes, rest: bytes) -> Source | None:
    """Version 2. What stands behind the addresses (TLVs) is of no use to us."""
    if head[0] == 0x20:  # LOCAL: a health check
        return None
    if head[1] not in _FORMS:
        return None
    form, family = _FORMS[head[1]]
    if len(rest) < struct.calcsize(form):
        raise BadHeader
    source, _, port, _ = struct.unpack_from(form, rest)
    return Source(str(family(source)), port)


def _port(word: str) -> int:
    if not word.isdigit() or len(word) > 5 or (len(word) > 1 and word.startswith("0")) or int(word) > 65535:
        raise BadHeader
    return int(word)
