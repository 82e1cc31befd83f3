"""Content-Transfer-Encoding taken off: base64, quoted-printable, and those that are none. Pure.

Standard: RFC 2045 6. Fails by a value: `None` for an encoding nobody knows (RFC 9051: NO [UNKNOWN-CTE]). Broken base64
gives what can be read of it. The caller bounds the size.
"""

from __future__ import annotations

import binascii
import re

IDENTITY = frozenset((b"7BIT", b"8BIT", b"BINARY", b""))
_STRANGERS = bytes(sorted(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")))
_PADDED = re.compile(rb"=+")


def decoded(encoding: bytes | str, data: bytes) -> bytes | None:
    """The content behind a transfer encoding (in any case), for BINARY[] and for reading."""
    name = encoding.encode("ascii", "replace") if isinstance(encoding, str) else encoding
    match name.upper():
        case b"BASE64":
            return base64(data)
        case b"QUOTED-PRINTABLE":
            return binascii.a2b_qp(data)
        case known if known in IDENTITY:
            return data
    return None


def base64(data: bytes) -> bytes:
    """Base64 with anything between its letters, several pieces one after the other, or cut off."""
    letters = data.translate(None, _STRANGERS)
    pieces = [letters] if b"=" not in letters.rstrip(b"=") else _PADDED.split(letters, 1000)
    return b"".join(binascii.a2b_base64(_filled(piece.rstrip(b"="))) for piece in pieces)


def _filled(letters: bytes) -> bytes:
    """With padding; a single letter too many says nothing."""
    rest = len(letters) % 4
    whole = letters[:-1] if rest == 1 else letters
    return whole + b"=" * (-len(whole) % 4)
