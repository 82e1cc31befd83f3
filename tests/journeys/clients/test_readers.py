"""curl, mbsync, imapclient and mutt read: what they see is what there is, and what they do is done."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from imapclient import IMAPClient

from tests.conftest import without
from tests.journeys.clients.conftest import Run
from tests.lab.mailserver import PASSWORD, MailServer
from tests.lab.network import needs
from tests.lab.program import wait_until

LETTERS = [f"From: you@example.net\r\nSubject: letter {n}\r\n\r\nthe text of {n}\r\n".encode() for n in range(4)]


def filled(server: MailServer, user: str, mailbox: str = "INBOX") -> None:
    """Four letters and nothing else."""
    with server.imap(user) as client:
        client.create(mailbox)
        client.select(mailbox)
        client.store("1:*", "+FLAGS.SILENT", "\\Deleted")
        client.expunge()
        for letter in LETTERS:
            client.append(mailbox, None, None, letter)  # type: ignore[arg-type]


def flags(server: MailServer, user: str, mailbox: str = "INBOX") -> dict[str, set[str]]:
    """Subject -> flags."""
    with IMAPClient(server.address, server.ports["imaps"], ssl_context=server.trust) as client:
        client.login(user, PASSWORD)
        client.select_folder(mailbox, readonly=True)
        found = client.fetch(client.search(), ["ENVELOPE", "FLAGS"])
        return {
            data[b"ENVELOPE"].subject.decode(): {flag.decode() for flag in data[b"FLAGS"]} for data in found.values()
        }


def test_curl_reads(server: MailServer, program: Run) -> None:
    filled(server, "alice")
    base = ("curl", "-sS", "--cacert", server.ca, "-u", f"alice:{PASSWORD}")
    url = f"imaps://{server.address}:{server.ports['imaps']}"
    assert '"/" "INBOX"' in program(*base, url).stdout
    found = program(*base, f"{url}/INBOX?SUBJECT%20letter").stdout.split()
    assert len(found) == 2 + len(LETTERS)  # * SEARCH and the numbers
    text = program(*base, f"{url}/INBOX;MAILINDEX=3").stdout
    assert text == LETTERS[2].decode().replace("\r\n", "\n")
    program(*base, url + "/INBOX", "-X", "STORE 1 +FLAGS \\Flagged")
    assert "\\Flagged" in flags(server, "alice")["letter 0"]


# mbsync

SYNC = """IMAPAccount there
Host {host}
Port {port}
User alice
Pass {password}
SSLType IMAPS
CertificateFile {ca}

IMAPStore far
Account there

MaildirStore near
Path {near}/
Inbox {near}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns INBOX Shared
Create Both
Expunge Both
Sync All
SyncState *
"""


def synced(server: MailServer, program: Run, folder: Path) -> None:
    config = folder.with_suffix(".rc")
    folder.mkdir(exist_ok=True)
    config.write_text(
        SYNC.format(
            host=server.address,
            port=server.ports["imaps"],
            password=PASSWORD,
            ca=server.settings["tls"]["certificate"],  # pinned: it looks for a name in the subject, where ours has none
            near=folder,
        )
    )
    program("mbsync", "-c", config, "all")


def near(folder: Path, mailbox: str = "INBOX") -> dict[str, str]:
    """Subject -> flags in the name of the file."""
    found = {}
    for part in ("cur", "new"):
        for path in (folder / mailbox / part).iterdir():
            subject = path.read_text().partition("Subject: ")[2].partition("\n")[0]
            found[subject] = path.name.partition(":2,")[2]
    return found


def test_mbsync_both_ways(server: MailServer, program: Run, tmp_path: Path) -> None:
    filled(server, "alice")
    here = tmp_path / "mail"
    synced(server, program, here)
    assert set(near(here)) == {f"letter {n}" for n in range(4)}
    # there: one read, one gone; here: one flagged, one new, a folder more
    with server.imap("alice") as client:
        client.select()
        client.store("1", "+FLAGS", "\\Seen")
        client.store("2", "+FLAGS", "\\Deleted")
        client.expunge()
    (path,) = [path for path in (here / "INBOX").glob("*/*") if "letter 2" in path.read_text()]
    path.rename(here / "INBOX" / "cur" / (path.name.partition(":2,")[0] + ":2,F"))
    (here / "INBOX" / "new" / "1.mine").write_text("From: me@mail.test\nSubject: mine\n\nfrom here\n")
    for part in ("cur", "new", "tmp"):
        (here / "Shared" / part).mkdir(parents=True)
    (here / "Shared" / "new" / "1.shared").write_text("Subject: shared\n\nfrom here, too\n")
    synced(server, program, here)
    assert near(here) == {"letter 0": "S", "letter 2": "F", "letter 3": "", "mine": ""}
    seen = flags(server, "alice")
    assert {subject: found - {"\\Recent"} for subject, found in seen.items()} == {
        "letter 0": {"\\Seen"},
        "letter 2": {"\\Flagged"},
        "letter 3": set(),
        "mine": set(),
    }
    assert set(flags(server, "alice", "Shared")) == {"shared"}
    before = sorted(path.name for path in here.rglob("*:2*"))
    synced(server, program, here)
    assert sorted(path.name for path in here.rglob("*:2*")) == before
    again = tmp_path / "again"
    synced(server, program, again)
    assert near(again) == near(here)
    assert near(again, "Shared") == near(here, "Shared")


# imapclient


def test_imapclient(server: MailServer) -> None:
    filled(server, "bob")
    with (
        IMAPClient(server.address, server.ports["imaps"], ssl_context=server.trust) as client,
        IMAPClient(server.address, server.ports["imap"], ssl=False) as other,
    ):
        other.starttls(server.trust)
        for one in (client, other):
            one.login("bob", PASSWORD)
        assert client.find_special_folder(b"\\Sent") == "Sent"
        client.select_folder("INBOX")
        other.select_folder("INBOX")
        assert client.sort("SUBJECT") == sorted(client.search())
        assert client.sort("REVERSE SUBJECT") == sorted(client.search(), reverse=True)
        assert len(client.thread("REFERENCES")) == len(LETTERS)
        client.idle()
        first = other.search()[0]
        other.add_flags([first], [b"\\Flagged"])
        assert any(word[1] == b"FETCH" for word in client.idle_check(timeout=20))
        client.idle_done()
        client.create_folder("Ämter/Zoll")
        client.move([first], "Ämter/Zoll")
        assert client.folder_status("Ämter/Zoll", ["MESSAGES", "SIZE"])[b"MESSAGES"] == 1
        assert first not in client.search()
        other.noop()
        assert first not in other.search()
        assert client.get_quota_root("INBOX")
        client.delete_folder("Ämter/Zoll")


# mutt in tmux


@contextmanager
def tmux(folder: Path, *command: str) -> Iterator[list[str]]:
    """A terminal of our own; gives the words that reach it."""
    for name in ("tmux", command[0]):
        if missing := needs(name):
            without("clients", missing)
    words = ["tmux", "-S", str(folder / "socket"), "-f", "/dev/null"]
    subprocess.run(
        [*words, "new-session", "-d", "-s", "t", "-x", "120", "-y", "40", shlex.join(command)],
        check=True,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin", "TERM": "xterm", "LANG": "C.UTF-8"},
    )
    try:
        yield words
    finally:
        subprocess.run([*words, "kill-server"], check=False)


def shown(words: list[str]) -> str:
    done = subprocess.run([*words, "capture-pane", "-p", "-t", "t"], capture_output=True, text=True, check=False)
    return done.stdout


def test_mutt(server: MailServer, tmp_path: Path) -> None:
    filled(server, "carol")
    (tmp_path / ".muttrc").write_text(
        f"set folder=imaps://carol@{server.address}:{server.ports['imaps']}/\nset spoolfile=+INBOX\n"
        f"set imap_user=carol\nset imap_pass={PASSWORD}\nset ssl_force_tls=yes\nset certificate_file={server.ca}\n"
        "set ssl_verify_host=no\nset delete=yes\nset mark_old=no\nset wait_key=no\nset confirmappend=no\nset confirmcreate=no\n"
        "set sort=subject\n"
    )

    def type_(words: list[str], *keys: str) -> None:
        subprocess.run([*words, "send-keys", "-t", "t", *keys], check=True)

    def see(words: list[str], text: str) -> None:
        try:
            wait_until(lambda: text in shown(words), f"mutt to show {text!r}", 20)
        except TimeoutError as error:
            pytest.fail(f"{error}\n{shown(words)}")

    with tmux(tmp_path, "mutt") as words:
        see(words, "letter 3")
        type_(words, "Enter")
        see(words, "the text of 0")
        type_(words, "q")
        see(words, "letter 3")
        type_(words, "j", "d")  # letter 1
        type_(words, "C")
        see(words, "to mailbox")
        type_(words, "C-u", "=Kept", "Enter")
        time.sleep(0.2)
        type_(words, "$")
        wait_until(lambda: "letter 1" not in flags(server, "carol"), "the letter to go", 20)
        type_(words, "x")
    found = flags(server, "carol")
    assert set(found) == {"letter 0", "letter 2", "letter 3"}
    assert "\\Seen" in found["letter 0"]
    assert set(flags(server, "carol", "Kept")) == {"letter 2"}
