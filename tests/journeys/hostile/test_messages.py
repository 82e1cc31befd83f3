"""Each hostile message is answered within 5 s, while the NOOP of another session is within 250 ms; nobody hears of our insides."""

from __future__ import annotations

import imaplib
import re
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.journeys.durable.witness import NO_PATH
from tests.journeys.hostile.messages import MESSAGES
from tests.lab.mailserver import DOMAIN, PASSWORD, MailServer

PATIENCE, NOOP = 5.0, 0.25  # seconds: the two numbers that are promised
EVERY = 0.02
ASKED = (
    "FETCH 1 (FLAGS UID RFC822.SIZE ENVELOPE BODYSTRUCTURE PREVIEW)",
    "FETCH 1 (BODY.PEEK[HEADER.FIELDS (SUBJECT CC REFERENCES)] BODY.PEEK[1] BODY.PEEK[1.1.1.1.MIME] BINARY.PEEK[1])",
    'SEARCH OR TEXT "wo" HEADER X-A b',
    "SORT (SUBJECT CC DATE) UTF-8 ALL",
    "THREAD REFERENCES UTF-8 ALL",
    "FETCH 1 BODY.PEEK[]",
)


# loopback is trusted unless it is said; a header too large to be read names no author, and would be junk
FROM_WHOM = {"trusted": {}, "judged": {"inbound": {"trusted_networks": [], "no_author": "accept"}}}


@pytest.fixture(scope="module", params=FROM_WHOM)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    settings = {
        "limits": {"message_size": "64 MiB"},
        "imap": {"allow_plaintext_auth": True},
        **FROM_WHOM[request.param],
    }
    with MailServer(tmp_path_factory.mktemp("hostile"), **settings) as server:
        yield server


class Other(threading.Thread):
    """Another session that only says NOOP; `worst`: the longest it waited, less what this machine itself stood still."""

    def __init__(self, server: MailServer) -> None:
        super().__init__(daemon=True)
        self._sock = socket.create_connection((server.address, server.ports["imap"]), 30)
        self._file = self._sock.makefile("rb")
        self._over = threading.Event()
        self.worst = 0.0
        self._file.readline()
        self._say(f'LOGIN bob "{PASSWORD}"')
        self._say("SELECT INBOX")

    def _say(self, text: str) -> None:
        self._sock.sendall(f"a {text}\r\n".encode())
        while not self._file.readline().startswith(b"a "):
            pass

    def run(self) -> None:
        while not self._over.is_set():
            before = time.monotonic()
            self._over.wait(EVERY)
            asked = time.monotonic()
            stood = asked - before - EVERY  # how late this machine is to wake anybody at this moment
            self._say("NOOP")
            self.worst = max(self.worst, time.monotonic() - asked - max(0.0, stood))

    def end(self) -> float:
        self._over.set()
        self.join(30)
        self._sock.close()
        return self.worst


@pytest.mark.parametrize("name", MESSAGES)
def test_hostile(server: MailServer, name: str) -> None:
    content = MESSAGES[name]()
    with server.imap("alice") as client:
        client.select()
        client.store("1:*", "+FLAGS.SILENT", "\\Deleted")
        client.expunge()
        other = Other(server)
        other.start()
        slowest, heard = sent(server, content)
        client.noop()
        for command in ASKED:
            seconds, answer = asked(client, command)
            assert " OK " in answer
            slowest = max(slowest, seconds)
            heard += answer
    worst = other.end()
    assert slowest <= PATIENCE
    assert worst <= NOOP
    assert NO_PATH.search(heard) is None, heard[:1000]


def sent(server: MailServer, content: bytes) -> tuple[float, str]:
    """How long it took from the dot to the answer, and the answer."""
    with server.smtp() as client:
        client.ehlo()
        client.mail("a@evil.test")
        client.rcpt(f"alice@{DOMAIN}")
        client.docmd("DATA")
        client.send(re.sub(rb"(?m)^\.", b"..", content))
        before = time.monotonic()
        client.send(b".\r\n")
        code, text = client.getreply()
        assert code == 250
        return time.monotonic() - before, text.decode()


def asked(client: imaplib.IMAP4, command: str) -> tuple[float, str]:
    """How long until the tagged answer, and what it says."""
    before = time.monotonic()
    tag = client._new_tag()  # type: ignore[attr-defined]
    client.send(tag + b" " + command.encode() + b"\r\n")
    while True:
        line = client.readline()
        if literal := re.search(rb"\{(\d+)\}\r\n\Z", line):
            client.read(int(literal[1]))
        elif line.startswith(tag):
            return time.monotonic() - before, line.decode()
