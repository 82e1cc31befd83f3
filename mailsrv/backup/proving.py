"""A backup is restored, and proven: every piece compared with its digest, every database checked, every body counted.

Fails by: `ForUser` for a place that is in use or not empty; `Damaged` (restoring stops); OSError.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from dnsops.base import files
from dnsops.base.errors import ForUser
from mailsrv.backup.shelf import SCRATCH, Damaged, Shelf
from mailsrv.backup.snapshot import Entry, Snapshot
from mailsrv.backup.taking import OTHER, STATE
from mailsrv.store import STORE
from mailsrv.store.sqlite import copying
from mailsrv.store.sqlite.connect import BODIES, DATABASE


def prove(shelf: Shelf, snapshot: Snapshot) -> Iterator[str]:
    """What is wrong with a backup; nothing when a server could be made from it."""
    with shelf.alone(), tempfile.TemporaryDirectory(prefix=SCRATCH, dir=shelf.directory) as scratch:
        for entry in snapshot.entries:
            try:
                yield from _proven(shelf, snapshot, entry, Path(scratch) / "proof")
            except Damaged as error:
                yield str(error)


def _proven(shelf: Shelf, snapshot: Snapshot, entry: Entry, proof: Path) -> Iterator[str]:
    pieces = shelf.give(entry)
    first = next(pieces, b"")
    if not first.startswith(copying.MAGIC):
        for _ in pieces:
            pass
        return
    with proof.open("wb") as file:
        file.write(first)
        file.writelines(pieces)
    wrong = list(copying.problems(proof))
    yield from (f"{entry.path}: {line}" for line in wrong)
    if not wrong and entry.path == f"{STATE}/{STORE}/{DATABASE}":
        yield from (f"{entry.path}: {line}" for line in copying.short(proof))
        yield from _bodies(snapshot, copying.bodies(proof))


def _bodies(snapshot: Snapshot, spoken: dict[str, int]) -> Iterator[str]:
    below = f"{STATE}/{STORE}/"
    held = {e.path: e.size for e in snapshot.entries if e.path.startswith(f"{below}{BODIES}/")}
    for name, size in spoken.items():
        if held.get(below + name) != size:
            yield f"{below}{name}: {held.get(below + name, 'no')} octets instead of {size}"


def restore(shelf: Shelf, snapshot: Snapshot, state: Path, other: Path | None) -> int:
    """Make the state directory anew; what lay outside of it goes below `other`, first. How many files.

    Each place is made whole or not at all.
    """
    places = ((OTHER, other), (STATE, state)) if other else ((STATE, state),)
    for _, place in places:
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            advice = "move what is there aside, or name another with --into"
            raise ForUser("this place is not empty", str(place), advice)
    return sum(_made(shelf, snapshot, f"{above}/", place) for above, place in places)


def _made(shelf: Shelf, snapshot: Snapshot, above: str, place: Path) -> int:
    """One place, made beside where it belongs, then there."""
    entries = [entry for entry in snapshot.entries if entry.path.startswith(above)]
    files.private_directory(place.parent)
    with tempfile.TemporaryDirectory(prefix=f".{place.name}.", dir=place.parent) as scratch:
        made = Path(scratch) / place.name
        made.mkdir(0o700)
        for entry in entries:
            _write(shelf, entry, made, entry.path.removeprefix(above))
        if place.exists():
            place.rmdir()
        made.rename(place)
    files.sync_directory(place.parent)
    return len(entries)


def _write(shelf: Shelf, entry: Entry, made: Path, name: str) -> None:
    path = made / name
    for folder in reversed(Path(name).parents):  # one by one: `parents=True` would leave those between open to others
        (made / folder).mkdir(0o700, exist_ok=True)
    if entry.target:
        path.symlink_to(entry.target)
        return
    with files.replacing(path, entry.mode) as file:
        file.writelines(shelf.give(entry))
