"""Values to IMAP text (RFC 9051 9). Pure; each gives bytes that can stand in a response as they are."""

from __future__ import annotations

import re

from mailsrv.imap.grammar.names import to_utf7

QUOTABLE = re.compile(rb"[\x20\x21\x23-\x5b\x5d-\x7e]*")  # neither " nor \, no control, no 8-bit
ESCAPED = re.compile(rb'(["\\])')
QUOTED_LONGEST = 1000


def string(octets: bytes, utf8: bool = False) -> bytes:
    """Quoted where that is allowed, a literal otherwise."""
    if len(octets) <= QUOTED_LONGEST:
        if QUOTABLE.fullmatch(octets):
            return b'"' + octets + b'"'
        plain = octets.translate(None, b"\r\n\0")
        if len(plain) == len(octets) and (utf8 or octets.isascii()):
            return b'"' + ESCAPED.sub(rb"\\\1", octets) + b'"'
    return literal(octets)


def nstring(octets: bytes | None, utf8: bool = False) -> bytes:
    return b"NIL" if octets is None else string(octets, utf8)


def literal(octets: bytes) -> bytes:
    return b"{%d}\r\n%b" % (len(octets), octets)


def literal8(octets: bytes) -> bytes:
    """RFC 9051 4.3: octets that hold NUL."""
    return b"%b{%d}\r\n%b" % (b"~" if b"\0" in octets else b"", len(octets), octets)


def mailbox(name: str, utf8: bool) -> bytes:
    """A mailbox name in the encoding that is in force."""
    return string(name.encode("utf-8") if utf8 else to_utf7(name).encode("ascii"), utf8)


def listed(words: list[bytes]) -> bytes:
    return b"(" + b" ".join(words) + b")"


def flags(names: frozenset[str]) -> bytes:
    return b" ".join(sorted(name.encode("ascii", "replace") for name in names))
