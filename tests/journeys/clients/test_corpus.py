"""Messages of every kind in by SMTP and by APPEND, and out byte for byte.

Some are made here, with all that real mail does wrong. 2500 real ones (the SpamAssassin project's easy ham of 2002) are read
from `corpus` in the virtual environment, where setup puts them when npm is there, or from the folder that MAILSRV_CORPUS names.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.lab.mailserver import DOMAIN, MailServer

CORPUS = Path(os.environ.get("MAILSRV_CORPUS") or Path(sys.prefix) / "corpus")
MADE = 300
SENDERS = 4
# what a final delivery writes above a message (RFC 5321 4.4): nothing else may be there
TRACE = re.compile(
    rb"Return-Path: <[^\r\n]*>\r\nDelivered-To: [^\r\n]*\r\nReceived: [^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)+"
)
SUBJECTS = ("plain", "=?utf-8?q?caf=C3=A9?=", "Ünïcödé", "=?broken?", "")
WRITERS = ("a@b.example", '"q\\"uoted" <a@b.example>', "group: a@b, c@d;", "<>", "no address")
CHARSETS = ("utf-8", "iso-8859-1", "windows-1252", "koi8-r", "iso-2022-jp", "unknown-8bit", "us-ascii")


def made(seed: int) -> bytes:
    """One that a strange program might have written."""
    rng = random.Random(seed)
    boundary = f"=_{seed:x}_{'.' * (seed % 3)}"
    text = [f"Subject: {rng.choice(SUBJECTS)} {seed}", f"From: {rng.choice(WRITERS)}"]
    text += [f"X-{n}: {'v' * rng.randrange(0, 990)}\r\n\tfolded {n}" for n in range(rng.randrange(4))]
    head = "\r\n".join(text).encode(rng.choice(["utf-8", "latin-1"]))
    if seed % 3 == 0:
        return head + b"\r\n\r\n" + _text(rng)
    kinds = ["text/plain", "text/html", "application/octet-stream", "message/rfc822", "multipart/mixed"]
    parts = []
    for _ in range(rng.randrange(4)):
        encoding = rng.choice(["7bit", "8bit", "base64", "quoted-printable", "x-unknown"])
        about = (
            f"Content-Type: {rng.choice(kinds)}; charset={rng.choice(CHARSETS)}; name*0*=utf-8''%e4;\r\n name*1=b\r\n"
        )
        parts.append(about.encode() + f"Content-Transfer-Encoding: {encoding}\r\n\r\n".encode() + _text(rng))
    mime = f'\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="{boundary}"\r\n\r\npreamble\r\n'.encode()
    closing = b"" if seed % 5 == 0 else f"--{boundary}--\r\nepilogue\r\n".encode()
    return head + mime + b"".join(f"--{boundary}\r\n".encode() + part for part in parts) + closing


def _text(rng: random.Random) -> bytes:
    lines = [
        b"",
        b".",
        b"..",
        b".dot",
        b"From here",
        b">From there",
        b"x" * 997,
        b"\xff\xfe\x80",
        b" \t ",
        "日本".encode(),
    ]
    return b"".join(rng.choice(lines) + b"\r\n" for _ in range(rng.randrange(30)))


def real() -> list[bytes]:
    """With CRLF, and without the line that is an mbox's and not the message's."""
    found = []
    for path in sorted(CORPUS.glob("*.txt")):
        content = path.read_bytes()
        if content.startswith(b"From "):
            content = content.partition(b"\n")[2]
        found.append(content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    return found


def letters(kind: str) -> list[bytes]:
    if kind == "made":
        return [made(seed) for seed in range(MADE)]
    if not CORPUS.is_dir():
        pytest.skip(f"the 2500 real messages are not in {CORPUS}; MAILSRV_CORPUS may name their folder")
    found = real()
    assert len(found) == 2500
    return found


@pytest.mark.parametrize("kind", ["made", "real"])
def test_in_by_smtp_and_out_the_same(server: MailServer, kind: str) -> None:
    user = {"made": "alice", "real": "bob"}[kind]
    wanted = letters(kind)
    crew = [threading.Thread(target=send, args=(server, user, wanted[n::SENDERS])) for n in range(SENDERS)]
    for one in crew:
        one.start()
    for one in crew:
        one.join(120)
    found = Counter(without_trace(message) for message in server.messages(user))
    assert found == Counter(digest(without_return_path(letter)) for letter in wanted)


@pytest.mark.parametrize("kind", ["made", "real"])
def test_in_by_append_and_out_the_same(server: MailServer, kind: str) -> None:
    wanted = letters(kind)
    with server.imap("carol") as client:
        client.create(kind)
        for letter in wanted:
            assert client.append(kind, "", "", letter)[0] == "OK"
    found = server.messages("carol", kind)
    assert [digest(message) for message in found] == [digest(letter) for letter in wanted]


def send(server: MailServer, user: str, letters: Sequence[bytes]) -> None:
    with server.smtp() as client:
        client.ehlo()
        for letter in letters:
            client.sendmail("you@example.net", [f"{user}@{DOMAIN}"], letter, ["BODY=8BITMIME"])


def without_trace(message: bytes) -> bytes:
    found = TRACE.match(message)
    assert found, message[:500]
    return digest(message[found.end() :])


def without_return_path(letter: bytes) -> bytes:
    """A server that delivers puts its own in the place of an earlier one (RFC 5321 4.4)."""
    head, blank, body = letter.partition(b"\r\n\r\n")
    head = re.sub(rb"(?im)^return-path:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*(?:\r\n|\Z)", b"", head)
    return head + blank + body


def digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
