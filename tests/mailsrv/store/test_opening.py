"""Whose a database is, and what is told about one that is not as it should be; the three that there are keep to it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from dnsops.base.errors import ForUser, Later
from mailsrv.directory import register
from mailsrv.reports import ledger
from mailsrv.store.sqlite import schema
from mailsrv.store.sqlite.opening import Kind, alone, in_words, make, opened, version

KINDS = [schema.KIND, register.KIND, ledger.KIND]
kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "state" / "x.sqlite"
    make(made)
    return made


def test_no_two_kinds_are_taken_for_each_other() -> None:
    assert len({kind.application for kind in KINDS}) == len(KINDS)


def test_a_new_file_is_its_owners_alone_and_made_once(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        make(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_makes_belongs_to_whom_the_directory_belongs_to(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 5678)
    make(tmp_path / "x")
    assert ((tmp_path / "x").stat().st_uid, (tmp_path / "x").stat().st_gid) == (1234, 5678)


@kinds
def test_a_strangers_file_stays_as_it_is(path: Path, kind: Kind) -> None:
    db = apsw.Connection(str(path))
    db.execute("CREATE TABLE bookmarks (url)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(ForUser) as told:
        opened(path, kind)
    assert (told.value.what, told.value.advice) == ("this is a database of another program", kind.strange)
    assert path.read_bytes() == before


@kinds
def test_a_newer_file_is_refused_with_both_numbers(path: Path, kind: Kind) -> None:
    opened(path, replace(kind, steps=(*kind.steps, "CREATE TABLE later (x)"))).close()
    with pytest.raises(ForUser) as told:
        opened(path, kind)
    assert told.value.what == f"a newer mailsrv wrote {kind.name} (schema 2, and this program knows 1 at most)"
    assert told.value.advice == kind.newer


def test_pragmas_are_as_each_promises(path: Path) -> None:
    accounts = opened(path, register.KIND)
    assert (accounts.pragma("journal_mode"), accounts.pragma("synchronous")) == ("delete", 3)
    make(path.with_name("reports"))
    reports = opened(path.with_name("reports"), ledger.KIND)
    assert (reports.pragma("journal_mode"), reports.pragma("synchronous")) == ("wal", 2)


def test_a_transaction_that_fails_leaves_nothing(path: Path) -> None:
    db = opened(path, register.KIND)
    with pytest.raises(apsw.SQLError), alone(db):
        db.execute("INSERT INTO alias VALUES ('a', 'a', '[]'); INSERT INTO nowhere VALUES (1)")
    assert db.execute("SELECT * FROM alias").fetchall() == []
    assert version(db) == 1


@pytest.mark.parametrize(
    "error, told, shuts",
    [
        (apsw.BusyError(), Later, False),
        (apsw.FullError(), ForUser, True),
        (OSError(28, "No space left on device"), ForUser, True),
        (apsw.SQLError(), apsw.SQLError, False),  # a bug of ours
    ],
)
def test_trouble_is_told_and_a_bug_is_a_bug(error: Exception, told: type[Exception], shuts: bool) -> None:
    shut: list[bool] = []
    with pytest.raises(told), in_words(register.KIND, Path("accounts.sqlite"), lambda: shut.append(True)):
        raise error
    assert bool(shut) is shuts
