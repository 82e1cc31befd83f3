"""The backups of one server at a place: pieces under their digests, and lists of files. A list is written last.

A backup that was ended in the middle is not there, and its pieces serve the next.

    pieces/ab/ab12...                  a plain piece, under its SHA-256
    lists/NAME                         a plain list
    pieces/ab/ab12...-cd34....age      an encrypted piece: HMAC-SHA256 of what is in it, SHA-256 of the file itself
    lists/NAME.age, needs/NAME         an encrypted list, and which pieces it needs

The HMAC's key is of 256 random bits, kept in the server's state and inside each encrypted list: the server knows without opening anything
that a piece lies there already, and who has only the place cannot test whether a known text is in it. What he does see: how many pieces of
which size, and which are new in each backup. Who may write there and knows the recipients can lay down pieces of his own, for age does
not tell who encrypted; but not under a name that fits, for that needs the key.
Fails by: `ForUser` for a list that cannot be read, and without the identity; `Damaged`; what the place says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from itertools import islice
from typing import IO

from dnsops.base.errors import ForUser
from mailsrv.backup.memory import Memory
from mailsrv.backup.needs import SEALED, Needs
from mailsrv.backup.place import LARGEST, LISTS, NEEDS, PIECES, Damaged, Place
from mailsrv.backup.sealing import Opener, Seal, named
from mailsrv.backup.snapshot import NAME, PIECE, Entry, Snapshot, Unreadable

AGE = ".age"


class Shelf:
    """seal: for whom new backups are encrypted.  opener: who opens old ones.  memory: of the host whose backups these are."""

    def __init__(
        self, place: Place, seal: Seal | None = None, opener: Opener | None = None, memory: Memory | None = None
    ) -> None:
        self.place, self.seal, self.opener, self.memory = place, seal, opener, memory
        self._held: dict[str, tuple[str, int]] | None = None
        self._lists: list[str] | None = None

    @property
    def where(self) -> str:
        return self.place.where

    def prepare(self) -> None:
        self.place.prepare()

    def alone(self) -> AbstractContextManager[None]:
        """One backup at a time."""
        self._held = self._lists = None
        return self.place.alone()

    def names(self) -> list[str]:
        """The oldest first."""
        self._lists = self.place.names(LISTS)
        return sorted({name for name in map(_bare, self._lists) if NAME.fullmatch(name)})

    def sealed(self, name: str) -> bool:
        if self._lists is None:
            self.names()
        return name + AGE in (self._lists or ())

    def load(self, name: str) -> Snapshot:
        sealed = self.sealed(name)
        if sealed and self.opener is None:
            raise ForUser("this backup is encrypted", f"{self.where}, {name}", "name the identity: --identity FILE")
        try:
            data = self.place.read(LISTS, name + AGE if sealed else name, LARGEST)
            return Snapshot.read(self.opener.open(data) if sealed and self.opener else data)
        except FileNotFoundError:
            known = ", ".join(self.names()[-3:]) or "nothing"
            raise ForUser(f"there is no backup {name}", self.where, f"the newest are: {known}") from None
        except (Unreadable, Damaged) as error:
            raise self._unusable(name, error) from None

    def needs(self, name: str) -> Needs:
        """Of an encrypted backup."""
        try:
            return Needs.read(self.place.read(NEEDS, name, LARGEST))
        except FileNotFoundError:
            raise self._unusable(name, "the list of what it needs is gone") from None
        except Unreadable as error:
            raise self._unusable(name, error) from None

    def summary(self, name: str) -> tuple[int, int]:
        """How many files and octets a backup holds; also of one that we cannot open."""
        if self.sealed(name):
            needs = self.needs(name)
            return needs.files, needs.size
        one = self.load(name)
        return len(one.entries), one.size

    def last(self) -> tuple[Entry, ...]:
        """What the newest backup of our kind holds, as far as we can read: a damaged list must not end all backups to come."""
        if self.seal is None:
            for name in reversed([name for name in self.names() if not self.sealed(name)]):
                with suppress(ForUser):
                    return self.load(name).entries
            return ()
        known = self.memory.known(self.where) if self.memory else None
        return known.entries if known and known.key == self.seal.key else ()

    def save(self, snapshot: Snapshot) -> None:
        """The end of a backup."""
        self.place.settle()
        self._lists = None
        if self.seal is None:
            self.place.save(LISTS, snapshot.name, snapshot.write())
            return
        data = self.seal.close(snapshot.write())
        pieces = dict(self._lying()[digest] for digest in sorted(snapshot.pieces))
        digest = hashlib.sha256(data).hexdigest()
        needs = Needs(snapshot.name, len(snapshot.entries), snapshot.size, digest, pieces)
        self.place.save(NEEDS, snapshot.name, needs.write())
        self.place.save(LISTS, snapshot.name + AGE, data)
        if self.memory:
            self.memory.remember(self.where, snapshot)

    def snapshot(self, name: str, entries: Iterable[Entry]) -> Snapshot:
        return Snapshot(name, tuple(entries), self.seal.key if self.seal else "")

    def take(self, path: str, mode: int, file: IO[bytes]) -> tuple[Entry, int]:
        """Put a file's pieces here; the second value is how many octets were new."""
        size = new = 0
        pieces = []
        while data := file.read(PIECE):
            digest = named(self.seal.key if self.seal else "", data)
            if not self._lies(digest, len(data)):
                self._put(digest, data)
                new += len(data)
            pieces.append(digest)
            size += len(data)
        return Entry(path, mode, size, tuple(pieces)), new

    def has(self, entry: Entry) -> bool:
        """Whether its pieces lie here, each of its right size."""
        sizes = [PIECE] * (len(entry.pieces) - 1) + [entry.size - PIECE * (len(entry.pieces) - 1)]
        return all(self._lies(piece, size) for piece, size in zip(entry.pieces, sizes, strict=False))

    def pour(self, snapshot: Snapshot, entries: Iterable[Entry]) -> Iterator[tuple[Entry, Iterator[bytes]]]:
        """Each file and its pieces, which are compared with their digests; what a reader leaves of one is passed over."""
        chosen = list(entries)
        files = self._files(snapshot)
        stream = self.place.fetch(files.get(piece, piece) for entry in chosen for piece in entry.pieces)
        for entry in chosen:
            mine = islice(stream, len(entry.pieces))
            yield entry, self._checked(snapshot, entry, mine)
            for _ in mine:
                pass

    def give(self, snapshot: Snapshot, entry: Entry) -> bytes:
        """One file, whole."""
        return b"".join(data for _, pieces in self.pour(snapshot, [entry]) for data in pieces)

    def untouched(self, name: str) -> Iterator[str]:
        """What is wrong with an encrypted backup as far as that can be told without opening it."""
        needs = self.needs(name)
        if hashlib.sha256(self.place.read(LISTS, name + AGE, LARGEST)).hexdigest() != needs.digest:
            yield "the list of its files is not what it was"
        for piece, data in zip(needs.pieces, self.place.fetch(needs.pieces), strict=True):
            if data is None:
                yield f"the piece {piece[:12]} is gone"
            elif hashlib.sha256(data).hexdigest() != piece[65:129]:
                yield f"the piece {piece[:12]} is not what it was"

    def forget(self, keep: int) -> int:
        """Keep the newest so many backups; what no other needs goes, the lists first. How many backups went.

        Alone: the pieces of a backup that is being taken are in no list yet.
        """
        with self.alone():
            old, kept = self.names()[:-keep], self.names()[-keep:]
            if not old:
                return 0
            needed = {piece for name in kept for piece in self._needed(name)}
            self.place.drop(LISTS, [form for name in old for form in (name, name + AGE)])
            self.place.drop(NEEDS, old)
            self.place.drop(PIECES, [piece for piece in self.place.sizes() if piece not in needed])
            return len(old)

    def _needed(self, name: str) -> Iterable[str]:
        return self.needs(name).pieces if self.sealed(name) else self.load(name).pieces

    def _files(self, snapshot: Snapshot) -> dict[str, str]:
        """Under which names its pieces lie."""
        if not snapshot.key:
            return {}
        try:
            lying: Iterable[str] = self.needs(snapshot.name).pieces
        except ForUser:
            lying = self.place.sizes()
        return {piece[:64]: piece for piece in lying}

    def _checked(self, snapshot: Snapshot, entry: Entry, stored: Iterator[bytes | None]) -> Iterator[bytes]:
        rest = entry.size
        for piece, data in zip(entry.pieces, stored, strict=True):
            if data is None:
                raise Damaged(f"{entry.path}: the piece {piece[:12]} is gone")
            plain = self._opened(data) if snapshot.key else data
            if plain is None or named(snapshot.key, plain) != piece or len(plain) != min(rest, PIECE):
                raise Damaged(f"{entry.path}: the piece {piece[:12]} is not what it was")
            rest -= len(plain)
            yield plain

    def _opened(self, data: bytes) -> bytes | None:
        with suppress(Damaged):
            return self.opener.open(data) if self.opener else None
        return None

    def _lying(self) -> dict[str, tuple[str, int]]:
        """Every piece: by its digest the name of its file and that file's size."""
        if self._held is None:
            right = self._right()
            found = self.place.sizes()
            self._held = {name[:64]: (name, size) for name, size in found.items() if right.get(name, size) == size}
        return self._held

    def _right(self) -> dict[str, int]:
        """What size an encrypted piece should have, by the newest list of needs that can be read."""
        if self.seal:
            for name in reversed(self.names()):
                with suppress(ForUser):
                    return self.needs(name).pieces
        return {}

    def _lies(self, digest: str, size: int) -> bool:
        found = self._lying().get(digest)
        if found is None or bool(self.seal) != bool(SEALED.fullmatch(found[0])):
            return False
        return self.seal is not None or found[1] == size

    def _put(self, digest: str, data: bytes) -> None:
        stored = self.seal.close(data) if self.seal else data
        name = f"{digest}-{hashlib.sha256(stored).hexdigest()}{AGE}" if self.seal else digest
        self._lying()[digest] = (name, len(stored))
        self.place.put(name, stored)

    def _unusable(self, name: str, why: object) -> ForUser:
        return ForUser(f"this backup cannot be used: {why}", f"{self.where}, {name}", "use another one")


def _bare(name: str) -> str:
    return name.removesuffix(AGE)
