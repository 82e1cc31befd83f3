"""A backup is taken, while the server goes on: databases by SQLite's own copy, files as they are, large bodies by name.

The order is what makes it whole. Large bodies first: a body's file never changes, so that one known from the last backup is
not read again. Then the mail database, then the bodies that came in between; when one of those has gone meanwhile, the
database is copied again: it no longer speaks of it. If it still does, the store has lost that body; everything else is backed up
all the same, and the loss is told.
Fails by: `ForUser` for a place without a server's state; `Later` when mail goes faster than it can be copied; OSError.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from dnsops.base.errors import ForUser, Later
from mailsrv.backup.shelf import SCRATCH, Shelf
from mailsrv.backup.snapshot import Entry, Snapshot, inside
from mailsrv.store import STORE
from mailsrv.store.sqlite import copying
from mailsrv.store.sqlite.connect import BODIES, DATABASE

STATE, OTHER = "state", "other"
ROUNDS = 10
ASIDE = ("-wal", "-shm", "-journal", ".lock")  # SQLite's own, and locks: of no use elsewhere


@dataclass
class Taken:
    """What came of it. new: octets that no earlier backup had. lost: bodies that the store speaks of and has not."""

    name: str
    files: int = 0
    size: int = 0
    new: int = 0
    lost: tuple[str, ...] = ()


@dataclass
class Taking:
    """One backup in the making. known: the files of the last one. scratch: for copies of databases."""

    shelf: Shelf
    state: Path
    scratch: Path
    known: dict[str, Entry]
    entries: dict[str, Entry] = field(default_factory=dict)
    new: int = 0
    lost: tuple[str, ...] = ()

    def bodies(self) -> None:
        """All large bodies that are there now."""
        for path in (self.state / STORE / BODIES).glob("?/*"):
            self.body(path)

    def body(self, path: Path, size: int | None = None) -> bool:
        """One body's file; False: it has gone. size: what the database says; at the first look it may still have been written."""
        where = _where(self.state, path)
        known = self.entries.get(where) or self.known.get(where)
        if known and size in (None, known.size) and self.shelf.has(known):
            self.entries[where] = known
            return True
        return self.file(where, path)

    def file(self, where: str, path: Path) -> bool:
        try:
            with path.open("rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o777
                self.entries[where], new = self.shelf.take(where, mode, file)
        except FileNotFoundError:
            return False
        self.new += new
        return True

    def database(self, path: Path) -> Path:
        """Its copy, also put on the shelf."""
        copy = self.scratch / "copy"
        copy.unlink(missing_ok=True)
        copying.copy(path, copy)
        copy.chmod(0o600)
        self.file(_where(self.state, path), copy)
        return copy

    def mail(self) -> None:
        """The mail database and exactly the large bodies that it speaks of."""
        path = self.state / STORE / DATABASE
        if not path.exists():
            return
        self.bodies()
        gone: set[Path] = set()
        for _ in range(ROUNDS):
            sizes = copying.bodies(self.database(path))
            spoken = {self.state / STORE / name: size for name, size in sizes.items()}
            before, gone = gone, {each for each, size in spoken.items() if not self.body(each, size)}
            if gone <= before:  # none, or those that the store itself has lost: a deletion takes the row as well
                self._only({_where(self.state, each) for each in spoken})
                self.lost = tuple(sorted(map(str, gone)))
                return
        raise Later("mail is being deleted faster than it can be copied")

    def _only(self, spoken: set[str]) -> None:
        below = f"{STATE}/{STORE}/{BODIES}/"
        self.entries = {k: v for k, v in self.entries.items() if not k.startswith(below) or k in spoken}

    def rest(self) -> None:
        """Everything else of the state directory."""
        for path in _below(self.state):
            where = _where(self.state, path)
            if path.is_symlink() and inside(target := str(path.readlink())):
                self.entries[where] = Entry(where, 0o777, target=target)
            elif path.is_file():  # else it leads to a directory elsewhere, or has gone
                self.database(path) if copying.is_database(path) else self.file(where, path)


def take(shelf: Shelf, state: Path, also: tuple[Path, ...], now: datetime) -> Taken:
    """A new backup of the state directory, and of the files `also`, such as the configuration."""
    if not state.is_dir():
        raise ForUser("there is no state directory here", str(state), "name the server's configuration with --config")
    if shelf.directory.resolve().is_relative_to(state.resolve()):
        raise ForUser("a backup cannot lie inside what it is a backup of", str(shelf.directory), "name another place")
    shelf.prepare()
    with shelf.alone():
        shelf.sweep()
        return _taken(shelf, state, also, now)


def _taken(shelf: Shelf, state: Path, also: tuple[Path, ...], now: datetime) -> Taken:
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=shelf.directory) as scratch:
        names = shelf.names()
        name = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        if name in names:
            raise Later(f"there is a backup of this second: {name}")
        known = {entry.path: entry for entry in shelf.last()}
        taking = Taking(shelf, state, Path(scratch), known)
        taking.mail()
        taking.rest()
        for path in also:
            if not taking.file(f"{OTHER}/{path.resolve().relative_to('/')}", path):
                raise ForUser("there is no such file", str(path), "correct --also")
        snapshot = Snapshot(name, tuple(taking.entries[where] for where in sorted(taking.entries)))
        shelf.save(snapshot)
    return Taken(name, len(snapshot.entries), snapshot.size, taking.new, taking.lost)


def _below(state: Path) -> Iterator[Path]:
    """Files and symbolic links, but for the mail store's, locks, sockets, and what is still being written."""
    for folder, folders, names in os.walk(state):
        if Path(folder) == state / STORE and BODIES in folders:
            folders.remove(BODIES)
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in (*names, *links):
            path = Path(folder) / name
            mail = path == state / STORE / DATABASE
            aside = name.startswith(".") or name.endswith(ASIDE) or name == "lock"
            if not mail and not aside and (path.is_symlink() or path.is_file()):
                yield path


def _where(state: Path, path: Path) -> str:
    return f"{STATE}/{path.relative_to(state).as_posix()}"
