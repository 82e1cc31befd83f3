"""Encrypted backups: Debian's `age` opens every file of one, names tell nothing, and what cannot be opened is said."""

from __future__ import annotations

import hashlib
import io
import subprocess
from pathlib import Path

import pytest

from dnsops.base.errors import ForUser, Misconfigured
from mailsrv.backup.folder import Folder
from mailsrv.backup.memory import Memory
from mailsrv.backup.place import Damaged
from mailsrv.backup.sealing import Opener, Seal
from mailsrv.backup.shelf import Shelf
from mailsrv.backup.snapshot import PIECE, Snapshot

NAMES = ("20260101T000000Z", "20260102T000000Z")
CONTENT = b"a known text" * 30_000


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    return new_identity(tmp_path / "identity")


def new_identity(path: Path) -> Path:
    subprocess.run(["age-keygen", "-o", str(path)], check=True, capture_output=True)
    return path


def recipient(identity: Path) -> str:
    done = subprocess.run(["age-keygen", "-y", str(identity)], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def shelf_of(tmp_path: Path, identity: Path, opened: bool = True) -> Shelf:
    (tmp_path / "host").mkdir(exist_ok=True)
    memory = Memory(tmp_path / "host")
    seal = Seal.of([recipient(identity)], memory.key())
    return Shelf(Folder(tmp_path / "shelf"), seal, Opener.of(identity) if opened else None, memory)


def taken(shelf: Shelf, name: str, content: bytes = CONTENT) -> int:
    shelf.prepare()
    with shelf.alone():
        entry, new = shelf.take("state/a", 0o600, io.BytesIO(content))
        shelf.save(shelf.snapshot(name, [entry]))
    return new


def given(shelf: Shelf, name: str = NAMES[0]) -> bytes:
    snapshot = shelf.load(name)
    return shelf.give(snapshot, snapshot.entries[0])


def by_age(identity: Path, path: Path) -> bytes:
    return subprocess.run(["age", "-d", "-i", str(identity), str(path)], check=True, capture_output=True).stdout


def pieces(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "shelf" / "pieces").glob("*/*"))


def test_debians_age_opens_the_list_and_every_piece(tmp_path: Path, identity: Path) -> None:
    taken(shelf_of(tmp_path, identity), NAMES[0])
    snapshot = Snapshot.read(by_age(identity, tmp_path / "shelf" / "lists" / f"{NAMES[0]}.age"))
    whole = b""
    for piece in snapshot.entries[0].pieces:
        (path,) = (tmp_path / "shelf" / "pieces").glob(f"*/{piece}-*.age")
        whole += by_age(identity, path)
    assert whole == CONTENT


def test_what_lies_there_tells_nothing_of_what_is_in_it(tmp_path: Path, identity: Path) -> None:
    taken(shelf_of(tmp_path, identity), NAMES[0])
    digests = {hashlib.sha256(CONTENT[at : at + PIECE]).hexdigest() for at in range(0, len(CONTENT), PIECE)}
    files = [path for path in (tmp_path / "shelf").rglob("*") if path.is_file()]
    everything = b"".join(path.name.encode() + path.read_bytes() for path in files)
    assert not [digest for digest in digests if digest.encode() in everything]
    assert b"known text" not in everything
    assert b"state/a" not in everything
    assert Memory(tmp_path / "host").key().hex().encode() not in everything


def test_the_host_cannot_open_it_and_still_takes_only_what_is_new(tmp_path: Path, identity: Path) -> None:
    assert taken(shelf_of(tmp_path, identity, opened=False), NAMES[0]) == len(CONTENT)
    again = shelf_of(tmp_path, identity, opened=False)
    assert [entry.path for entry in again.last()] == ["state/a"]
    assert taken(again, NAMES[1], CONTENT + b"x") < PIECE
    with pytest.raises(ForUser, match="encrypted"):
        again.load(NAMES[0])
    assert given(shelf_of(tmp_path, identity), NAMES[1]) == CONTENT + b"x"


def test_other_recipients_get_everything_anew(tmp_path: Path, identity: Path) -> None:
    taken(shelf_of(tmp_path, identity), NAMES[0])
    other = new_identity(tmp_path / "other")
    assert taken(shelf_of(tmp_path, other), NAMES[1]) == len(CONTENT)
    assert given(shelf_of(tmp_path, other), NAMES[1]) == CONTENT
    with pytest.raises(ForUser, match="does not open it"):
        given(shelf_of(tmp_path, other), NAMES[0])


def test_what_is_kept_is_known_without_opening_it(tmp_path: Path, identity: Path) -> None:
    shelf = shelf_of(tmp_path, identity, opened=False)
    taken(shelf, NAMES[0])
    taken(shelf, NAMES[1], CONTENT[: PIECE + 1])
    assert shelf.forget(1) == 1
    assert given(shelf_of(tmp_path, identity), NAMES[1]) == CONTENT[: PIECE + 1]
    assert len(pieces(tmp_path)) == 2
    (tmp_path / "shelf" / "needs" / NAMES[1]).unlink()
    taken(shelf, NAMES[0])
    with pytest.raises(ForUser, match="list of what it needs is gone"):
        shelf.forget(1)
    assert given(shelf_of(tmp_path, identity), NAMES[1]) == CONTENT[: PIECE + 1]


def test_plain_and_encrypted_backups_lie_side_by_side(tmp_path: Path, identity: Path) -> None:
    plain = Shelf(Folder(tmp_path / "shelf"))
    taken(plain, NAMES[0])
    sealed = shelf_of(tmp_path, identity)
    assert taken(sealed, NAMES[1]) == len(CONTENT)
    assert given(plain, NAMES[0]) == given(sealed, NAMES[0]) == given(sealed, NAMES[1]) == CONTENT
    assert sealed.names() == list(NAMES)
    assert sealed.forget(1) == 1
    assert {path.suffix for path in pieces(tmp_path)} == {".age"}


@pytest.mark.parametrize("harm", ["gone", "changed", "cut", "swapped"])
def test_a_damaged_piece_is_seen_with_and_without_the_identity(tmp_path: Path, identity: Path, harm: str) -> None:
    shelf = shelf_of(tmp_path, identity)
    taken(shelf, NAMES[0])
    assert list(shelf.untouched(NAMES[0])) == []
    first, second = pieces(tmp_path)
    data = first.read_bytes()
    if harm == "gone":
        first.unlink()
    else:
        harmed = {"cut": data[:-1], "changed": data[:-9] + b"x" * 9, "swapped": second.read_bytes()}
        first.write_bytes(harmed[harm])
    (problem,) = shelf.untouched(NAMES[0])
    assert first.name[:12] in problem
    with pytest.raises(Damaged):
        given(shelf)


def test_a_piece_that_somebody_else_encrypted_is_not_taken_for_ours(tmp_path: Path, identity: Path) -> None:
    """He knows the recipient, and not the key of the names."""
    shelf = shelf_of(tmp_path, identity)
    taken(shelf, NAMES[0])
    forged = Seal.of([recipient(identity)], b"0" * 32).close(b"forged" + CONTENT[6:PIECE])
    pieces(tmp_path)[0].write_bytes(forged)
    with pytest.raises(Damaged):
        given(shelf)


def test_what_is_no_recipient_or_identity_is_said(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="not an age recipient"):
        Seal.of(["age1" + "q" * 58], b"")
    (tmp_path / "no").write_text("nothing")
    with pytest.raises(ForUser, match="no age identity"):
        Opener.of(tmp_path / "no")
    with pytest.raises(ForUser, match="cannot be read"):
        Opener.of(tmp_path / "gone")
