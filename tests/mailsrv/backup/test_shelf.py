"""Where backups lie: nothing goes that somebody needs, or is about to."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from dnsops.base.errors import ForUser, Later
from mailsrv.backup.folder import Folder
from mailsrv.backup.place import Damaged
from mailsrv.backup.shelf import Shelf
from mailsrv.backup.snapshot import PIECE, Snapshot

NAMES = ("20260101T000000Z", "20260102T000000Z", "20260103T000000Z")
CONTENT = {NAMES[0]: b"a" * PIECE + b"b", NAMES[1]: b"a" * PIECE + b"c", NAMES[2]: b"a" * PIECE + b"d"}


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    shelf = Shelf(Folder(tmp_path / "new" / "shelf"))
    shelf.prepare()
    for name, content in CONTENT.items():
        entry, _ = shelf.take("state/a", 0o600, io.BytesIO(content))
        shelf.save(Snapshot(name, (entry,)))
    return shelf


def given(shelf: Shelf, name: str) -> bytes:
    snapshot = shelf.load(name)
    return shelf.give(snapshot, snapshot.entries[0])


def test_what_a_kept_backup_shares_with_one_that_goes_stays(shelf: Shelf) -> None:
    assert shelf.forget(2) == 1
    assert shelf.names() == list(NAMES[1:])
    assert {name: given(shelf, name) for name in shelf.names()} == {name: CONTENT[name] for name in NAMES[1:]}
    assert len(list(Path(shelf.where).glob("pieces/*/*"))) == 3  # the shared one, and one of each
    assert shelf.forget(2) == 0


def test_nothing_is_forgotten_while_a_backup_is_taken(shelf: Shelf) -> None:
    """Its pieces are in no list yet, and would go."""
    with shelf.alone():
        shelf.take("state/a", 0o600, io.BytesIO(b"new"))
        with pytest.raises(Later):
            shelf.forget(1)
    assert shelf.names() == list(NAMES)


def test_nothing_is_forgotten_when_a_kept_list_cannot_be_read(shelf: Shelf) -> None:
    (Path(shelf.where) / "lists" / NAMES[2]).write_bytes(b"")
    with pytest.raises(ForUser, match="cannot be used"):
        shelf.forget(2)
    assert given(shelf, NAMES[0]) == CONTENT[NAMES[0]]


def test_the_same_piece_is_written_once(shelf: Shelf) -> None:
    assert shelf.take("state/b", 0o600, io.BytesIO(b"a" * PIECE + b"b"))[1] == 0
    assert shelf.take("state/b", 0o600, io.BytesIO(b"a" * PIECE + b"e"))[1] == 1


def test_a_damaged_piece_is_never_given(shelf: Shelf) -> None:
    entry = shelf.load(NAMES[0]).entries[0]
    (Path(shelf.where) / "pieces" / entry.pieces[1][:2] / entry.pieces[1]).write_bytes(b"x")
    with pytest.raises(Damaged):
        given(shelf, NAMES[0])
    assert given(shelf, NAMES[1]) == CONTENT[NAMES[1]]


def test_only_we_may_enter(shelf: Shelf) -> None:
    assert {path.stat().st_mode & 0o077 for path in (Path(shelf.where), *Path(shelf.where).rglob("*"))} == {0}
