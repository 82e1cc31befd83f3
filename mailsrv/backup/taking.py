"""A backup is taken, while the server goes on: databases by SQLite's own copy, files as they are, large bodies by name.

The order is what makes it whole. Large bodies first: a body's file never changes, so that one known from the last backup is
not read again. Then the mail database, then the bodies that came in between; when one of those has gone meanwhile, the
database is copied again: it no longer speaks of it. If it still does, the store has lost that body; everything else is backed up
all the same, and the loss is told. Small files that belong together, such as keys and the ledger that names them, are of one moment:
when one changed while they were read, those that changed are read again, until a look found all as they were taken.
What was taken is not read back: a piece that is gone or has another length is noticed, and laid there again while its file is here;
one that rotted within its length only `verify` sees.
Fails by: `ForUser` for a place without a server's state; `Later` when mail or keys go faster than they can be copied; OSError.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from dnsops.base.errors import ForUser, Later
from dnsops.base.places import handed_over
from dnsops.base.settings.tree import Reference
from mailsrv.backup import scratch
from mailsrv.backup.folder import Folder
from mailsrv.backup.place import SCRATCH
from mailsrv.backup.shelf import Shelf
from mailsrv.backup.snapshot import Entry, inside
from mailsrv.store import STORE
from mailsrv.store.sqlite import copying
from mailsrv.store.sqlite.connect import BODIES, DATABASE

STATE, OTHER = "state", "other"
ROUNDS = 10
ASIDE = ("-wal", "-shm", "-journal", ".lock")  # SQLite's own, and locks: of no use elsewhere


@dataclass
class Taken:
    """What came of it. new: octets that no earlier backup had. lost: bodies that the store speaks of and has not.

    unread: secrets beside the state that are in no backup, each with the reason.
    """

    name: str
    files: int = 0
    size: int = 0
    new: int = 0
    lost: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


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
        """Everything else of the state directory: databases each for itself, all other files as they were at one moment."""
        taken: dict[Path, Look] = {}
        for _ in range(ROUNDS):
            before = _looks(self.state)
            for path in taken.keys() - before.keys():
                self.entries.pop(_where(self.state, path), None)
            if before == taken:
                break
            for path in [path for path, look in before.items() if taken.get(path) != look]:
                self.small(path)
            taken = before
        else:
            raise Later("the files of the state directory change faster than they can be copied")
        for path in _below(self.state):
            if not path.is_symlink() and copying.is_database(path):
                self.database(path)

    def small(self, path: Path) -> None:
        where = _where(self.state, path)
        if path.is_symlink() and inside(target := str(path.readlink())):
            self.entries[where] = Entry(where, 0o777, target=target)
        elif not path.is_file() or not self.file(where, path):  # it leads to a directory elsewhere, or has gone
            self.entries.pop(where, None)


Look = tuple[int, int, int]  # inode, octets, time of the last change: of another content at least one is another


def take(
    shelf: Shelf, state: Path, also: tuple[Path, ...], now: datetime, secrets: Sequence[tuple[Path, Path]] = ()
) -> Taken:
    """A new backup of the state directory, and of the files `also`, such as the configuration.

    secrets: as the configuration names them, and where else each may be read; one that cannot be is told, no more.
    """
    if not state.is_dir():
        raise ForUser("there is no state directory here", str(state), "name the server's configuration with --config")
    if isinstance(shelf.place, Folder) and shelf.place.directory.resolve().is_relative_to(state.resolve()):
        raise ForUser("a backup cannot lie inside what it is a backup of", shelf.where, "name another place")
    shelf.prepare()
    with shelf.alone():
        shelf.place.sweep()
        return _taken(shelf, state, also, now, secrets)


def _taken(
    shelf: Shelf, state: Path, also: tuple[Path, ...], now: datetime, secrets: Sequence[tuple[Path, Path]]
) -> Taken:
    with scratch.made(shelf.place.room, SCRATCH) as directory:
        name = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        if name in shelf.names():
            raise Later(f"there is a backup of this second: {name}")
        known = {entry.path: entry for entry in shelf.last()}
        taking = Taking(shelf, state, directory, known)
        taking.mail()
        taking.rest()
        for path in also:
            if not taking.file(_other(path), path):
                raise ForUser("there is no such file", str(path), "correct --also, or backup.also")
        unread = tuple(why for path, handed in secrets if (why := _secret(taking, path, handed)))
        snapshot = shelf.snapshot(name, (taking.entries[where] for where in sorted(taking.entries)))
        shelf.save(snapshot)
    return Taken(name, len(snapshot.entries), snapshot.size, taking.new, taking.lost, unread)


def beside(named: Sequence[Reference]) -> tuple[list[tuple[Path, Path]], tuple[str, ...]]:
    """Of secrets by their places the files, each with where systemd may have handed it over; and which are no files of ours."""
    files = [(Path(one.name), handed_over(Path(one.name))) for one in named if one.kind == "file"]
    away = tuple(f"!{one.kind} {one.name}" for one in named if one.kind != "file")
    return files, away


def _secret(taking: Taking, path: Path, handed: Path) -> str:
    """Why a secret's file could not be read, there and where systemd handed it over."""
    for place in dict.fromkeys((path, handed)):
        try:
            if taking.file(_other(path), place):
                return ""
            why = f"{path}: it is not there"
        except OSError as error:
            why = f"{path}: {error.strerror}"
    return why


def _looks(state: Path) -> dict[Path, Look]:
    """All small files as they are now, but for databases: each of those is copied as one state anyway."""
    found = {}
    for path in _below(state):
        if path.is_symlink() or not copying.is_database(path):
            with suppress(FileNotFoundError):
                status = path.lstat()
                found[path] = (status.st_ino, status.st_size, status.st_mtime_ns)
    return found


def _below(state: Path) -> Iterator[Path]:
    """Files and symbolic links, but for the mail store's, locks, sockets, what is still being written, and what has a dot."""
    for folder, folders, names in os.walk(state):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if Path(folder) == state / STORE and BODIES in folders:
            folders.remove(BODIES)
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in (*names, *links):
            path = Path(folder) / name
            mail = path == state / STORE / DATABASE
            aside = name.startswith(".") or name.endswith(ASIDE) or name == "lock"
            if not mail and not aside and (path.is_symlink() or path.is_file()):
                yield path


def _other(path: Path) -> str:
    return f"{OTHER}/{path.resolve().relative_to('/')}"


def _where(state: Path, path: Path) -> str:
    return f"{STATE}/{path.relative_to(state).as_posix()}"
