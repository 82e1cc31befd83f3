"""Rdata of the commonest types from its octets to the text that `rdata` gives, without building an object for it. Pure.

    text("A", b"\\xc0\\x00\\x02\\x01")  ->  "192.0.2.1"         None: not one of those types, or not as it usually looks

Standards: RFC 1035 3.3 and 3.4 (forms), RFC 3596 2.2 (AAAA), RFC 4034 6.2 (names in lower case), RFC 5952 (an IPv6 address).
Names are without compression, as libunbound hands them out. Fails by: None; dnspython then has the word.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

LONGEST_NAME = 255  # RFC 1035 3.1
# octets that stand in a name, and in a character string, as they are
_IN_NAMES = bytes(sorted(set(range(0x21, 0x7F)) - set(b'"().;\\@$')))
_IN_STRINGS = bytes(sorted(set(range(0x20, 0x7F)) - set(b'"\\')))
_MAPPED = bytes(10)  # how IPv4 addresses in IPv6 begin: those have two ways of writing


def text(type_name: str, data: bytes) -> str | None:
    """The presentation text in canonical form."""
    read = _READERS.get(type_name)
    return read(data) if read is not None else None


def _a(data: bytes) -> str | None:
    return ".".join(map(str, data)) if len(data) == 4 else None


def _aaaa(data: bytes) -> str | None:
    return str(ipaddress.IPv6Address(data)) if len(data) == 16 and not data.startswith(_MAPPED) else None


def _strings(data: bytes) -> str | None:
    """TXT: each character string in quotes."""
    found, position = [], 0
    while position < len(data):
        end = position + 1 + data[position]
        string = data[position + 1 : end]
        if end > len(data) or string.translate(None, _IN_STRINGS):
            return None
        found.append(f'"{string.decode("ascii")}"')
        position = end
    return " ".join(found) or None


def _name(data: bytes) -> str | None:
    """One name and nothing behind it."""
    if data == b"\0":
        return "."
    labels, position, end = [], 0, len(data) - 1
    while position < end:
        stop = position + 1 + data[position]
        label = data[position + 1 : stop]
        if not label or len(label) > 63 or stop > end or label.translate(None, _IN_NAMES):
            return None
        labels.append(label)
        position = stop
    if not labels or data[end] or len(data) > LONGEST_NAME:
        return None
    return (b".".join(labels) + b".").lower().decode("ascii")


def _mx(data: bytes) -> str | None:
    host = _name(data[2:])
    return f"{data[0] << 8 | data[1]} {host}" if host is not None else None


_READERS: dict[str, Callable[[bytes], str | None]] = {
    "A": _a,
    "AAAA": _aaaa,
    "CNAME": _name,
    "MX": _mx,
    "NS": _name,
    "PTR": _name,
    "TXT": _strings,
}
