"""What a shelf needs of the place where it lies: pieces, lists and their needs under names, and to be alone. Pure.

Two places keep this: a directory (`folder`) and a bucket of an S3 store (`bucket`), under the same names, so that one can be copied
to the other by any tool. A piece that was put counts from `settle` on; a list that was saved counts at once.
Fails by: what the places say; `Damaged` is a piece that is gone, or is not what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

PIECES, LISTS, NEEDS = "pieces", "lists", "needs"
LARGEST = 1 << 32  # octets of a list
ROOM = 1 << 19  # octets of a piece as it lies there: an encrypted one is larger than what is in it
SCRATCH = ".scratch-"


class Damaged(Exception):
    """A piece that is gone, or is not what it was."""


class Place(Protocol):
    """Where a shelf lies. where: for people.  room: a directory for copies of databases, which only we may enter."""

    where: str
    room: Path

    def prepare(self) -> None:
        """Make it; what holds something else stays as it is."""

    def alone(self) -> AbstractContextManager[None]:
        """One backup at a time. `Later`: another is being taken."""

    def reading(self) -> AbstractContextManager[None]:
        """Nothing goes meanwhile, where that can be had without writing."""

    def sweep(self) -> None:
        """Remove what a killed backup left. For who is alone."""

    def names(self, kind: str) -> list[str]:
        """Of lists or needs, the oldest first."""

    def sizes(self) -> dict[str, int]:
        """Every piece that lies there, and its octets."""

    def read(self, kind: str, name: str, limit: int) -> bytes:
        """FileNotFoundError: it is not there; ValueError: it is larger."""

    def fetch(self, pieces: Iterable[str]) -> Iterator[bytes | None]:
        """Each piece in turn: None when it is gone, of no use when it is larger than ROOM."""

    def put(self, piece: str, data: bytes) -> None:
        """Lay a piece there, over what had its name."""

    def settle(self) -> None:
        """Returns when all pieces that were put would survive."""

    def save(self, kind: str, name: str, data: bytes) -> None:
        """Write a list or its needs, whole or not at all. `Later`: we are not alone any more."""

    def drop(self, kind: str, names: Iterable[str]) -> None:
        """Remove them. `Later`: we are not alone any more."""
