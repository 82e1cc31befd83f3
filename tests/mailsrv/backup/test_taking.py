"""A backup is taken while mail goes: what it holds is one state, or it is not there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest

from dnsops.base.errors import Later
from mailsrv.backup import taking
from mailsrv.backup.folder import Folder
from mailsrv.backup.proving import prove
from mailsrv.backup.shelf import Shelf
from mailsrv.store.sqlite import connect, copying

NOW = datetime(2026, 11, 27, 4, 15, tzinfo=UTC)
NAME = "20261127T041500Z"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    store = tmp_path / "state" / "store"
    connect.prepare(store)
    (store / "bodies" / "0").mkdir(parents=True)
    for number in range(3):
        deliver(store, number)
    return store.parent


def deliver(store: Path, number: int) -> None:
    """A message whose body is a file, as the store would keep it."""
    (store / "bodies" / "0" / f"{number}").write_bytes(b"x" * (number + 1))
    change(
        store,
        "INSERT INTO blob VALUES (?, 1, ?, ?, NULL, '', '', '', '', '', '', '', '', x'', x'', x'', '')",
        (number + 1, number + 1, f"0/{number}"),
    )


def expunge(store: Path, number: int) -> None:
    change(store, "DELETE FROM blob WHERE id = ?", (number + 1,))
    (store / "bodies" / "0" / f"{number}").unlink()


def change(store: Path, statement: str, values: tuple[int | str, ...]) -> None:
    with closing(apsw.Connection(str(store / "mail.db"))) as db:
        db.execute(statement, values)


def after_each_copy(monkeypatch: pytest.MonkeyPatch, state: Path, act: Callable[[int], None]) -> list[int]:
    """Let something happen to the mail right after its database was copied; returns the copies made."""
    copies: list[int] = []
    real = copying.copy

    def copy(source: Path, target: Path) -> None:
        real(source, target)
        if source == state / "store" / "mail.db":
            copies.append(len(copies))
            act(copies[-1])

    monkeypatch.setattr(copying, "copy", copy)
    return copies


def bodies(shelf: Shelf) -> set[str]:
    return {Path(one.path).name for one in shelf.load(NAME).entries if "/bodies/" in one.path}


def test_a_body_that_came_and_went_between_two_looks_has_the_database_copied_again(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, shelf = state / "store", Shelf(Folder(tmp_path / "shelf"))
    before = taking.Taking.bodies

    def came_meanwhile(self: taking.Taking) -> None:
        before(self)
        deliver(store, 7)

    monkeypatch.setattr(taking.Taking, "bodies", came_meanwhile)
    copies = after_each_copy(monkeypatch, state, lambda turn: expunge(store, 7) if turn == 0 else None)
    taking.take(shelf, state, (), NOW)
    assert len(copies) == 2
    assert bodies(shelf) == {"0", "1", "2"}
    assert list(prove(shelf, shelf.load(NAME))) == []


def test_a_body_that_went_after_the_copy_is_in_the_backup(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(Folder(tmp_path / "shelf"))
    copies = after_each_copy(monkeypatch, state, lambda _: expunge(state / "store", 1))
    taking.take(shelf, state, (), NOW)
    assert (len(copies), bodies(shelf)) == (1, {"0", "1", "2"})
    assert list(prove(shelf, shelf.load(NAME))) == []


def test_a_body_that_went_before_the_copy_is_not(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(Folder(tmp_path / "shelf"))
    before = taking.Taking.bodies
    monkeypatch.setattr(taking.Taking, "bodies", lambda self: (before(self), expunge(state / "store", 1)))
    taking.take(shelf, state, (), NOW)
    assert bodies(shelf) == {"0", "2"}


def test_a_body_that_was_being_written_at_the_first_look_is_taken_whole(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, shelf = state / "store", Shelf(Folder(tmp_path / "shelf"))
    before = taking.Taking.bodies

    def half_written(self: taking.Taking) -> None:
        (store / "bodies" / "0" / "7").write_bytes(b"xxx")
        before(self)
        deliver(store, 7)

    monkeypatch.setattr(taking.Taking, "bodies", half_written)
    taking.take(shelf, state, (), NOW)
    assert bodies(shelf) == {"0", "1", "2", "7"}
    assert list(prove(shelf, shelf.load(NAME))) == []


def test_a_body_that_the_store_has_lost_is_told_and_all_else_is_backed_up(state: Path, tmp_path: Path) -> None:
    """One lost body must not be the end of all backups."""
    shelf = Shelf(Folder(tmp_path / "shelf"))
    lost = state / "store" / "bodies" / "0" / "1"
    lost.unlink()
    assert taking.take(shelf, state, (), NOW).lost == (str(lost),)
    assert bodies(shelf) == {"0", "2"}
    (problem,) = prove(shelf, shelf.load(NAME))
    assert "bodies/0/1: no octets instead of 2" in problem


def test_mail_that_goes_faster_than_it_can_be_copied_makes_no_backup(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, shelf = state / "store", Shelf(Folder(tmp_path / "shelf"))
    real = copying.copy

    def copy(source: Path, target: Path) -> None:
        """Each copy speaks of one that came since the last and has gone by now."""
        number = 10 + len(turns)
        turns.append(number)
        deliver(store, number)
        real(source, target)
        expunge(store, number)

    turns: list[int] = []
    monkeypatch.setattr(copying, "copy", copy)
    with pytest.raises(Later, match="deleted faster"):
        taking.take(shelf, state, (), NOW)
    assert (len(turns), shelf.names()) == (taking.ROUNDS, [])


def test_a_damaged_list_does_not_end_the_backups_to_come(state: Path, tmp_path: Path) -> None:
    shelf = Shelf(Folder(tmp_path / "shelf"))
    shelf.prepare()
    (Path(shelf.where) / "lists" / "20260101T000000Z").write_bytes(b"[]")
    taking.take(shelf, state, (), NOW)
    assert list(prove(shelf, shelf.load(NAME))) == []


def test_locks_and_what_leads_out_of_the_place_are_left_out(state: Path, tmp_path: Path) -> None:
    shelf = Shelf(Folder(tmp_path / "shelf"))
    (state / "serve.lock").touch()
    (state / "out").symlink_to(tmp_path)
    (state / "gone").symlink_to("/nowhere")
    (state / "in").symlink_to("store/mail.db")
    taking.take(shelf, state, (), NOW)
    others = {one.path: one.target for one in shelf.load(NAME).entries if "/bodies/" not in one.path}
    assert others == {"state/in": "store/mail.db", "state/store/mail.db": ""}


@pytest.mark.parametrize("harm", ["missing", "longer", "inline"])
def test_a_backup_whose_bodies_do_not_fit_its_database_is_told(state: Path, tmp_path: Path, harm: str) -> None:
    store, shelf = state / "store", Shelf(Folder(tmp_path / "shelf"))
    if harm == "inline":
        change(store, "UPDATE blob SET file = NULL WHERE id = ?", (2,))
    else:
        (store / "bodies" / "0" / "1").write_bytes(b"x" * 9 if harm == "longer" else b"")
    taking.take(shelf, state, (), NOW)
    (problem,) = prove(shelf, shelf.load(NAME))
    assert "octets instead of 2" in problem
