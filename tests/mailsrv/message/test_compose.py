"""Messages of our own: whatever is handed in, the lines are ours."""

from __future__ import annotations

import email
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.message import compose, words
from mailsrv.message.addresses import Address, addresses
from mailsrv.message.header import header

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


@given(st.text(max_size=400))
def test_a_field_is_one_field_in_short_lines(value: str) -> None:
    written = compose.field("Subject", compose.words(value))
    head = header(written + b"\r\n")
    assert list(head.fields) == [b"subject"]
    assert written.isascii()
    assert all(len(line) <= 998 for line in written.split(b"\r\n"))
    text = words.text(head.first(b"subject") or b"")
    if "=?" not in value and all(len(word) < 900 for word in value.split()):
        assert text.split() == compose.one_line(value).encode("utf-8", "replace").decode().split()


@pytest.mark.parametrize(
    "name, address, wanted",
    [
        ("", "a@b.test", "a@b.test"),
        ("A B", "a@b.test", "A B <a@b.test>"),
        ("A. B", "a@b.test", '"A. B" <a@b.test>'),
        ('A "B" \\', "a@b.test", '"A \\"B\\" \\\\" <a@b.test>'),
        ("Jörg", "a@b.test", "=?utf-8?B?SsO2cmc=?= <a@b.test>"),
        ("A\r\nBcc: x", "a@b.test", '"A  Bcc: x" <a@b.test>'),
    ],
)
def test_mailboxes_are_quoted_as_needed(name: str, address: str, wanted: str) -> None:
    assert compose.mailbox(name, address) == wanted
    assert addresses(wanted.encode())[0][2:] == Address(None, None, b"a", b"b.test")[2:]


@given(st.text(max_size=500))
def test_a_text_part_comes_back(text: str) -> None:
    part = compose.text_part(text)
    assert part.isascii()
    assert all(len(line) <= 998 for line in part.split(b"\r\n"))
    parsed = email.message_from_bytes(part)
    assert compose.lines(text) == parsed.get_payload(decode=True)


def test_a_boundary_is_in_no_part() -> None:
    parts = [b"--=_t.0", b"x --=_t.1 y"]
    assert compose.boundary("t", parts) == "=_t.2"


def test_a_message_has_what_the_rfc_asks_for() -> None:
    identifier = compose.message_id("t0k3n/\r\n", "mx1.example.org")
    content = compose.message(
        [("From", "a@b.test"), ("Subject", compose.words("Grüße"))], NOW, identifier, compose.text_part("hello")
    )
    assert content.decode() == (
        "From: a@b.test\r\nSubject: =?utf-8?B?R3LDvMOfZQ==?=\r\nDate: Sun, 22 Nov 2026 20:00:00 +0000\r\nMessage-ID: <t0k3n@mx1.example.org>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\nhello\r\n"
    )
