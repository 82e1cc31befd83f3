"""Rdata as values: one spelling, the wire and back, texts cut into strings."""

from __future__ import annotations

import dns.rdata
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnsops.base.errors import ForUser
from dnsops.records.rdata import LONGEST_TEXT, Generic, Record, from_wire, parse, strings, txt, wire
from dnsops.records.tlsa import Tlsa

SPELLINGS = [
    ("AAAA", "2001:DB8:0:0::1", "2001:db8::1"),
    ("MX", "10 MX.Example.ORG.", "10 mx.example.org."),
    ("mx", "10 mx.example.org", "10 mx.example.org."),
    ("TXT", "plain", '"plain"'),
    ("TXT", '"a"   "b"', '"a" "b"'),
    ("CAA", "0 issue letsencrypt.org", '0 issue "letsencrypt.org"'),
    ("DS", "4711 13 2 " + "AB" * 16 + " " + "CD" * 16, "4711 13 2 " + "ab" * 16 + "cd" * 16),
    ("TLSA", "3 1 1 ABCD EF", "3 1 1 abcdef"),
    ("TLSA", r"\# 5 0301 01ab cd", "3 1 1 abcd"),
    ("HTTPS", "1 . alpn=h2", '1 . alpn="h2"'),
    ("TYPE65400", r"\# 2 ABCD", r"\# 2 abcd"),
]


@pytest.mark.parametrize("kind, text, one_spelling", SPELLINGS)
def test_two_spellings_are_one_value(kind: str, text: str, one_spelling: str) -> None:
    value = parse(kind, text)
    assert str(value) == one_spelling
    assert value == parse(kind, one_spelling)
    assert from_wire(kind.upper(), wire(value)) == value
    assert value.type == kind.upper()


def test_names_are_relative_to_the_origin_when_there_is_one() -> None:
    assert parse("MX", "10 mx", "example.org") == parse("MX", "10 mx.example.org.")
    assert parse("MX", "10 mx.", "example.org") == parse("MX", "10 mx.")


@pytest.mark.parametrize(
    "kind, text",
    [
        ("A", ""),
        ("A", "192.0.2"),
        ("AAAA", "::g"),
        ("MX", "mx"),
        ("TXT", '"open'),
        ("TXT", f'"{"x" * 256}"'),
        ("NOTYPE", "x"),
        ("DS", "1 13 2 abc"),
        ("TLSA", ""),
        ("TLSA", "3 1"),
        ("TLSA", "3 1 1 xy"),
        ("TLSA", "3 1 256 ab"),
        ("TLSA", r"\# 4 030101"),
        ("TLSA", r"\# 2 0301"),
        ("TLSA", r"\# x"),
        ("TLSA", r"\#"),
        ("TXT", "x" * (LONGEST_TEXT + 1)),
        ("A", "192.0.2.1 extra"),
    ],
)
def test_what_is_no_rdata_is_a_sentence(kind: str, text: str) -> None:
    with pytest.raises(ForUser) as refusal:
        parse(kind, text)
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize(
    "kind, data", [("TLSA", b""), ("TLSA", b"\3\1"), ("A", b"\1\2\3"), ("MX", b"\0"), ("TXT", b"\5ab"), ("NOTYPE", b"")]
)
def test_what_is_no_wire_form_is_a_sentence(kind: str, data: bytes) -> None:
    with pytest.raises(ForUser):
        from_wire(kind, data)


@given(st.binary(max_size=1000))
def test_a_text_of_any_length_and_content_comes_back_whole(raw: bytes) -> None:
    value = txt(raw)
    pieces = strings(value)
    assert b"".join(pieces) == raw
    assert all(len(piece) <= 255 for piece in pieces)
    assert parse("TXT", str(value)) == value


@given(st.binary(max_size=300))
def test_any_bytes_are_a_tlsa_record_or_a_sentence(data: bytes) -> None:
    try:
        value = from_wire("TLSA", data)
    except ForUser:
        assert len(data) < 3
        return
    assert wire(value) == data
    assert isinstance(value, Tlsa)


def test_the_wire_form_is_dnspythons() -> None:
    text = "10 mx.example.org."
    assert wire(Generic("MX", text)) == dns.rdata.from_text("IN", "MX", text).to_wire()


def test_a_record_reads_as_a_zone_file_line() -> None:
    assert str(Record("a.example.org", "A", 60, parse("A", "192.0.2.1"))) == "a.example.org. 60 IN A 192.0.2.1"
