"""Content-Type and Content-Disposition: a value and its parameters, continuations joined. Pure.

Standards: RFC 2045 5.1, RFC 2231 3 and 4. RFC 2231 8 asks an IMAP server to join continuations; charset and percent
encoding stay, under the name with its asterisk, because BODYSTRUCTURE has no other place for them.
Limits: `limits.PARAMETERS`, pieces counted one by one. Never fails: what cannot be read is left out.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from mailsrv.message import limits

_TYPE = re.compile(rb"\s*+([!-.0-:<-~]++)\s*+/\s*+([!-.0-:<-~]++)")
_WORD = re.compile(rb'\s*+"?([!#-\'*-.0-:<-~]++)')
_PARAMETER = re.compile(rb';\s*+([^\s=;]++)\s*+=\s*+(?:"((?:[^"\\]++|\\.)*+)"?|([^;\s]*+))', re.DOTALL)
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_UNSAFE = re.compile(rb"[^A-Za-z0-9._~-]", re.DOTALL)  # in an extended value (RFC 2231 7), to be sure
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
_PIECE = re.compile(rb"([^*]+)\*(?:(\d{1,3})(\*)?)?\Z")

MOST_KEPT = 512  # the latest of the SHORT ones: a few mailers' words are in most mail
SHORT = 64  # bytes

Parameters = tuple[tuple[bytes, bytes], ...]


class Media(NamedTuple):
    """A content type in upper case, its parameters' names too."""

    type: bytes
    subtype: bytes
    parameters: Parameters = ()

    def get(self, name: bytes) -> bytes:
        return get(self.parameters, name)


PLAIN = Media(b"TEXT", b"PLAIN")
MESSAGE = Media(b"MESSAGE", b"RFC822")
OPAQUE = Media(b"APPLICATION", b"OCTET-STREAM")


def media(value: bytes | None, default: Media = PLAIN) -> Media:
    """A Content-Type field; one that is absent or broken says the default (RFC 2045 5.2)."""
    if not value:
        return default
    return (_kept(value) if len(value) <= SHORT else _read(value)) or default


def _read(value: bytes) -> Media | None:
    found = _TYPE.match(value)
    return Media(found[1].upper(), found[2].upper(), parameters(value, found.end())) if found else None


_kept = lru_cache(MOST_KEPT)(_read)


def disposition(value: bytes | None) -> tuple[bytes, Parameters] | None:
    """A Content-Disposition field (RFC 2183): its word in upper case and its parameters."""
    found = _WORD.match(value) if value else None
    if found is None or value is None:
        return None
    return found[1].upper(), parameters(value, found.end())


def get(pairs: Parameters, name: bytes) -> bytes:
    """The first parameter of that name, as bytes without any encoding of RFC 2231; empty when there is none."""
    for key, value in pairs:
        if key == name:
            return value
        if key == name + b"*":
            return _PERCENT.sub(lambda found: bytes([int(found[1], 16)]), value.rpartition(b"'")[2])
    return b""


def parameters(value: bytes, start: int = 0) -> Parameters:
    """The parameters from `start` on, names in upper case."""
    pairs = [
        (found[1].upper(), found[3] if found[2] is None else _QUOTED_PAIR.sub(rb"\1", found[2]))
        for found in islice(_PARAMETER.finditer(value, start), limits.PARAMETERS)
    ]
    return _joined(pairs) if any(b"*" in name for name, _ in pairs) else tuple(pairs)


def _joined(pairs: list[tuple[bytes, bytes]]) -> Parameters:
    """Continuations put together in the order of their numbers; each name stands where its first piece stood."""
    groups: dict[bytes, dict[int, tuple[bool, bytes]]] = {}
    for name, value in pairs:
        piece = _PIECE.match(name)
        key = piece[1] + b"*" if piece else name
        number = int(piece[2] or 0) if piece else 0
        extended = bool(piece) and (piece[2] is None or piece[3] is not None) if piece else False
        groups.setdefault(key, {}).setdefault(number, (extended, value))
    return tuple(_whole(key, pieces) for key, pieces in groups.items())


def _whole(key: bytes, pieces: dict[int, tuple[bool, bytes]]) -> tuple[bytes, bytes]:
    """One parameter; pieces after a missing number are left out."""
    row = []
    for number in range(len(pieces)):
        if number not in pieces:
            break
        row.append(pieces[number])
    if not any(extended for extended, _ in row):
        return key.removesuffix(b"*"), b"".join(value for _, value in row)
    return key, b"".join(
        value if extended else _UNSAFE.sub(lambda found: b"%%%02X" % ord(found[0]), value) for extended, value in row
    )
