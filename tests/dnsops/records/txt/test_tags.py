"""Tag lists, read and written."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnsops.records.txt import tags
from dnsops.records.txt.tags import Malformed

GOOD = [
    ("a=1", {"a": "1"}),
    ("a=1;", {"a": "1"}),
    (" a = 1 ; b=\r\n\t2 ;\r\n ", {"a": "1", "b": "2"}),
    ("v=DKIM1;p=", {"v": "DKIM1", "p": ""}),
    ("a=b=c; d=e==", {"a": "b=c", "d": "e=="}),
    ("n=two words", {"n": "two words"}),
    ("A=1; a=2", {"A": "1", "a": "2"}),  # RFC 6376 3.2: tag names are case-sensitive
    ("b=abc\r\n def", {"b": "abc\r\n def"}),
    ("d=bücher.example", {"d": "bücher.example"}),
    ("a_1=x", {"a_1": "x"}),
]
BAD = [
    "",
    ";",
    " ",
    "a",
    "a=1; a=1",
    "=1",
    "1a=1",
    "a=1;;b=2",
    "a=1; b",
    "a-b=1",
    "a=\x00",
    "a=1\nb=2",
    "a=\x7f",
    "ä=1",
]
BAD += ["a=1\r b", ";".join(f"a{n}=1" for n in range(65)), "a=" + "b" * 70_000]


@pytest.mark.parametrize("text, found", GOOD)
def test_a_list_is_read_in_order(text: str, found: dict[str, str]) -> None:
    assert list(tags.parse(text).items()) == list(found.items())
    assert tags.parse(text.encode()) == found


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_list_says_why(text: str) -> None:
    with pytest.raises(Malformed):
        tags.parse(text)


def test_octets_that_are_not_utf_8_are_no_list() -> None:
    with pytest.raises(Malformed):
        tags.parse(b"a=\xff")


def test_the_limit_is_the_callers() -> None:
    assert tags.parse("a=123", 5)
    with pytest.raises(Malformed):
        tags.parse("a=1234", 5)


NAMES = st.text("abXY", min_size=1, max_size=3).map(lambda name: f"{name}_9")
VALUES = st.text("ab=:+/ ~!ü", max_size=9).map(str.strip)


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=9))
def test_what_is_written_is_read_back(pairs: dict[str, str]) -> None:
    assert list(tags.parse(tags.write(pairs)).items()) == list(pairs.items())


@pytest.mark.parametrize("pairs", [{}, {"a": "1;b=2"}, {"a": " x"}, {"a": "x\n"}, {"": "x"}, {"a b": "x"}])
def test_what_would_not_be_read_back_is_not_written(pairs: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        tags.write(pairs)


def test_words_and_compact_forget_folding() -> None:
    assert tags.words("from : to:\r\n subject") == ("from", "to", "subject")
    assert tags.words("") == ()
    assert tags.compact(" ab\r\n\tc d ") == "abcd"


@given(st.lists(st.sampled_from(["a", "b", "=", ";", " ", "1", "_", "\r\n ", "x y", "ü"]), max_size=14).map("".join))
def test_one_look_at_all_tags_finds_what_one_look_at_each_does(text: str) -> None:
    def told(read: Callable[[], dict[str, str]]) -> dict[str, str] | str:
        try:
            return read()
        except Malformed as malformed:
            return malformed.what

    assert told(lambda: tags._tags(text)) == told(lambda: tags._one_by_one(text.split(";")))
