"""LIST's patterns, against a plain and slow way to say the same."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.imap.matching import Pattern

MATCHES = [
    ("*", "a/b", True), ("%", "a", True), ("%", "a/b", False), ("a/%", "a/b", True), ("a/%", "a/b/c", False), ("a*", "a/b/c", True),
    ("inbox", "INBOX", True), ("INBOX/*", "INBOX/x", True), ("a", "ab", False), ("%/%", "a/b", True), ("*b", "a/b", True),
]  # fmt: skip


@pytest.mark.parametrize("pattern, name, matches", MATCHES)
def test_patterns(pattern: str, name: str, matches: bool) -> None:
    assert Pattern(pattern)(name) is matches


@given(st.text("ab/*%", max_size=12), st.text("ab/", max_size=12))
def test_they_mean_what_regular_expressions_mean(pattern: str, name: str) -> None:
    plain = "".join(".*" if c == "*" else "[^/]*" if c == "%" else re.escape(c) for c in pattern)
    assert Pattern(pattern)(name) is (re.fullmatch(plain, name) is not None)


def test_sixty_wildcards_are_no_burden() -> None:
    assert not Pattern("*a%" * 300 + "x")("a" * 1000)
