"""Bytes of a message as IMAP strings: quoted where that is allowed, else a literal; NIL for what is not there. Pure.

Standard: RFC 9051 4.3 and 9. 8-bit bytes go into literals, which IMAP4rev1 and rev2 clients both read; NUL is dropped.
"""

from __future__ import annotations

import re

NIL = b"NIL"
_PLAIN = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x5b\x5d-\x7f]*+").fullmatch
_QUOTABLE = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x7f]*+").fullmatch


def string(value: bytes) -> bytes:
    """A quoted string or a literal."""
    if _PLAIN(value):
        return b'"' + value + b'"'
    value = value.replace(b"\0", b"")
    if _QUOTABLE(value):
        return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    return b"{%d}\r\n%b" % (len(value), value)


def nstring(value: bytes | None) -> bytes:
    return NIL if value is None else string(value)
