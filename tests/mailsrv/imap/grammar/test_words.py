"""The small words of the grammar: sets, names, dates, flags, strings; each read as the RFC has it, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.imap import writers
from mailsrv.imap.grammar.cursor import Cursor, Unreadable
from mailsrv.imap.grammar.dates import date_time, read_date, read_date_time
from mailsrv.imap.grammar.flags import read_flags
from mailsrv.imap.grammar.names import from_utf7, mailbox_name, read_name, to_utf7
from mailsrv.imap.grammar.sets import contains, each, merged, places, ranged, read_numbers, written

SETS = [
    (b"1", 10, [(1, 1)]),
    (b"1:3,2:5,9", 10, [(1, 5), (9, 9)]),
    (b"5:1", 10, [(1, 5)]),
    (b"*", 7, [(7, 7)]),
    (b"3:*", 7, [(3, 7)]),
    (b"9:*", 7, [(7, 9)]),
    (b"1:*" + b",1:*" * 1500, 7, [(1, 7)]),
    (b"1:*", 0, []),
]


@pytest.mark.parametrize("text, last, ranges", SETS)
def test_a_sequence_set_means_these_numbers(text: bytes, last: int, ranges: list[tuple[int, int]]) -> None:
    assert read_numbers(Cursor(text)).within(last) == ranges


@pytest.mark.parametrize("text", [b"0", b"", b"1:", b"1,,2", b"4294967296", b"1:2:3", b"01", b"a", b"-1"])
def test_what_is_no_sequence_set_is_refused(text: bytes) -> None:
    with pytest.raises(Unreadable):
        read_numbers(Cursor(text))


@given(st.sets(st.integers(0, 400)))
def test_ranges_hold_what_they_were_made_of(numbers: set[int]) -> None:
    ordered = sorted(numbers)
    ranges = ranged(ordered)
    assert list(each(ranges)) == ordered
    assert merged(ranges) == ranges
    assert all(contains(ranges, n) == (n in numbers) for n in range(402))
    assert [n for low, high in places(ranges, ordered) for n in range(low, high)] == list(range(len(ordered)))


def test_ranges_are_written_short() -> None:
    assert written(ranged([1, 2, 3, 7, 9, 10])) == b"1:3,7,9:10"


UTF7 = [
    ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),  # RFC 3501 5.1.3
    ("a&-b", "a&b"),
    ("Entw&APw-rfe", "Entwürfe"),
    ("&2D3cqQ-", "💩"),
]


@pytest.mark.parametrize("wire, name", UTF7)
def test_modified_utf7(wire: str, name: str) -> None:
    assert from_utf7(wire) == name
    assert to_utf7(name) == wire


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=30))
def test_any_text_survives_modified_utf7(text: str) -> None:
    assert from_utf7(to_utf7(text)) == text
    assert to_utf7(text).isascii()


@pytest.mark.parametrize("wire", ["&", "&*-", "&AAA", "&2AA-", "&AGE-", "a&b", "&U,BTFw-&ZeVnLIqe-", "&AOQ"])
def test_a_name_has_one_spelling_only(wire: str) -> None:
    with pytest.raises(Unreadable):
        from_utf7(wire)


NAMES = [
    (b"inbox", "INBOX"),
    (b'"InBoX/Sub"', "INBOX/Sub"),
    (b"Sent", "Sent"),
    (b'"a b"', "a b"),
    (b"{3}\r\nabc", "abc"),
]


@pytest.mark.parametrize("wire, name", NAMES)
def test_mailbox_names(wire: bytes, name: str) -> None:
    assert read_name(Cursor(wire)) == name


EVIL = [
    "../x", "..", "a/../b", "/etc/passwd", "a//b", "a/", "", ".", "a..b", "a\0b", "a\r\nb", "x" * 1001, "a/" * 400 + "a", "a*b", "a%",
    " a", "a\u2028b", "\x7f", "back\\slash",
]  # fmt: skip


@pytest.mark.parametrize("name", EVIL)
def test_what_cannot_be_a_mailbox(name: str) -> None:
    with pytest.raises(Unreadable):
        mailbox_name(name)


def test_dates() -> None:
    assert str(read_date(Cursor(b"1-Feb-1994"))) == str(read_date(Cursor(b'" 1-feb-1994"'))) == "1994-02-01"
    moment = read_date_time(Cursor(b'"17-Jul-1996 02:44:25 -0700"'))
    assert date_time(int(moment.timestamp())) == b'"17-Jul-1996 09:44:25 +0000"'


@pytest.mark.parametrize(
    "text", [b'"31-Feb-2024 00:00:00 +0000"', b'"1-Jan-2024 24:00:00 +0000"', b'"1-Xyz-2024 00:00:00 +0000"', b'"01-Jan-0001 00:00:00 +2359"', b'"x"']
)  # fmt: skip
def test_moments_that_never_were(text: bytes) -> None:
    with pytest.raises(Unreadable):
        read_date_time(Cursor(text))


def test_flags() -> None:
    assert read_flags(Cursor(b"(\\SEEN work \\draft)")) == {"\\Seen", "work", "\\Draft"}
    for wrong in (b"(\\Recent)", b"(\\Strange)", b"(a]b\\x)", b"(" + b"k " * 65 + b"k)", b"(" + b"k" * 201 + b")"):
        with pytest.raises(Unreadable):
            read_flags(Cursor(wrong))


@given(st.binary(max_size=60), st.booleans())
def test_a_string_that_we_write_can_be_read(octets: bytes, utf8: bool) -> None:
    if b"\0" in octets:
        assert Cursor(writers.literal8(octets)).literal(binary=True) == octets
    else:
        assert Cursor(writers.string(octets, utf8)).string() == octets
