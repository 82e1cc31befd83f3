"""SASLprep, by the examples of RFC 4013 3, and what is tried for a password that arrives."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailsrv.directory.prep import prepared, spellings


@pytest.mark.parametrize(
    "text, done",
    [
        ("I\u00adX", "IX"),  # soft hyphen mapped to nothing
        ("user", "user"),
        ("USER", "USER"),  # case is kept
        ("\u00aa", "a"),  # NFKC
        ("\u2168", "IX"),
        ("\u0007", None),  # prohibited
        ("\u0627\u0031", None),  # bidirectional check
        ("\u0627\u0628", "\u0627\u0628"),
        ("a\u00a0b", "a b"),
        ("", None),
        ("\u00ad", None),
        ("a\u202eb", None),
        ("x" * 1025, None),
    ],
)
def test_the_examples(text: str, done: str | None) -> None:
    assert prepared(text) == done


@pytest.mark.parametrize(
    "password, tried",
    [
        (b"foobar", (b"foobar",)),
        ("yo\u0308".encode(), ("yo\u0308".encode(), "y\u00f6".encode())),
        (b"\xff\xfe", (b"\xff\xfe",)),
        (b"a\0b", ()),
        (b"", ()),
        (b"x" * 1024, (b"x" * 1024,)),
        (b"x" * 1025, ()),
    ],
)
def test_what_is_tried(password: bytes, tried: tuple[bytes, ...]) -> None:
    assert spellings(password) == tried


@given(st.text(max_size=40))
@settings(max_examples=100, deadline=None)
def test_what_is_prepared_stays_as_it_is(text: str) -> None:
    done = prepared(text)
    assert done is None or prepared(done) == done


@given(st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_octets_are_tried_or_refused(password: bytes) -> None:
    assert len(spellings(password)) <= 2
