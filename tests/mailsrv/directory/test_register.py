"""The register of accounts: what is written is there again, everywhere; what cannot be read is said, and not overwritten."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from dnsops.base.errors import ForUser, Misconfigured
from dnsops.base.secrets import Secret
from dnsops.base.settings.mailserver import Account, AppPassword
from mailsrv.directory import register
from mailsrv.directory.register import REGISTER, Accounts, Change, Entries
from mailsrv.store.sqlite.opening import opened, version


def anything(before: Entries, after: Entries) -> None:
    """A check that refuses nothing."""


def an_account(name: str = "user3", **values: object) -> Account:
    given = {"name": name, "addresses": (f"{name}@example.org",), "password_hash": Secret("{PLAIN}foobar")}
    return Account.model_validate(given | values)


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    return Accounts(tmp_path / "state" / REGISTER)


def put(accounts: Accounts, *made: Account) -> None:
    def act(pen: Change) -> None:
        for one in made:
            pen.put(one)

    accounts.change(act, anything)


def test_nothing_is_made_by_looking(accounts: Accounts) -> None:
    assert accounts.entries() == Entries()
    assert accounts.version() == accounts.version()
    assert not accounts.path.exists()


def test_every_field_comes_back(accounts: Accounts) -> None:
    app = AppPassword(name="phone", password_hash=Secret("{PLAIN}telephone"), expires="2031-02-28")
    made = an_account(
        quota="10 GiB",
        enabled=False,
        may_send_as=("shop-*@example.org", "re:a|b@example\\.org"),
        app_passwords=(app,),
        scram_keys=Secret("{SCRAM-SHA-256}4096,c2FsdHNhbHQ=,c3RvcmVk,c2VydmVy"),
    )
    put(accounts, made)
    found = Accounts(accounts.path).entries().account("USER3")
    assert found == made
    assert found
    assert found.scram_keys
    assert found.scram_keys.reveal().startswith("{SCRAM")


def test_its_file_is_its_owners_alone(accounts: Accounts) -> None:
    put(accounts, an_account())
    assert accounts.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in accounts.path.parent.iterdir() if path.name.startswith(".")] == []


def test_a_refused_change_changes_nothing(accounts: Accounts) -> None:
    put(accounts, an_account())

    def refuse(before: Entries, after: Entries) -> None:
        assert [one.name for one in before.accounts] == ["user3"]
        assert [one.name for one in after.accounts] == ["user3", "user4"]
        raise Misconfigured("no")

    with pytest.raises(Misconfigured):
        accounts.change(lambda pen: pen.put(an_account("user4")), refuse)
    assert [one.name for one in accounts.entries().accounts] == ["user3"]


def test_another_process_is_noticed(accounts: Accounts) -> None:
    put(accounts, an_account())
    other = Accounts(accounts.path)
    before = other.version()
    assert other.version() == before
    put(accounts, an_account("user4"))
    assert other.version() != before
    assert other.entries().account("user4")


def test_a_restored_file_is_noticed(accounts: Accounts, tmp_path: Path) -> None:
    put(accounts, an_account())
    spare = Accounts(tmp_path / "spare" / REGISTER)
    put(spare, an_account("user9"))
    spare.close()
    before = accounts.version()
    spare.path.rename(accounts.path)
    assert accounts.version() != before
    assert [one.name for one in accounts.entries().accounts] == ["user9"]


def test_an_alias_leads_where_it_was_led_last(accounts: Accounts) -> None:
    accounts.change(lambda pen: pen.alias("Info@example.org", ("user3", "user4")), anything)
    accounts.change(lambda pen: pen.alias("info@example.org", ("user4",)), anything)
    found = accounts.entries().alias("INFO@example.org")
    assert found
    assert found.to == ("user4",)
    accounts.change(lambda pen: pen.alias("info@example.org", ()), anything)
    assert accounts.entries().aliases == ()


def test_a_better_hash_replaces_only_what_was_seen(accounts: Accounts) -> None:
    put(accounts, an_account())
    reader = Accounts(accounts.path)
    reader.entries()
    put(accounts, an_account(password_hash=Secret("{PLAIN}changed")))
    assert not reader.upgrade("user3", "{PLAIN}foobar-but-better")
    reader.entries()
    assert reader.upgrade("USER3", "{PLAIN}changed-but-better")
    assert not reader.upgrade("nobody", "{PLAIN}x")
    found = accounts.entries().account("user3")
    assert found
    assert found.password_hash == Secret("{PLAIN}changed-but-better")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _rubbish(path: Path) -> None:
    path.write_bytes(b"this is no database at all, whatever its name says " * 100)


def _foreign(path: Path) -> None:
    sqlite3.connect(path).execute("CREATE TABLE t (x)").connection.commit()


def _newer(path: Path) -> None:
    put(Accounts(path), an_account())
    sqlite3.connect(path).execute("PRAGMA user_version = 99").connection.commit()


def _bad_row(path: Path) -> None:
    put(Accounts(path), an_account())
    sqlite3.connect(path).execute("UPDATE account SET addresses = '[\"nonsense\"]'").connection.commit()


@pytest.mark.parametrize("make", [_empty, _rubbish, _foreign, _newer, _bad_row])
def test_what_cannot_be_read_is_said_and_left_alone(accounts: Accounts, make: Callable[[Path], None]) -> None:
    accounts.path.parent.mkdir()
    make(accounts.path)
    before = accounts.path.read_bytes()
    for act in (accounts.entries, lambda: put(accounts, an_account("user5"))):
        with pytest.raises((ForUser, Misconfigured)) as caught:
            act()
        assert str(accounts.path) in str(caught.value)
        assert "foobar" not in str(caught.value)
    assert accounts.path.read_bytes() == before


def _writes(path: str, number: int) -> None:
    accounts = Accounts(Path(path))
    for n in range(10):
        put(accounts, an_account(f"user{number}-{n}"))


def test_several_who_begin_at_once_lose_nothing(accounts: Accounts) -> None:
    crew = [get_context("spawn").Process(target=_writes, args=(str(accounts.path), n)) for n in range(4)]
    for one in crew:
        one.start()
    for one in crew:
        one.join(60)
    assert [one.exitcode for one in crew] == [0, 0, 0, 0]
    assert len(accounts.entries().accounts) == 40


def test_a_migration_that_was_killed_begins_again(accounts: Accounts) -> None:
    put(accounts, an_account())
    accounts.close()
    script = (
        "import os, sys, pathlib; from dataclasses import replace\n"
        "from mailsrv.directory import register; from mailsrv.store.sqlite import opening\n"
        "register.KIND = replace(register.KIND, steps=(*register.KIND.steps, 'ALTER TABLE account ADD note TEXT'))\n"
        "real = opening.pragma\n"
        "def hooked(db, name):\n"
        "    db.set_commit_hook(lambda: os._exit(9))\n"
        "    return real(db, name)\n"
        "opening.pragma = hooked\n"
        "register.Accounts(pathlib.Path(sys.argv[1])).entries()\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(accounts.path)], check=False, timeout=60)
    assert done.returncode == 9
    longer = replace(register.KIND, steps=(*register.KIND.steps, "ALTER TABLE alias ADD note TEXT"))
    with closing(opened(accounts.path, longer)) as db:
        assert version(db) == 2
        assert db.execute("SELECT name FROM account").fetchall() == [("user3",)]
