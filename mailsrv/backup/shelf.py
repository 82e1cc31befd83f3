"""Where backups lie: a directory of pieces under their SHA-256, and of lists of files. Every write is durable before it counts.

    DIRECTORY/pieces/ab/ab12...   one piece of a file, once however many backups hold it
    DIRECTORY/lists/20261127T041500Z

A list is written last: a backup that was ended in the middle is not there, and its pieces serve the next.
Fails by: `ForUser` for a directory of something else and a list that cannot be read; `Damaged`; OSError.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import IO

from dnsops.base import files
from dnsops.base.errors import ForUser
from mailsrv.backup.snapshot import NAME, PIECE, Entry, Snapshot, Unreadable

LARGEST = 1 << 32  # octets of a list
SCRATCH = ".scratch-"
LISTS = "lists"


def whole(place: Path) -> Path:
    """Where the newest file tells the age of the newest backup: our lists, or the place itself when it is not ours."""
    return place / LISTS if (place / LISTS).is_dir() else place


class Damaged(Exception):
    """A piece that is gone, or is not what it was."""


class Shelf:
    """The backups of one server."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._pieces, self._lists = directory / "pieces", directory / LISTS

    def prepare(self) -> None:
        """Make it; a directory that holds something else stays as it is."""
        if not self._lists.is_dir() and self.directory.is_dir() and any(self.directory.iterdir()):
            raise ForUser("this directory holds something else", str(self.directory), "name an empty or a new one")
        for folder in (self.directory, self._pieces, self._lists):
            files.private_directory(folder)
        for shelf in range(256):
            files.private_directory(self._pieces / f"{shelf:02x}")
        for folder in (self._pieces, self.directory, self.directory.parent):
            files.sync_directory(folder)

    def alone(self) -> AbstractContextManager[None]:
        """One backup at a time."""
        return files.lock(self.directory / "lock")

    def sweep(self) -> None:
        """What a killed backup left: copies of databases, and pieces that were not whole yet. For who is alone here."""
        for left in self.directory.glob(f"{SCRATCH}*"):
            shutil.rmtree(left)
        for half in self._pieces.glob("??/.*"):
            half.unlink()

    def names(self) -> list[str]:
        """The oldest first."""
        if not self._lists.is_dir():
            return []
        return sorted(path.name for path in self._lists.iterdir() if NAME.fullmatch(path.name))

    def load(self, name: str) -> Snapshot:
        path = self._lists / name
        try:
            return Snapshot.read(files.read_bounded(path, LARGEST))
        except FileNotFoundError:
            known = ", ".join(self.names()[-3:]) or "nothing"
            raise ForUser(f"there is no backup {name}", str(self.directory), f"the newest are: {known}") from None
        except Unreadable as error:
            raise ForUser(f"this backup cannot be used: {error}", str(path), "use another one") from None

    def last(self) -> tuple[Entry, ...]:
        """What the newest backup whose list can be read holds: a damaged list must not end all backups to come."""
        for name in reversed(self.names()):
            with suppress(ForUser):
                return self.load(name).entries
        return ()

    def save(self, snapshot: Snapshot) -> None:
        files.replace(self._lists / snapshot.name, snapshot.write())

    def take(self, path: str, mode: int, file: IO[bytes]) -> tuple[Entry, int]:
        """Put a file's pieces here; the second value is how many octets were new."""
        size = new = 0
        pieces = []
        while data := file.read(PIECE):
            digest = hashlib.sha256(data).hexdigest()
            new += len(data) if self._put(digest, data) else 0
            pieces.append(digest)
            size += len(data)
        return Entry(path, mode, size, tuple(pieces)), new

    def has(self, entry: Entry) -> bool:
        return all(self._place(piece).is_file() for piece in entry.pieces)

    def give(self, entry: Entry) -> Iterator[bytes]:
        """The pieces of a file, each compared with its digest."""
        rest = entry.size
        for piece in entry.pieces:
            try:
                data = files.read_bounded(self._place(piece), PIECE)
            except FileNotFoundError:
                raise Damaged(f"{entry.path}: the piece {piece[:12]} is gone") from None
            except ValueError:
                data = b""
            if hashlib.sha256(data).hexdigest() != piece or len(data) != min(rest, PIECE):
                raise Damaged(f"{entry.path}: the piece {piece[:12]} is not what it was")
            rest -= len(data)
            yield data

    def forget(self, keep: int) -> int:
        """Keep the newest so many backups; what no other needs goes, the lists first. How many backups went.

        Alone: the pieces of a backup that is being taken are in no list yet.
        """
        with self.alone():
            old, kept = self.names()[:-keep], self.names()[-keep:]
            if not old:
                return 0
            needed = {piece for name in kept for piece in self.load(name).pieces}
            for name in old:
                (self._lists / name).unlink()
            files.sync_directory(self._lists)
            for path in self._pieces.glob("??/*"):
                if path.name not in needed:
                    path.unlink()
            return len(old)

    def _put(self, digest: str, data: bytes) -> bool:
        path = self._place(digest)
        if path.is_file() and path.stat().st_size == len(data):
            return False
        files.replace(path, data)
        return True

    def _place(self, digest: str) -> Path:
        return self._pieces / digest[:2] / digest
