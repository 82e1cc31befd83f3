"""`mailsrv sender` and `mailsrv account`, run as one runs them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from mailsrv.command import main
from mailsrv.commands.account import account
from mailsrv.commands.sender import sender
from mailsrv.directory import hashes
from tests.mailsrv.directory import house

ROOT = click.Group("mailsrv", {"sender": sender, "account": account})


@pytest.fixture
def config(tmp_path: Path) -> str:
    file = tmp_path / "m.yml"
    file.write_text(house.TEXT, encoding="utf-8")
    return str(file)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(words, ROOT)
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize(
    "name, address, status, said",
    [
        ("user1", "user1+x@example.org", 0, "allowed: user1+x@example.org is a subaddress of user1@example.org"),
        ("User1@example.org", "<user1@example.org>", 0, "allowed: "),
        ("user1", "", 0, "allowed: the null sender"),
        ("user1", "bob@example.org", 1, "refused: the account user1 may not send as bob@example.org; it may send as "),
        ("gone", "gone@example.org", 0, "allowed: "),
        ("nobody", "x@y.org", 64, "there is no account nobody - accounts: user1, bob"),
    ],
)
def test_explain(
    capsys: pytest.CaptureFixture[str], config: str, name: str, address: str, status: int, said: str
) -> None:
    got, out, err = run(capsys, "sender", "explain", name, address, "--config", config)
    assert got == status
    assert said in out + err


def test_explain_for_programs(capsys: pytest.CaptureFixture[str], config: str) -> None:
    _, out, _ = run(capsys, "sender", "explain", "mary", "ceo@bank.test", "--config", config, "--json")
    found = json.loads(out)
    assert (found["account"], found["allowed"], found["addresses"]) == (
        "mary",
        False,
        ["mary@example.org", "user1+boss@example.org"],
    )


def test_what_one_may(capsys: pytest.CaptureFixture[str], config: str) -> None:
    _, out, _ = run(capsys, "sender", "list", "bob", "--config", config)
    assert out == (
        "bob may send as bob@example.org, mary-ann@example.org, team@example.org, subaddresses such as bob+tag@example.org\n"
    )


def test_the_accounts(capsys: pytest.CaptureFixture[str], config: str) -> None:
    status, out, _ = run(capsys, "account", "list", "--config", config, "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert status == 0
    assert rows["user1"] == {
        "name": "user1", "where": "file", "addresses": ["user1@example.org", "User1Real@example.org"], "enabled": True,
        "password": "PLAIN", "scram": False, "app_passwords": [],
    }  # fmt: skip
    _, out, _ = run(capsys, "account", "list", "--config", config)
    assert "closed" in next(line for line in out.splitlines() if "gone" in line)
    assert "foobar" not in out


def test_an_account_that_cannot_log_in_says_why(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "m.yml"
    file.write_text(house.TEXT.replace("{PLAIN}foobar", "$6$short"), encoding="utf-8")
    _, out, _ = run(capsys, "account", "list", "--config", str(file))
    assert "cannot be used: not a SHA512-CRYPT hash" in out


def invoke(*words: str, stdin: str = "") -> Result:
    return CliRunner().invoke(account, words, input=stdin)


@pytest.mark.parametrize("scheme", ["ARGON2ID", "scram-sha-256", "SCRAM-SHA-1"])
def test_a_hash_is_one_that_is_read(scheme: str) -> None:
    done = invoke("hash", "--scheme", scheme, stdin="foobar\n")
    stored = hashes.read(done.stdout.strip())
    assert stored.scheme == scheme.upper()
    assert stored.check(b"foobar")


def test_an_app_password_and_its_hash() -> None:
    made = json.loads(invoke("hash", "--app", "--json").stdout)
    assert hashes.read(made["hash"]).check(made["password"].encode())
    assert len(made["password"]) == 27
    assert json.loads(invoke("hash", "--app", "--json").stdout)["password"] != made["password"]


@pytest.mark.parametrize(
    "words, stdin, said",
    [
        (("hash",), "\n", "not a password that clients can send"),
        (("hash",), "a\tb\n", "not a password that clients can send"),
        (("hash",), "x" * 1025 + "\n", "not a password that clients can send"),
        (("hash", "--scheme", "ROT13"), "foobar\n", "no hash is made as ROT13"),
        (("hash", "--app", "--scheme", "SCRAM-SHA-256"), "", "do not go together"),
        (("list",), "", "no configuration named"),
    ],
)
def test_what_is_not_made(words: tuple[str, ...], stdin: str, said: str) -> None:
    if os.path.exists("/etc/mailsrv/mailsrv.yml"):  # noqa: PTH110
        pytest.skip("this machine has a configuration at the usual place")
    done = invoke(*words, stdin=stdin)
    assert said in str(done.exception)
