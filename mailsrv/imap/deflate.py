"""COMPRESS=DEFLATE (RFC 4978): raw deflate in both directions, and never more than a piece inflated at a time. Pure.

Fails by: `zlib.error` for what is no deflate; the connection ends.
"""

from __future__ import annotations

import zlib

PIECE = 1 << 16  # octets inflated at a time: a bomb meets the framer's limits like any other client
WINDOW = -15  # raw: no header


class Deflate:
    """Both directions of one connection."""

    __slots__ = ("_in", "_out", "_waiting")

    def __init__(self) -> None:
        self._out = zlib.compressobj(level=6, wbits=WINDOW)
        self._in = zlib.decompressobj(wbits=WINDOW)
        self._waiting = b""

    def packed(self, data: bytes) -> bytes:
        return self._out.compress(data) + self._out.flush(zlib.Z_SYNC_FLUSH)

    def feed(self, data: bytes) -> None:
        self._waiting += data

    @property
    def waiting(self) -> int:
        """Octets that are not yet inflated."""
        return len(self._waiting)

    def piece(self) -> bytes:
        """The next plain octets; as long as there are some `waiting`, ask again."""
        plain = self._in.decompress(self._waiting, PIECE)
        self._waiting = self._in.unconsumed_tail
        return plain
