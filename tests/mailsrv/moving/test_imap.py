"""`mailsrv move imap`: from Debian's Dovecot and from a server of our own, killed in the middle and run again."""

from __future__ import annotations

import imaplib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from dnsops.base import settings as configuration
from dnsops.dkim.keys import Keys
from dnsops.records import names
from mailsrv.directory import hashes
from tests.lab.dovecot import Dovecot
from tests.lab.mailserver import MailServer
from tests.lab.pki import Pki
from tests.lab.program import wait_until

WHEN = '"01-Mar-2026 12:30:05 +0000"'
PLAIN = b"From: alice@mail.test\r\nSubject: plain\r\n\r\nhello\r\n"
LARGE = b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 500_000
ODD = b"Subject: odd\r\n\r\n8 bit \xff\xfe, no end"
MANY = 900
NAMES = {"INBOX": "INBOX", "Gesendet": "Sent", "Work.&AMQ-mter": "Work/Ämter", "50% &- c": "50_ & c", "Empty": "Empty"}
MOVE = "from mailsrv.commands.move import move; import sys; from dnsops.base.errors import Deliberate\ntry: sys.exit(move(sys.argv[1:], standalone_mode=False))\nexcept Deliberate as e: print(e, file=sys.stderr); sys.exit(int(e.status))"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def dovecot(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> Iterator[Dovecot]:
    folder = tmp_path_factory.mktemp("dovecot")
    with Dovecot(folder, pki, {"carol": "{PLAIN}sesame", "dave": "{PLAIN}sesame"}) as dovecot:
        client = dovecot.client("carol", "sesame")
        for name in NAMES:
            client.create(_quoted(name))
            client.subscribe(_quoted(name))
        client.unsubscribe("Empty")
        for content in (PLAIN, PLAIN, ODD, LARGE, PLAIN):
            assert client.append("INBOX", "(\\Seen \\Flagged $Forwarded Work)", WHEN, content)[0] == "OK"
        client.select("INBOX")
        client.store("2", "+FLAGS", "\\Deleted")
        client.expunge()
        client.append("Gesendet", "(\\Seen)", WHEN, PLAIN)
        client.append(_quoted("Work.&AMQ-mter"), "()", WHEN, PLAIN)
        client.append(_quoted("50% &- c"), "(\\Draft)", WHEN, ODD)
        client.logout()
        client = dovecot.client("dave", "sesame")
        client.create("Many")
        for number in range(MANY):
            client.append("Many", "()", WHEN, b"Subject: %d\r\n\r\n%s\r\n" % (number % 300, b"x" * 20_000))
        client.logout()
        yield dovecot


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> Iterator[MailServer]:
    accounts = [
        {"name": name, "password": "!file password", "addresses": [f"{name}@mail.test"]}
        for name in ("alice", "bob", "carol", "dave", "erin", "frank")
    ]
    with MailServer(tmp_path_factory.mktemp("server"), pki, accounts=accounts) as server:
        yield server
        server.check()


def _quoted(name: str) -> str:
    return f'"{name}"'


def command(server: MailServer, source: str, user: str, to: str, *words: str) -> list[str]:
    ca = ["--ca", str(server.ca)]
    options = ["--from", source, "--user", user, "--to", to, *ca, *words, "--config", str(server.config), "--json"]
    return [sys.executable, "-c", MOVE, "imap", *options]


def run(argv: list[str], password: str = "sesame", status: int = 0) -> dict[str, dict[str, object]]:
    done = subprocess.run(argv, input=password + "\n", capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == status, done.stdout + done.stderr
    assert password not in " ".join(argv) + done.stdout + done.stderr
    return {row["name"]: row for row in json.loads(done.stdout)["mailboxes"]} if done.stdout else {}


def everything(client: imaplib.IMAP4, names: list[str]) -> dict[str, tuple[object, ...]]:
    """UIDVALIDITY, UIDs, flags, dates and octets."""
    found: dict[str, tuple[object, ...]] = {}
    for name in names:
        assert client.select(_quoted(name), readonly=True)[0] == "OK"
        validity = client.response("UIDVALIDITY")[1]
        _, answer = client.uid("FETCH", "1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")
        rows = []
        for part in answer:
            if isinstance(part, tuple):
                uid, flags = re.search(rb"UID (\d+)", part[0]), re.search(rb"FLAGS \(([^)]*)\)", part[0])
                assert uid
                assert flags
                words = frozenset(flags[1].lower().split()) - {b"\\recent"}
                rows.append((int(uid[1]), imaplib.Internaldate2tuple(part[0]), words, part[1]))
        found[name] = (validity, sorted(rows))
    return found


def test_all_of_it_comes_with_its_numbers_and_a_second_time_nothing(dovecot: Dovecot, server: MailServer) -> None:
    argv = command(server, f"127.0.0.1:{dovecot.imaps}", "carol", "carol")
    assert {name: row["to_take"] for name, row in run([*argv, "--dry-run"], status=2).items()} == {
        "INBOX": 4,
        "Sent": 1,
        "Work/Ämter": 1,
        "50_ & c": 1,
        "Empty": 0,
        "Work": 0,
    }
    rows = run(argv)
    assert {name: (row["copied"], row["missing"], row["numbered"]) for name, row in rows.items() if name != "Work"} == {
        "INBOX": (4, 0, True),
        "Sent": (1, 0, True),
        "Work/Ämter": (1, 0, True),
        "50_ & c": (1, 0, True),
        "Empty": (0, 0, True),
    }
    ours, theirs = server.imap("carol"), dovecot.client("carol", "sesame")
    here = everything(ours, ["INBOX", "Sent", "Work/&AMQ-mter", "50_ &- c"])
    there = everything(theirs, ["INBOX", "Gesendet", "Work.&AMQ-mter", "50% &- c"])
    assert list(here.values()) == list(there.values())
    assert LARGE in [row[3] for row in here["INBOX"][1]]  # type: ignore[attr-defined]
    subscribed = b" ".join(line for line in ours.lsub()[1] if isinstance(line, bytes))
    assert b"mter" in subscribed
    assert b"Empty" not in subscribed
    assert [b"UIDNEXT 6" in bytes(one.status("INBOX", "(UIDNEXT)")[1][0]) for one in (ours, theirs)] == [True, True]
    again = run(argv)
    assert sum(int(str(row["copied"])) for row in again.values()) == 0
    ours.delete(_quoted("50_ &- c"))
    assert run(argv)["50_ & c"]["copied"] == 1  # what was made anew has nothing of what the journal tells
    theirs.append("INBOX", "()", WHEN, PLAIN)
    assert run(argv)["INBOX"]["copied"] == 1
    there = everything(theirs, ["INBOX"])
    # the server hears of what another process did a moment later
    wait_until(lambda: everything(server.imap("carol"), ["INBOX"]) == there, "the new message to be seen", 15)


def test_dovecots_own_maildir_keeps_its_numbers(dovecot: Dovecot, server: MailServer) -> None:
    argv = [sys.executable, "-m", "mailsrv", "message", "import", "frank", str(dovecot.mail / "carol" / "Maildir")]
    theirs = everything(dovecot.client("carol", "sesame"), ["INBOX", "Work.&AMQ-mter", "50% &- c"])
    done = subprocess.run([*argv, "--config", str(server.config)], capture_output=True, text=True, check=False)
    assert done.returncode == 1  # a name with a % is none here
    assert "cannot be a mailbox's" in done.stderr
    ours = everything(server.imap("frank"), ["INBOX", "Work/&AMQ-mter"])
    assert list(ours.values()) == list(theirs.values())[:2]
    assert b"mter" in b" ".join(line for line in server.imap("frank").lsub()[1] if isinstance(line, bytes))


def test_without_its_journal_what_is_there_is_compared_and_not_brought_twice(
    dovecot: Dovecot, server: MailServer
) -> None:
    argv = command(server, f"127.0.0.1:{dovecot.imap}", "carol", "bob", "--tls", "starttls", "--only", "INBOX")
    first = run(argv)["INBOX"]
    for journal in (server.state / "moving").glob("imap-*.json"):
        journal.unlink()
    again = run(argv)["INBOX"]
    assert (again["copied"], again["there"]) == (0, first["copied"])


def test_killed_in_the_middle_and_run_again_each_message_is_there_once(dovecot: Dovecot, server: MailServer) -> None:
    argv = command(server, f"127.0.0.1:{dovecot.imaps}", "dave", "dave")
    killed = 0
    for _ in range(3):
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert process.stdin
        process.stdin.write(b"sesame\n")
        process.stdin.close()
        before = _count(server, "dave")
        while _count(server, "dave") == before and process.poll() is None:
            time.sleep(0.01)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
        process.wait()
    assert killed
    assert run(argv)["Many"]["missing"] == 0
    assert everything(server.imap("dave"), ["Many"]) == everything(dovecot.client("dave", "sesame"), ["Many"])


def _count(server: MailServer, account: str) -> int:
    with server.imap(account) as client:
        status, answer = client.status("Many", "(MESSAGES)")
        found = re.search(rb"MESSAGES (\d+)", answer[0] or b"") if status == "OK" else None
        return int(found[1]) if found else 0


def test_from_a_server_of_ours(server: MailServer) -> None:
    nul = b"Subject: nothing\r\n\r\nin \0 the middle\r\n"
    with server.imap("alice") as client:
        client.create("Ablage/2026")
        for content in (PLAIN, ODD):
            assert client.append("Ablage/2026", "($Label1)", WHEN, content)[0] == "OK"
        folder = server.directory / "Maildir"
        for part in ("cur", "new", "tmp"):
            (folder / part).mkdir(parents=True)
        (folder / "cur" / "1.a:2,S").write_bytes(nul.replace(b"\r\n", b"\n"))
        (folder / "cur" / "2.b:2,S").write_bytes(b"")
        subprocess.run(
            [
                sys.executable,
                "-m",
                "mailsrv",
                "message",
                "import",
                "alice",
                str(folder),
                "--config",
                str(server.config),
            ],
            check=True,
            capture_output=True,
        )
        rows = run(command(server, f"127.0.0.1:{server.ports['imaps']}", "alice", "erin"), password="foobar")
        assert (rows["INBOX"]["copied"], rows["Ablage/2026"]["copied"], rows["Sent"]["copied"]) == (2, 2, 0)
        names = ["INBOX", "Ablage/2026"]
        assert everything(server.imap("erin"), names) == everything(client, names)


def test_a_stranger_gets_no_password_and_a_wrong_one_is_said_in_one_line(dovecot: Dovecot, server: MailServer) -> None:
    argv = command(server, f"127.0.0.1:{dovecot.imaps}", "carol", "erin")
    argv.remove("--ca")
    argv.remove(str(server.ca))
    done = subprocess.run(argv, input="sesame\n", capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert "does not prove its name" in done.stderr
    argv = command(server, f"127.0.0.1:{dovecot.imaps}", "carol", "erin")
    done = subprocess.run(argv, input="wrong\n", capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert "may not log in" in done.stderr
    assert "wrong" not in done.stderr.replace("wrong password", "")


def test_everything_goes_out_and_comes_in_again(dovecot: Dovecot, server: MailServer, tmp_path: Path) -> None:
    """Last in this file: by now the accounts hold what the tests before brought."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    Keys(server.state / "dkim").adopt("mail.test", [("2026a", _pem())], now)
    out = tmp_path / "out"
    argv = [sys.executable, "-c", MOVE, "export", str(out), "--config", str(server.config), "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["dkim"] == ["2026a._domainkey.mail.test"]
    assert not [path for path in out.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    first, second = (configuration.load(path, names.host) for path in (server.config, out / "mailsrv.yml"))
    assert [(one.name, one.addresses) for one in second.accounts] == [
        (one.name, one.addresses) for one in first.accounts
    ]
    assert all(
        one.password_hash and hashes.read(one.password_hash.reveal()).check(b"foobar") for one in second.accounts
    )
    accounts = [
        json.loads(json.dumps({"name": one.name, "password": "!file password", "addresses": list(one.addresses)}))
        for one in second.accounts
    ]
    with MailServer(tmp_path / "again", server.pki, accounts=accounts) as again:
        for name, boxes in (
            ("carol", ["INBOX", "Sent", "Work/&AMQ-mter", "50_ &- c"]),
            ("alice", ["INBOX", "Ablage/2026"]),
        ):
            argv = [sys.executable, "-m", "mailsrv", "message", "import", name, str(out / "mail" / name)]
            subprocess.run([*argv, "--config", str(again.config)], check=True, capture_output=True)
            assert everything(again.imap(name), boxes) == everything(server.imap(name), boxes)


def _pem() -> bytes:
    key = ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
