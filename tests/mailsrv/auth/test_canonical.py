"""The form that is hashed, against RFC 6376's examples and dkimpy's."""

from __future__ import annotations

import hashlib

import pytest
from dkim import canonicalization
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.auth import canonical
from mailsrv.auth.canonical import Fields, body_hash
from mailsrv.message import header

RFC_6376_3_4_5 = b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n"


def test_the_header_of_rfc_6376_3_4_5() -> None:
    fields = Fields(RFC_6376_3_4_5)
    assert [fields.form(place, relaxed=True) for place in (0, 1)] == [b"a:X\r\n", b"b:Y Z\r\n"]
    assert [fields.form(place, relaxed=False) for place in (0, 1)] == [b"A: X\r\n", b"B : Y\t\r\n\tZ  \r\n"]


@pytest.mark.parametrize(
    "body, relaxed, simple",
    [
        (b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n", b" C \r\nD \t E\r\n"),  # RFC 6376 3.4.5
        (b"", b"", b"\r\n"),  # 3.4.3 and 3.4.4
        (b"\r\n\r\n", b"", b"\r\n"),
        (b" \t \r\n\r\n", b"", b" \t \r\n"),
        (b"a", b"a\r\n", b"a\r\n"),
        (b"a \t", b"a\r\n", b"a \t\r\n"),
        (b"a\n\r\n\r\n", b"a\n\r\n", b"a\n\r\n"),
        (b"a\rb \r\n\r\n", b"a\rb\r\n", b"a\rb \r\n"),
        (b"\n\r\n", b"\n\r\n", b"\n\r\n"),
        (b"a  \n b\r\n", b"a \n b\r\n", b"a  \n b\r\n"),
        (b"\v  \f\r\n", b"\v \f\r\n", b"\v  \f\r\n"),
    ],
)
def test_bodies(body: bytes, relaxed: bytes, simple: bytes) -> None:
    assert body_hash(body, 0, relaxed=True) == hashlib.sha256(relaxed).digest()
    assert body_hash(body, 0, relaxed=False) == hashlib.sha256(simple).digest()


BODIES = st.lists(
    st.one_of(
        st.sampled_from(
            [b" ", b"\t", b"  ", b" " * 7, b" " * 40, b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"x", b"\0", b"\xff", b"\v"]
        ),
        st.binary(max_size=5),
    ),
    max_size=40,
).map(lambda parts: b"".join(parts) + b"\r\n")


@given(BODIES, st.integers(1, 60))
def test_bodies_are_as_dkimpys_however_they_are_cut(body: bytes, piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canonical, "PIECE", piece)
        for relaxed, theirs in ((True, canonicalization.Relaxed), (False, canonicalization.Simple)):
            assert body_hash(body, 0, relaxed) == hashlib.sha256(theirs.canonicalize_body(body)).digest()


VALUES = st.text(" \tab:;=\x0c\x0b\x85", max_size=12).map(str.encode)
HEADERS = st.lists(
    st.tuples(st.sampled_from([b"Subject", b"X-a", b"from"]), st.lists(VALUES, min_size=1, max_size=3)), max_size=5
)


@given(HEADERS)
def test_headers_are_as_dkimpys(pairs: list[tuple[bytes, list[bytes]]]) -> None:
    found = [(name, b"\r\n ".join(lines) + b"\r\n") for name, lines in pairs]
    fields = Fields(b"".join(name + b":" + value for name, value in found) + b"\r\n")
    blanks = [(name, value) for name, value in found if not set(value) & set(b"\v\f")]  # dkimpy strips what is no blank
    ours = [b"%b:%b" % pair for pair in canonicalization.Relaxed.canonicalize_headers(found)]
    for place, pair in enumerate(found):
        assert fields.form(place, relaxed=False) == b"%b:%b" % pair
        if pair in blanks:
            assert fields.form(place, relaxed=True) == ours[place]


CONTENT = st.lists(
    st.sampled_from([b"a: b", b"c :d", b"\r\n", b"\n", b" e", b"\tf", b"no field", b":", b"\r", b"g:", b"\v"])
).map(b"".join)


@given(CONTENT)
def test_the_fields_are_those_that_everyone_else_here_sees(content: bytes) -> None:
    fields = Fields(content)
    seen = [(field.name, content[field.value : field.end]) for field in header.fields(content)]
    assert [(name.lower().rstrip(b" \t"), value) for name, value in fields.found] == seen


def test_fields_are_taken_from_the_bottom() -> None:
    fields = Fields(b"A: 1\r\nB: 2\r\na: 3\r\n\r\n")
    assert fields.chosen([b"a", b"b", b"a", b"a", b"c", b"b"], relaxed=True) == b"a:3\r\nb:2\r\na:1\r\n"


@pytest.mark.parametrize(
    "value, without",
    [
        (b" a=1; b=abc\r\n def; c=2", b" a=1; b=; c=2"),
        (b"b=abc", b"b="),
        (b" a=1;\r\n\tb =\r\n\tabc=\r\n\t", b" a=1;\r\n\tb ="),
        (b" bh=xyz; b=; h=b", b" bh=xyz; b=; h=b"),
        (b" bb=1; a=b=2; b = 3 ; x=b=", b" bb=1; a=b=2; b =; x=b="),
    ],
)
def test_a_signature_does_not_cover_itself(value: bytes, without: bytes) -> None:
    fields = Fields(b"DKIM-Signature:" + value + b"\r\n\r\n")
    assert fields.unsigned(0, relaxed=False) == b"DKIM-Signature:" + without


@pytest.mark.parametrize("octet", [b" ", b"\t", b"\r\n", b"\n", b"a ", b" \r\n", b"\r", b"x  y\t"])
def test_megabytes_of_anything_are_read_in_one_go(octet: bytes) -> None:
    """No time is asserted: quadratic work here would take hours."""
    huge = octet * (2_000_000 // len(octet))
    assert body_hash(b"\r\n" + huge, 2, relaxed=True)
    fields = Fields(b"A: b" + huge.replace(b"\r", b"").replace(b"\n", b"\r\n ") + b"\r\n\r\n")
    assert fields.form(0, relaxed=True)
    assert fields.unsigned(0, relaxed=False)


@given(
    st.lists(
        st.sampled_from(
            [b"From: a@b", b"DKIM-Signature : x", b"X \t: y\r\n z", b"no field", b" more", b"\xff:", b"a:b:c"]
        )
    )
)
def test_the_fields_of_a_header_that_was_read_are_those_of_the_message(lines: list[bytes]) -> None:
    content = b"\r\n".join([*lines, b"", b"body: no field"])
    read = header.header(content)
    assert read.complete
    ours, again = Fields(content, read), Fields(content)
    assert (ours.found, ours.places, ours.body) == (again.found, again.places, again.body)
