"""`mailsrv try`, as a person would: mail in, mail among users, mail read, and the end without a trace."""

from __future__ import annotations

import imaplib
import re
import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "mailsrv", "try", "--base", "0"]
LETTER = b"From: %s\r\nTo: alice@mail.test\r\nSubject: %s\r\n\r\nhello\r\n"


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[dict[str, int]]:
    """The ports of a server that runs in an empty directory, and leaves it empty."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    server = subprocess.Popen(
        COMMAND, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert server.stdout
    said = "".join(server.stdout.readline() for _ in range(4))
    found = re.findall(r"^ +(mail in|submission|IMAP) +port (\d+)", said, re.MULTILINE)
    yield {name: int(port) for name, port in found}
    server.send_signal(signal.SIGTERM)
    _, errors = server.communicate(timeout=20)
    assert server.returncode == 0
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


def test_mail_goes_in_and_is_read(ports: dict[str, int]) -> None:
    with smtplib.SMTP("127.0.0.1", ports["mail in"]) as stranger:
        stranger.sendmail("you@example.org", ["alice@mail.test"], LETTER % (b"you@example.org", b"one"))
        with pytest.raises(smtplib.SMTPRecipientsRefused, match=r"5\.7\.1"):
            stranger.sendmail("you@example.org", ["you@example.net"], LETTER % (b"you@example.org", b"relay"))
        with pytest.raises(smtplib.SMTPRecipientsRefused, match=r"5\.1\.1"):
            stranger.sendmail("you@example.org", ["carol@mail.test"], LETTER % (b"you@example.org", b"nobody"))
    with smtplib.SMTP("127.0.0.1", ports["submission"]) as bob:
        bob.login("bob", "foobar")
        bob.sendmail("bob+tag@mail.test", ["alice@mail.test"], LETTER % (b"bob+tag@mail.test", b"two"))
        with pytest.raises(smtplib.SMTPSenderRefused, match=r"bob may not send as alice@mail\.test"):
            bob.sendmail("alice@mail.test", ["alice@mail.test"], LETTER % (b"alice@mail.test", b"forged"))
    with imaplib.IMAP4("127.0.0.1", ports["IMAP"]) as alice:
        alice.login("alice", "foobar")
        assert alice.select() == ("OK", [b"2"])
        assert alice.search(None, "SUBJECT", "two") == ("OK", [b"2"])
        _, parts = alice.fetch("1", "(BODY.PEEK[TEXT])")
        assert parts[0][1] == b"hello\r\n"


def test_a_wrong_password_opens_nothing(ports: dict[str, int]) -> None:
    with smtplib.SMTP("127.0.0.1", ports["submission"]) as stranger:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            stranger.login("bob", "foobaz")
        with pytest.raises(smtplib.SMTPSenderRefused):
            stranger.sendmail("bob@mail.test", ["alice@mail.test"], LETTER % (b"bob@mail.test", b"x"))
    with imaplib.IMAP4("127.0.0.1", ports["IMAP"]) as reader, pytest.raises(imaplib.IMAP4.error):
        reader.login("alice", "foobaz")


def test_a_port_that_is_taken_is_one_sentence() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        base = taken.getsockname()[1] - 25
        words = [sys.executable, "-m", "mailsrv", "try", "--base", str(base)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "cannot listen there (Address already in use)" in done.stderr
    assert "Traceback" not in done.stderr
