"""Backups in a directory.

    DIRECTORY/pieces/ab/ab12...   one piece of a file, once however many backups hold it
    DIRECTORY/lists/20261127T041500Z

Pieces are written beside their names, made durable many at a time by one syncfs(2), and only then named: what has a piece's name is
whole, also after a power cut.
What root writes belongs to whom the directory belongs; one that root makes, to whom the state belongs: timers go on with it.
Fails by: `ForUser` for a directory of something else; `Later` when another backup is being taken; OSError.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from dnsops.base import files
from dnsops.base.errors import ForUser
from mailsrv.backup.place import LISTS, NEEDS, PIECES, ROOM

AT_ONCE = 256  # pieces that one syncfs makes durable


def whole(place: Path) -> Path:
    """Where the newest file tells the age of the newest backup: our lists, or the place itself when it is not ours."""
    return place / LISTS if (place / LISTS).is_dir() else place


class Folder:
    """A place that is a directory. state: of the server whose backups these are."""

    def __init__(self, directory: Path, state: Path | None = None) -> None:
        self.state = state
        self.directory = self.room = directory
        self.where = str(directory)
        self._pieces = directory / PIECES
        self._unnamed: set[str] = set()

    def prepare(self) -> None:
        lists = self.directory / LISTS
        if not lists.is_dir() and self.directory.is_dir() and any(self.directory.iterdir()):
            raise ForUser("this directory holds something else", self.where, "name an empty or a new one")
        if not self.directory.is_dir():
            files.private_directory(self.directory)
            files.hand_over(self.state or self.directory, self.directory)
        inner = (lists, self._pieces, *(self._pieces / f"{shelf:02x}" for shelf in range(256)))
        new = [files.private_directory(folder) for folder in inner if not folder.is_dir()]
        files.hand_over(self.directory, *new)
        for folder in (self._pieces, self.directory, self.directory.parent) if new else ():
            files.sync_directory(folder)

    @contextmanager
    def alone(self) -> Iterator[None]:
        with files.lock(self.directory / "lock"):
            files.hand_over(self.directory, self.directory / "lock")
            yield

    def reading(self) -> AbstractContextManager[None]:
        return self.alone()

    def sweep(self) -> None:
        for half in self._pieces.glob("??/.*"):
            half.unlink()

    def names(self, kind: str) -> list[str]:
        folder = self.directory / kind
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def sizes(self) -> dict[str, int]:
        found = {}
        for shelf in self._pieces.glob("??"):
            with os.scandir(shelf) as entries:
                found.update({one.name: one.stat().st_size for one in entries if not one.name.startswith(".")})
        return found

    def read(self, kind: str, name: str, limit: int) -> bytes:
        return files.read_bounded(self.directory / kind / name, limit)

    def fetch(self, pieces: Iterable[str]) -> Iterator[bytes | None]:
        for piece in pieces:
            try:
                yield files.read_bounded(self._place(piece), ROOM)
            except FileNotFoundError:
                yield None
            except ValueError:
                yield b""

    def put(self, piece: str, data: bytes) -> None:
        unnamed = self._beside(piece)
        handle = os.open(unnamed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        self._unnamed.add(piece)
        if len(self._unnamed) >= AT_ONCE:
            self._name()

    def settle(self) -> None:
        self._name()
        files.sync_all(self._pieces)  # the names

    def save(self, kind: str, name: str, data: bytes) -> None:
        folder = files.private_directory(self.directory / kind)
        files.replace(folder / name, data)
        files.hand_over(self.directory, folder, folder / name)

    def drop(self, kind: str, names: Iterable[str]) -> None:
        for name in names:
            path = self._place(name) if kind == PIECES else self.directory / kind / name
            path.unlink(missing_ok=True)
        if kind in (LISTS, NEEDS) and (self.directory / kind).is_dir():
            files.sync_directory(self.directory / kind)

    def _name(self) -> None:
        """What lies beside its name becomes durable, then gets it."""
        if self._unnamed:
            files.sync_all(self._pieces)
        for piece in sorted(self._unnamed):
            files.hand_over(self.directory, self._beside(piece))
            self._beside(piece).replace(self._place(piece))
        self._unnamed.clear()

    def _beside(self, piece: str) -> Path:
        return self._pieces / piece[:2] / f".{piece}"

    def _place(self, piece: str) -> Path:
        return self._pieces / piece[:2] / piece
