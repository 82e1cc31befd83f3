"""Bytes read from the front: numbers and fields with their length before them. Pure.

Standards: RFC 8446 3.4 (vectors). Fails by: `Unreadable` where the bytes end too early.
"""

from __future__ import annotations


class Unreadable(ValueError):
    """A peer's bytes are not what the standard says; the text says what they are instead."""


class Octets:
    """A place in some bytes."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        """The next `count` octets."""
        if count > self.left:
            raise Unreadable("a handshake message that is cut off")
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self, octets: int) -> int:
        """The next unsigned number of so many octets."""
        return int.from_bytes(self.take(octets), "big")

    def field(self, octets: int) -> bytes:
        """The next vector, its length in so many octets before it."""
        return self.take(self.number(octets))

    def rest(self) -> bytes:
        return self.take(self.left)
