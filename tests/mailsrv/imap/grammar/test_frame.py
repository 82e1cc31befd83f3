"""Framing: a command ends where it ends, however its bytes arrive, and no limit is passed in any state (CVE-2025-61600)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailsrv.imap.grammar.frame import Continue, Fatal, Frame, Framer, More, TooMuch
from mailsrv.imap.limits import Limits

SMALL = Limits(
    line=200,
    line_before_login=100,
    literal=50,
    literal_before_login=20,
    arguments=300,
    message=1000,
    messages=1500,
    discard=5000,
)


def told(pieces: list[bytes], trusted: bool = True) -> list[object]:
    """All that the framer says about these bytes, `More` left out."""
    framer = Framer(SMALL)
    framer.trusted = trusted
    found: list[object] = []
    for piece in pieces:
        framer.feed(piece)
        while not isinstance(said := framer.next(), More):
            found.append(said)
            if isinstance(said, Fatal):
                return found
    return found


TALKS = [
    (b"a NOOP\r\nb NOOP\n", [Frame(b"a NOOP"), Frame(b"b NOOP")]),
    (b"a LOGIN {3}\r\nabc {2+}\r\nxy\r\n", [Continue(), Frame(b"a LOGIN {3}\r\nabc {2+}\r\nxy")]),
    (b"a APPEND x {7+}\r\n1\n{9}\r\n\r\n", [Frame(b"a APPEND x {7+}\r\n1\n{9}\r\n")]),
    (b"a APPEND x ~{2}\r\n\0\0\r\n", [Continue(), Frame(b"a APPEND x ~{2}\r\n\0\0")]),
    (b"a LOGIN {0}\r\n {0+}\r\n\r\n", [Continue(), Frame(b"a LOGIN {0}\r\n {0+}\r\n")]),
    (b'a LOGIN "x{5}" y\r\n', [Frame(b'a LOGIN "x{5}" y')]),
    (b"a LOGIN {-1}\r\n", [Frame(b"a LOGIN {-1}")]),
    (
        b"a APPEND x {1001}\r\nb NOOP\r\n",
        [TooMuch(b"a", "the literal is too large: 1000 octets at most", True), Frame(b"b NOOP")],
    ),
    (b"a LOGIN {51}\r\nb NOOP\r\n", [TooMuch(b"a", "the literal is too large: 50 octets at most"), Frame(b"b NOOP")]),
    (
        b"a APPEND x {1200+}\r\n" + b"z" * 1200 + b" {3+}\r\nabc\r\nb NOOP\r\n",
        [TooMuch(b"a", "the literal is too large: 1000 octets at most", True), Frame(b"b NOOP")],
    ),
    (
        b"a APPEND x {900+}\r\n" + b"z" * 900 + b" {900}\r\nb NOOP\r\n",
        [TooMuch(b"a", "the messages are too large together: 1500 octets at most", True), Frame(b"b NOOP")],
    ),
    (b"a " + b"z" * 300 + b"\r\nb NOOP\r\n", [TooMuch(b"a", "the line is too long"), Frame(b"b NOOP")]),
    (b"a X" + (b" {45+}\r\n" + b"z" * 45) * 8 + b"\r\n", [TooMuch(b"a", "the command is too long")]),
    (b"a APPEND x {4294967295+}\r\n", [Fatal("the literal is too large: 1000 octets at most")]),
    (b"a APPEND x {99999999999999999999+}\r\n", [Fatal("the literal is too large: 1000 octets at most")]),
]


@pytest.mark.parametrize("sent, said", TALKS)
@pytest.mark.parametrize("size", [1, 3, 7, 100000])
def test_a_command_is_found_however_it_comes(sent: bytes, said: list[object], size: int) -> None:
    assert told([sent[at : at + size] for at in range(0, len(sent), size)]) == said


STRANGERS = [
    (b"a LOGIN {21}\r\n", [TooMuch(b"a", "the literal is too large: 20 octets at most")]),
    (b"a LOGIN {21+}\r\n", [Fatal("the literal is too large: 20 octets at most")]),
    (b"a APPEND INBOX {500}\r\n", [TooMuch(b"a", "the literal is too large: 20 octets at most")]),
    (b"z" * 200, [Fatal("line too long")]),
    (b"z" * 150 + b"\r\n", [TooMuch(b"*", "the line is too long")]),
]


@pytest.mark.parametrize("sent, said", STRANGERS)
def test_before_login_less_is_allowed(sent: bytes, said: list[object]) -> None:
    assert told([sent], trusted=False) == said


WORDS = st.sampled_from(
    [
        b"a ",
        b"APPEND ",
        b"x ",
        b"{3}",
        b"{3+}",
        b"~{2+}",
        b"{99999}",
        b"\r\n",
        b"\n",
        b'"',
        b"zz",
        b"\0",
        b"(",
        b"{60+}",
        b"UID REPLACE ",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(WORDS, st.binary(max_size=30)), max_size=40), st.booleans())
def test_nothing_makes_it_fail_or_keep_too_much(pieces: list[bytes], trusted: bool) -> None:
    framer = Framer(SMALL)
    framer.trusted = trusted
    for piece in pieces:
        framer.feed(piece)
        while not isinstance(said := framer.next(), More | Fatal):
            pass
        if isinstance(said, Fatal):
            break
        assert framer.waiting <= SMALL.line + SMALL.arguments + SMALL.messages


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(WORDS, st.binary(max_size=20)), max_size=25), st.integers(1, 9))
def test_how_the_bytes_are_cut_changes_nothing(pieces: list[bytes], size: int) -> None:
    sent = b"".join(pieces)
    whole = told([sent])
    cut = told([sent[at : at + size] for at in range(0, len(sent), size)])
    assert [one for one in cut if not isinstance(one, Fatal)][: len(whole)] == [
        one for one in whole if not isinstance(one, Fatal)
    ]
