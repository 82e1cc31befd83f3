"""Header blocks: fields found, values unfolded, FETCH's choice of fields byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.message import limits
from mailsrv.message.header import body_start, fields, header, header_fields

MESSAGE = b"Received: from a\r\n\tby b\r\nSubject: one\r\n two\r\nTo : x@y\r\nreceived: c\r\nno field at all\r\nX-Empty:\r\n\r\nBody: no\r\n"


def test_values_are_unfolded_and_found_by_their_name_in_lower_case() -> None:
    head = header(MESSAGE)
    assert head.first(b"subject") == b"one two"
    assert head.first(b"to") == b"x@y"
    assert head.first(b"x-empty") == b""
    assert head.first(b"body") is None
    assert head.every(b"received") == [b"from a\tby b", b"c"]
    assert head.complete


@pytest.mark.parametrize(
    "content, start",
    [
        (b"A: b\r\n\r\nbody", 8),
        (b"A: b\n\nbody", 6),
        (b"A: b\n\r\nbody", 7),
        (b"A: b\r\n\nbody", 7),
        (b"A: b\n\nbo\r\n\r\ndy", 6),
        (b"\r\nbody", 2),
        (b"\nbody", 1),
        (b"A: b\r\n", 6),
        (b"A: b", 4),
        (b"", 0),
    ],
)
def test_the_body_begins_after_the_first_blank_line(content: bytes, start: int) -> None:
    assert body_start(content, 0, len(content)) == start


@pytest.mark.parametrize(
    "names, not_, wanted",
    [
        (["SUBJECT"], False, b"Subject: one\r\n two\r\n\r\n"),
        ([b"received", "x-empty"], False, b"Received: from a\r\n\tby b\r\nreceived: c\r\nX-Empty:\r\n\r\n"),
        (["To"], False, b"To : x@y\r\n\r\n"),
        (["Absent"], False, b"\r\n"),
        (["Received", "subject", "to"], True, b"no field at all\r\nX-Empty:\r\n\r\n"),
        ([], True, MESSAGE[: MESSAGE.index(b"Body")]),
    ],
)
def test_header_fields_gives_them_as_they_stand(names: list[bytes | str], not_: bool, wanted: bytes) -> None:
    assert header_fields(MESSAGE, names, not_) == wanted
    assert header_fields(MESSAGE[: MESSAGE.index(b"Body")], names, not_) == wanted


def test_a_last_line_without_its_end_gets_one() -> None:
    assert header_fields(b"A: b", ["a"]) == b"A: b\r\n\r\n"
    assert header_fields(b"A: b\r\nC: d", ["a"], not_=True) == b"C: d\r\n\r\n"


@given(
    st.lists(st.sampled_from([b"A: b", b"B:c", b" more", b"\t", b"junk", b"", b"A:", b"\x00:\xff"]), max_size=12),
    st.sampled_from([b"\r\n", b"\n"]),
)
def test_all_fields_but_none_is_the_header_itself(lines: list[bytes], end: bytes) -> None:
    content = end.join([*lines, b"", b"body"])
    head = content[: body_start(content, 0, len(content))]
    rest = head[: -len(end)] if head.endswith((b"\n" + end, b"\r\n\r\n")) or head == end else head
    wanted = rest if rest.endswith(b"\n") or not rest else rest + b"\r\n"
    assert header_fields(content, [], not_=True) == wanted + b"\r\n"


def test_limits_are_met_at_their_number_and_told() -> None:
    exact = b"A: b\r\n" * limits.FIELDS + b"\r\n"
    assert header(exact).complete
    assert not header(b"A: b\r\n" + exact).complete
    assert len(header(b"A: b\r\n" + exact).every(b"a")) == limits.FIELDS
    long = b"A: " + b"x" * (limits.HEADER - 7) + b"\r\n\r\n"
    assert header(long).complete
    assert not header(b"B: c\r\n" + long).complete


def test_fields_reads_every_field_with_its_place() -> None:
    content = b"A: b\r\n" * (limits.FIELDS + 5) + b"Last:\r\n x\r\n\r\n"
    found = list(fields(content))
    assert len(found) == limits.FIELDS + 6
    assert content[found[-1].start : found[-1].end] == b"Last:\r\n x\r"
    assert content[found[-1].value : found[-1].end] == b"\r\n x\r"


def test_five_million_lines_that_continue_are_one_field() -> None:
    content = b"A: b" + b"\n " * 2_000_000 + b"\n\nbody"
    assert len(header_fields(content, ["a"])) == len(content) - len(b"\nbody") + len(b"\r\n")
