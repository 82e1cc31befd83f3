"""Words as the index sees them."""

from __future__ import annotations

import pytest

from mailsrv.store.words import MOST, found, terms, wanted


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, World!", ["hello", "world"]),
        ("Café-crème", ["cafe", "creme"]),
        ("a_b c.d@e", ["a", "b", "c", "d", "e"]),
        ("Привет 2026", ["привет", "2026"]),
        ("...", []),
    ],
)
def test_terms(text: str, words: list[str]) -> None:
    assert terms(text) == words


def test_what_is_searched_for_is_bounded() -> None:
    assert len(wanted("a " * 10_000)) == MOST


def test_a_phrase_stands_in_order_and_ends_in_a_beginning() -> None:
    table = {"quick brown": True, "brown quick": False, "quick bro": True, "uick": False, "quick fox": False}
    assert {words: found(terms(words), "The Quick brown fox") for words in table} == table
