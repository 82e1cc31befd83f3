"""Octets come back as they went in: broken, 8-bit and large mail, whole and in parts; and what is hostile costs little."""

from __future__ import annotations

import imaplib
import random

import pytest

from tests.mailsrv.imap.house import PASSWORD, running

MANGLED = [
    b"",
    b"\r\n",
    b"no header at all",
    b"Subject: bare\nlines\nonly\n\nbody\n",
    b"Subject: \xff\xfe\x80 8-bit\r\n\r\n\xc3\x28 \xed\xa0\x80\r\n",
    b"Subject: gr\xc3\xbc\xc3\x9fe\r\nContent-Type: text/plain; charset=klingon\r\n\r\nx",
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nunclosed",
    b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n--\r\n',
    b"Content-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\n",
    b"Content-Transfer-Encoding: base64\r\n\r\n====!!!",
    b"From: a@b\r\nTo: " + b"x" * 5000 + b"\r\n\r\n" + b"long line " * 1000,
    b"Subject: {5}\r\n\r\n) a OK done\r\n* BYE\r\n",
    b"\r\n\r\n\r\n\r\n",
]


@pytest.fixture(scope="module")
def client() -> object:
    with running() as house:
        found = imaplib.IMAP4("127.0.0.1", house.port)
        found.login("alice", PASSWORD)
        yield found


def put(client: imaplib.IMAP4, letter: bytes) -> None:
    """As the last message of the selected INBOX; imaplib itself would mend line ends."""
    tag = client._new_tag()
    client.send(tag + b" APPEND INBOX {%d+}\r\n" % len(letter) + letter + b"\r\n")
    assert client._command_complete("APPEND", tag)[0] == "OK"
    client.select()


def got(client: imaplib.IMAP4, what: str) -> bytes:
    _, found = client.fetch("*", f"({what})")
    return found[0][1] if isinstance(found[0], tuple) else b""


@pytest.mark.parametrize("letter", [one for one in MANGLED if one], ids=range(len(MANGLED) - 1))
def test_any_octets_come_back_as_they_went_in(client: imaplib.IMAP4, letter: bytes) -> None:
    put(client, letter)
    assert got(client, "BODY.PEEK[]") == letter
    assert got(client, "RFC822") == letter
    assert got(client, "BODY.PEEK[HEADER]") + got(client, "BODY.PEEK[TEXT]") == letter
    assert b"".join(got(client, f"BODY.PEEK[]<{at}.7>") for at in range(0, min(len(letter), 70), 7)) == letter[:70]
    assert (
        client.fetch("*", "(ENVELOPE BODY BODYSTRUCTURE PREVIEW RFC822.SIZE BODY.PEEK[1] BODY.PEEK[1.MIME])")[0] == "OK"
    )


def test_random_octets(client: imaplib.IMAP4) -> None:
    rng = random.Random(1)
    alphabet = [
        b"\r\n",
        b"\n",
        b"a",
        b": ",
        b"--x",
        b"Content-Type: multipart/mixed; boundary=x\r\n",
        b"\xff",
        b"\r",
        b"\r\n\r\n",
        b"{3}",
    ]
    for _ in range(60):
        letter = b"".join(rng.choices(alphabet, k=rng.randint(1, 40)))
        put(client, letter)
        assert got(client, "BODY.PEEK[]") == letter
        assert got(client, "BODY.PEEK[HEADER]") + got(client, "BODY.PEEK[TEXT]") == letter


@pytest.mark.parametrize("size", [(1 << 19) - 1, 1 << 19, (1 << 19) + 1, 3 << 20])
def test_what_is_large_is_streamed_the_same(client: imaplib.IMAP4, size: int) -> None:
    letter = b"Subject: large\r\n\r\n" + random.Random(2).randbytes(size).replace(b"\0", b"x")
    put(client, letter)
    assert got(client, "BODY.PEEK[]") == letter
    assert got(client, "BODY.PEEK[TEXT]") == letter[18:]
    assert got(client, f"BODY.PEEK[]<{size - 5}.4294967295>") == letter[size - 5 :]
    _, found = client.fetch("*", "(UID BODY.PEEK[] RFC822.SIZE BODY.PEEK[HEADER] FLAGS)")
    assert found[0][1] == letter
    assert found[1] == (b" RFC822.SIZE %d BODY[HEADER] {18}" % len(letter), b"Subject: large\r\n\r\n")


def test_binary(client: imaplib.IMAP4) -> None:
    letter = b"Content-Type: x/y\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\nAwQ=\r\n"
    put(client, letter)
    assert got(client, "BINARY.PEEK[1]") == b"\0\1\2\3\4"
    assert got(client, "BINARY.PEEK[1]<1.2>") == b"\1\2"
    put(client, letter.replace(b"base64", b"x-unknown"))
    assert client.fetch("*", "(BINARY.PEEK[1])")[0] == "NO"
    tag = client._new_tag()
    client.send(tag + b" APPEND INBOX ~{9+}\r\nA: b\r\n\r\n\0\r\n")
    assert client._command_complete("APPEND", tag)[0] == "OK"
    client.select()
    assert client.fetch("*", "BODY.PEEK[]")[0] == "OK"
