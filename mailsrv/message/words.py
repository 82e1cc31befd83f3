"""Header text as people read it: encoded words and raw 8-bit bytes decoded. Pure.

Standards: RFC 2047 (with the language of RFC 2231 5), RFC 6532 for raw UTF-8.
Words that follow one another in the same charset are joined before they are decoded, because mailers cut characters in half.
Limits: `limits.DECODED` bytes of a value. Never fails: what is no encoded word stays as it stands.
"""

from __future__ import annotations

import binascii
import re

from mailsrv.message import charsets, limits, transfer

_WORD = re.compile(rb"=\?([^?\s]++)\?([bBqQ])\?([^?]*+)\?=")


def text(value: bytes) -> str:
    """The text of an unfolded value."""
    if b"=?" not in value:
        return charsets.text(value[: limits.DECODED])
    pieces: list[str] = []
    position, run, charset = 0, b"", ""
    for found in _WORD.finditer(value[: limits.DECODED]):
        between = value[position : found.start()]
        name = _charset(found[1])
        if run and (between.strip() or name != charset):
            pieces.append(charsets.text(run, charset))
            run = b""
        if between.strip() or not position:  # blanks between two encoded words say nothing (RFC 2047 6.2)
            pieces.append(charsets.text(between))
        run, charset, position = run + _content(found[2], found[3]), name, found.end()
    return "".join([*pieces, charsets.text(run, charset), charsets.text(value[position : limits.DECODED])])


def _charset(name: bytes) -> str:
    return name.partition(b"*")[0].decode("ascii", "replace").lower()


def _content(encoding: bytes, data: bytes) -> bytes:
    if encoding in b"bB":
        return transfer.base64(data)
    return binascii.a2b_qp(data, header=True)
