"""`mailsrv message`: mail goes out of one account and into another beside a running server, and a client sees it come."""

from __future__ import annotations

import imaplib
import json
import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.mailserver import MailServer
from tests.lab.program import wait_until

PLAIN = b"From: alice@mail.test\r\nSubject: plain\r\n\r\nhello\r\n"
LARGE = b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 20_000
ODD = b"Subject: odd\r\n\r\n8 bit \xff\xfe, no end"
WHEN = '"01-Mar-2026 12:30:05 +0000"'
NAMES = {"INBOX", "Sent", "Work/2026"}


def run(server: MailServer, *words: str | Path, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mailsrv", "message", *map(str, words), "--config", str(server.config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    folder = tmp_path_factory.mktemp("message")
    accounts = [
        {"name": name, "password": "!file password", "addresses": [f"{name}@mail.test"]}
        for name in ("alice", "bob", "carol", "dave")
    ]
    with MailServer(folder, accounts=accounts) as server:
        client = server.imap("alice")
        for name in sorted(NAMES):
            client.create(name)
            for content in (PLAIN, LARGE, ODD):
                assert client.append(name, "(\\Seen $Forwarded Work)", WHEN, content)[0] == "OK"
        client.logout()
        yield server
        server.check()


def contents(client: imaplib.IMAP4) -> dict[str, list[bytes]]:
    found = {}
    for name in NAMES:
        if client.select(name, readonly=True)[0] == "OK":
            _, answer = client.fetch("1:*", "(BODY.PEEK[] INTERNALDATE FLAGS)")
            found[name] = sorted(bytes(part[1]) for part in answer if isinstance(part, tuple))
    return found


@pytest.mark.parametrize("form, name", [("maildir", "bob"), ("mbox", "carol")])
def test_out_of_one_and_into_another_while_it_serves(server: MailServer, tmp_path: Path, form: str, name: str) -> None:
    left_out = 3 if form == "mbox" else 0  # mbox adds a line end to what has none
    out = json.loads(run(server, "export", "alice", tmp_path / "x", "--form", form, "--json", status=bool(left_out)))
    assert {row["name"] for row in out["mailboxes"]} >= NAMES
    assert sum(row["copied"] for row in out["mailboxes"]) == 9 - left_out
    assert len(out["problems"]) == left_out
    reader = server.imap(name)
    reader.append(
        "INBOX", "(\\Deleted)", WHEN, PLAIN
    )  # one that had mail counts on: one that never had ends its sessions
    reader.select()
    reader.expunge()
    into = json.loads(run(server, "import", name, tmp_path / "x", "--json"))
    assert sum(row["copied"] for row in into["mailboxes"]) == 9
    assert into["problems"] == []
    wait_until(
        lambda: bool(reader.noop()) and reader.untagged_responses["EXISTS"][-1] == b"3", "an open session to hear", 10
    )
    reader.logout()
    source, target = server.imap("alice"), server.imap(name)
    if form == "maildir":
        assert contents(target) == contents(source)
    assert {box: len(kept) for box, kept in contents(target).items()} == dict.fromkeys(NAMES, 3)
    target.select("Work/2026")
    _, answer = target.fetch("1", "(INTERNALDATE FLAGS)")
    assert b" 1-Mar-2026 12:30:05 +0000" in bytes(answer[0])
    assert all(flag in bytes(answer[0]) for flag in (b"\\Seen", b"$Forwarded", b"Work"))
    for client in (source, target):
        client.logout()
    again = json.loads(run(server, "import", name, tmp_path / "x", "--json"))
    assert sum(row["copied"] for row in again["mailboxes"]) == 0
    assert sum(row["there"] for row in again["mailboxes"]) == 9


def test_into_a_folder_of_its_own(server: MailServer, tmp_path: Path) -> None:
    run(server, "export", "alice", tmp_path / "x", "--mailbox", "INBOX", "--mailbox", "Work/2026")
    said = run(server, "import", "dave", tmp_path / "x", "--into", "Old")
    assert "Old/Work/2026" in said
    client = server.imap("dave")
    assert client.select("Old")[1] == [b"3"]
    assert client.select("Old/Work/2026")[1] == [b"3"]
    assert client.select("INBOX")[1] == [b"0"]
    client.logout()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become the owner of the store")
def test_root_reads_anybodys_maildir_and_writes_as_the_owner(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder not in (Path("/"), Path("/tmp")):
            folder.chmod(0o755)
    closed = tmp_path / "closed"
    for part in ("cur", "new", "tmp"):
        (closed / part).mkdir(parents=True)
    (closed / "new" / "1.large").write_bytes(LARGE.replace(b"\r\n", b"\n"))
    (closed / "new" / "1.large").chmod(0o600)
    closed.chmod(0o700)
    with MailServer(tmp_path / "s", user="nobody") as server:
        assert "failed" in run(server, "import", "alice", closed)
        owners = {path.stat().st_uid for path in (server.state / "store").rglob("*")}
        assert owners == {nobody.pw_uid}
        client = server.imap("alice")
        client.select()
        _, answer = client.fetch("1", "(BODY.PEEK[])")
        assert isinstance(answer[0], tuple)
        assert answer[0][1] == LARGE
        client.logout()
        server.check()


WRONG = [
    (("import", "nobody", "."), 64, "there is no account nobody"),
    (("import", "alice", "/nowhere"), 64, "is not there"),
    (("import", "alice", "/proc"), 64, "neither a Maildir nor a directory of mboxes"),
    (("import", "alice", "/etc/hostname"), 64, "is no mbox"),
    (("export", "alice", "/etc"), 64, "not an empty directory"),
    (("export", "alice", "/proc/nowhere/x"), 1, "cannot be written"),
]


@pytest.mark.parametrize("words, status, said", WRONG)
def test_what_cannot_be_is_said(server: MailServer, words: tuple[str, ...], status: int, said: str) -> None:
    text = run(server, *words, status=status)
    assert said in text
    assert text.count("\n") == 1


def test_an_unknown_mailbox_is_named(server: MailServer, tmp_path: Path) -> None:
    assert "alice has no mailbox Wrok" in run(server, "export", "alice", tmp_path / "x", "--mailbox", "Wrok", status=64)
