"""Small files are of one moment, a restore leaves nothing behind, and what root restores belongs to who serves."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import pytest

from dnsops.base.errors import ForUser, Later
from mailsrv.backup import proving, scratch, taking
from mailsrv.backup.folder import Folder
from mailsrv.backup.memory import Memory
from mailsrv.backup.sealing import Seal
from mailsrv.backup.shelf import Shelf
from mailsrv.backup.snapshot import Entry

NOW = datetime(2026, 11, 27, 4, 15, tzinfo=UTC)
NAME = "20261127T041500Z"
RECIPIENT = "age1y8sjyqjzywjrcwwq7cun925ast8tquqtum7mp8urlw25rgjh8veqdgwkc5"  # whose secret half nobody has kept


@pytest.fixture
def state(tmp_path: Path) -> Path:
    state = tmp_path / "state"
    for folder in ("keys", "rollover"):
        (state / folder).mkdir(parents=True)
    (state / "keys" / "a.pem").write_text("key 1")
    (state / "rollover" / "ledger.json").write_text("names key 1")
    return state


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(Folder(tmp_path / "shelf"))


def contents(shelf: Shelf) -> dict[str, bytes]:
    snapshot = shelf.load(NAME)
    return {entry.path: shelf.give(snapshot, entry) for entry in snapshot.entries}


def after_each_take(monkeypatch: pytest.MonkeyPatch, act: dict[int, list[tuple[Path, str]]]) -> list[str]:
    """Let files change right after the n-th was taken."""
    real, seen = Shelf.take, list[str]()

    def take(self: Shelf, path: str, mode: int, file: IO[bytes]) -> tuple[Entry, int]:
        done = real(self, path, mode, file)
        for changed, text in act.get(len(seen), []):
            changed.write_text(text)
        seen.append(path)
        return done

    monkeypatch.setattr(Shelf, "take", take)
    return seen


def test_keys_and_the_ledger_that_names_them_are_of_one_moment(
    state: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key and then the ledger change after the first of them was read: neither alone may be in a backup."""
    changes = [(state / "keys" / "b.pem", "key 2"), (state / "rollover" / "ledger.json", "names key 2")]
    seen = after_each_take(monkeypatch, {0: changes})
    taking.take(shelf, state, (), NOW)
    assert contents(shelf) == {
        "state/keys/a.pem": b"key 1",
        "state/keys/b.pem": b"key 2",
        "state/rollover/ledger.json": b"names key 2",
    }
    assert len(seen) <= 4


def test_a_key_that_goes_meanwhile_is_not_in_it(state: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Shelf.take

    def take(self: Shelf, path: str, mode: int, file: IO[bytes]) -> tuple[Entry, int]:
        (state / "keys" / "a.pem").unlink(missing_ok=True)
        (state / "rollover" / "ledger.json").write_text("names none")
        return real(self, path, mode, file)

    monkeypatch.setattr(Shelf, "take", take)
    with pytest.raises(Later, match="change faster"):  # it is written each time it is read
        taking.take(shelf, state, (), NOW)
    monkeypatch.setattr(Shelf, "take", real)
    taking.take(shelf, state, (), NOW)
    assert contents(shelf) == {"state/rollover/ledger.json": b"names none"}


def test_what_a_backup_of_this_host_remembers_is_in_no_backup(state: Path, shelf: Shelf) -> None:
    (state / "backup" / ".scratch-dead").mkdir(parents=True)
    for name in ("key", ".last.json", ".known-1", ".scratch-dead/copy"):
        (state / "backup" / name).write_text("x")
    taking.take(shelf, state, (), NOW)
    assert [path for path in contents(shelf) if "backup" in path] == ["state/backup/key"]


KILLED = """
import sys, time
from pathlib import Path
from mailsrv.backup import proving
from mailsrv.backup.folder import Folder
from mailsrv.backup.memory import Memory
from mailsrv.backup.sealing import Seal
from mailsrv.backup.shelf import Shelf
proving._give = lambda *words: (print("made", flush=True), time.sleep(60))
shelf = Shelf(Folder(Path(sys.argv[1])))
proving.restore(shelf, shelf.load(sys.argv[2]), Path(sys.argv[3]), None)
"""


def test_what_a_killed_restore_left_goes_at_the_next_and_never_what_another_is_making(
    state: Path, shelf: Shelf, tmp_path: Path
) -> None:
    taking.take(shelf, state, (), NOW)
    place = tmp_path / "new" / "state"
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, shelf.where, NAME, str(place)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout
        assert child.stdout.readline() == "made\n"
        with scratch.made(place.parent, ".state.restoring-"):
            assert len(list(place.parent.iterdir())) == 2, "that one is still at work"
    finally:
        child.kill()
        child.communicate()
    assert len(list(place.parent.iterdir())) == 1
    assert proving.restore(shelf, shelf.load(NAME), place, None) == 2
    assert [path.name for path in place.parent.iterdir()] == ["state"]


def test_what_a_killed_backup_or_proof_left_goes_and_what_another_works_in_stays(
    state: Path, shelf: Shelf, tmp_path: Path
) -> None:
    taking.take(shelf, state, (), NOW)
    (tmp_path / "shelf" / ".scratch-dead").mkdir()
    with scratch.made(tmp_path / "shelf", ".scratch-") as mine:
        assert [path.name for path in (tmp_path / "shelf").glob(".scratch-*")] == [mine.name]
        assert list(proving.prove(shelf, shelf.load(NAME))) == []
        assert mine.is_dir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_servers_user_goes_on_with_what_root_began(state: Path, tmp_path: Path) -> None:
    for path in (state, *state.rglob("*")):
        os.chown(path, 65534, 65534)
    shelf = Shelf(Folder(tmp_path / "shelf", state), Seal.of([RECIPIENT], Memory(state).key()), memory=Memory(state))
    taking.take(shelf, state, (), NOW)
    whose = {path.stat().st_uid for place in (state, tmp_path / "shelf") for path in (place, *place.rglob("*"))}
    assert whose == {65534}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_restores_belongs_to_who_serves(state: Path, shelf: Shelf, tmp_path: Path) -> None:
    taking.take(shelf, state, (), NOW)
    nobody = pwd.getpwnam("nobody")
    snapshot = shelf.load(NAME)
    proving.restore(shelf, snapshot, tmp_path / "a", None, nobody)
    (tmp_path / "b").mkdir()
    os.chown(tmp_path / "b", 65533, 65533)
    proving.restore(shelf, snapshot, tmp_path / "b", None, nobody)
    for place, owner in ((tmp_path / "a", nobody.pw_uid), (tmp_path / "b", 65533)):
        assert {path.stat().st_uid for path in (place, *place.rglob("*"))} == {owner}


def test_a_drill_leaves_nothing_and_says_what_it_cannot_do(
    state: Path, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taking.take(shelf, state, (), NOW)
    (tmp_path / "beside").mkdir()
    snapshot = shelf.load(NAME)
    assert list(proving.drill(shelf, snapshot, tmp_path / "beside")) == []
    piece = snapshot.entries[0].pieces[0]
    (Path(shelf.where) / "pieces" / piece[:2] / piece).write_bytes(b"other")
    (problem,) = proving.drill(shelf, snapshot, tmp_path / "beside")
    assert piece[:12] in problem
    monkeypatch.setattr(proving, "SPARE", shutil.disk_usage(tmp_path).total + 1)
    with pytest.raises(ForUser, match="no room"):
        list(proving.drill(shelf, snapshot, tmp_path / "beside"))
    assert list((tmp_path / "beside").iterdir()) == []
