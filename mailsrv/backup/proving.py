"""A backup is restored, and proven: every piece compared with its digest, every database checked, every body counted.

    prove(shelf, name)      reads all of it, and lays down one database at a time
    drill(shelf, name, place)      makes a whole state directory from it, looks at that, and removes it

Fails by: `ForUser` for a place that is in use or not empty, or has no room; `Damaged` (restoring stops); OSError.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from pwd import struct_passwd

from dnsops.base import files
from dnsops.base.errors import ForUser
from mailsrv.backup import scratch
from mailsrv.backup.place import SCRATCH, Damaged
from mailsrv.backup.shelf import Shelf
from mailsrv.backup.snapshot import Entry, Snapshot
from mailsrv.backup.taking import OTHER, STATE
from mailsrv.store import STORE
from mailsrv.store.sqlite import copying
from mailsrv.store.sqlite.connect import BODIES, DATABASE

RESTORING = ".restoring-"
SPARE = 64 << 20  # octets that a drill leaves free


def prove(shelf: Shelf, snapshot: Snapshot) -> Iterator[str]:
    """What is wrong with a backup; nothing when a server could be made from it."""
    with shelf.place.reading(), scratch.made(shelf.place.room, SCRATCH) as directory:
        for entry, pieces in shelf.pour(snapshot, snapshot.entries):
            try:
                yield from _proven(snapshot, entry, pieces, directory / "proof")
            except Damaged as error:
                yield str(error)


def _proven(snapshot: Snapshot, entry: Entry, pieces: Iterator[bytes], proof: Path) -> Iterator[str]:
    first = next(pieces, b"")
    if not first.startswith(copying.MAGIC):
        for _ in pieces:
            pass
        return
    with proof.open("wb") as file:
        file.write(first)
        file.writelines(pieces)
    yield from _database(snapshot, entry.path, proof)


def _database(snapshot: Snapshot, path: str, proof: Path) -> Iterator[str]:
    wrong = list(copying.problems(proof))
    yield from (f"{path}: {line}" for line in wrong)
    if not wrong and path == f"{STATE}/{STORE}/{DATABASE}":
        yield from (f"{path}: {line}" for line in copying.short(proof))
        yield from _bodies(snapshot, copying.bodies(proof))


def _bodies(snapshot: Snapshot, spoken: dict[str, int]) -> Iterator[str]:
    below = f"{STATE}/{STORE}/"
    held = {e.path: e.size for e in snapshot.entries if e.path.startswith(f"{below}{BODIES}/")}
    for name, size in spoken.items():
        if held.get(below + name) != size:
            yield f"{below}{name}: {held.get(below + name, 'no')} octets instead of {size}"


def drill(shelf: Shelf, snapshot: Snapshot, beside: Path) -> Iterator[str]:
    """What is wrong with what a restore makes. beside: the directory in which it is made, and removed again."""
    free = os.statvfs(beside).f_bavail * os.statvfs(beside).f_frsize
    if free < snapshot.size + SPARE:
        raise ForUser(f"no room for a restore of {snapshot.size} octets", str(beside), "make room, or use verify alone")
    with shelf.place.reading(), scratch.made(beside, f".drill{RESTORING}") as place:
        try:
            restore(shelf, snapshot, place / STATE, place / OTHER)
        except Damaged as error:
            yield str(error)
            return
        for entry in snapshot.entries:
            made = place / entry.path
            if entry.target or made.is_symlink():
                continue
            if not made.is_file() or made.stat().st_size != entry.size:
                yield f"{entry.path}: it was not restored"
            elif copying.is_database(made):
                yield from _database(snapshot, entry.path, made)


def restore(
    shelf: Shelf, snapshot: Snapshot, state: Path, other: Path | None, owner: struct_passwd | None = None
) -> int:
    """Make the state directory anew; what lay outside of it goes below `other`, first. How many files.

    Each place is made whole or not at all. owner: whose the state directory will be, when root restores.
    """
    places = ((OTHER, other, None), (STATE, state, owner)) if other else ((STATE, state, owner),)
    for _, place, _ in places:
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            advice = "move what is there aside, or name another with --into"
            raise ForUser("this place is not empty", str(place), advice)
    return sum(_made(shelf, snapshot, f"{above}/", place, whose) for above, place, whose in places)


def _made(shelf: Shelf, snapshot: Snapshot, above: str, place: Path, owner: struct_passwd | None) -> int:
    """One place, made beside where it belongs, then there."""
    entries = [entry for entry in snapshot.entries if entry.path.startswith(above)]
    files.private_directory(place.parent)
    with scratch.made(place.parent, f".{place.name}{RESTORING}") as beside:
        made = beside / place.name
        made.mkdir(0o700)
        for entry, pieces in shelf.pour(snapshot, entries):
            _write(entry, pieces, made, entry.path.removeprefix(above))
        _give(made, place, owner)
        files.sync_all(made)
        if place.exists():
            place.rmdir()
        made.rename(place)
    files.sync_directory(place.parent)
    return len(entries)


def _give(made: Path, place: Path, owner: struct_passwd | None) -> None:
    """To whom the place belonged, or will belong."""
    if os.geteuid() != 0:
        return
    was = place.stat() if place.exists() else None
    user, group = (was.st_uid, was.st_gid) if was and was.st_uid else (owner.pw_uid, owner.pw_gid) if owner else (0, 0)
    if user:
        for path in (made, *made.rglob("*")):
            os.chown(path, user, group, follow_symlinks=False)


def _write(entry: Entry, pieces: Iterator[bytes], made: Path, name: str) -> None:
    path = made / name
    for folder in reversed(Path(name).parents):  # one by one: `parents=True` would leave those between open to others
        (made / folder).mkdir(0o700, exist_ok=True)
    if entry.target:
        path.symlink_to(entry.target)
        return
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(file.fileno(), entry.mode)
        file.writelines(pieces)
