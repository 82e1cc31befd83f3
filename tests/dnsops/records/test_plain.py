"""Rdata read without dnspython reads as dnspython has it, or not at all."""

from __future__ import annotations

import dns.exception
import dns.rdata
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnsops.records import plain

TYPES = st.sampled_from(["A", "AAAA", "CNAME", "MX", "NS", "PTR", "TXT", "SRV"])
LABELS = st.one_of(st.binary(max_size=64), st.sampled_from([b"mx1", b"Example", b"_25", b"*", b"a.b", b"x" * 63]))


def sized(pieces: list[bytes]) -> bytes:
    return b"".join(bytes((len(piece) & 0xFF,)) + piece for piece in pieces)


NAMED = st.lists(LABELS, max_size=6).map(lambda labels: sized(labels) + b"\0")
STRINGS = st.lists(st.one_of(st.text(st.characters(codec="ascii")).map(str.encode), st.binary()), max_size=4).map(sized)
ADDRESSES = st.one_of(st.binary(min_size=16, max_size=16), st.sampled_from([bytes(16), bytes(12) + b"\1\2\3\4"]))
SHORT = st.builds(
    lambda start, zeros: (start + bytes(zeros) + b"\1" * 16)[:16], st.binary(max_size=9), st.integers(0, 8)
)


def long_way(type_name: str, data: bytes) -> str | None:
    """By dnspython, canonical; None for what is no rdata."""
    try:
        canonical = dns.rdata.from_wire("IN", type_name, data, 0, len(data)).to_digestable()
        return dns.rdata.from_wire("IN", type_name, canonical, 0, len(canonical)).to_text(chunksize=0)
    except (dns.exception.DNSException, ValueError):
        return None


@settings(deadline=None, max_examples=1000)
@given(TYPES, st.one_of(NAMED, STRINGS, ADDRESSES, SHORT, NAMED.map(b"\0\12".__add__), st.binary(max_size=20)))
def test_both_ways_give_the_same_text(type_name: str, data: bytes) -> None:
    assert plain.text(type_name, data) in (None, long_way(type_name, data))


@pytest.mark.parametrize(
    "type_name, data, text",
    [
        ("A", b"\xc0\0\2\1", "192.0.2.1"),
        ("AAAA", b"\x20\1\x0d\xb8" + bytes(11) + b"\1", "2001:db8::1"),
        ("PTR", b"\3MX1\7example\3org\0", "mx1.example.org."),
        ("NS", b"\0", "."),
        ("MX", b"\0\12\3mx1\0", "10 mx1."),
        ("MX", b"\0\0\0", "0 ."),  # RFC 7505
        ("TXT", b'\x0bv=spf1 -all\1;', '"v=spf1 -all" ";"'),
        ("TXT", b"\0", '""'),
    ],
)  # fmt: skip
def test_what_records_usually_look_like_is_read(type_name: str, data: bytes, text: str) -> None:
    assert plain.text(type_name, data) == text == long_way(type_name, data)


@pytest.mark.parametrize(
    "type_name, data",
    [
        ("A", b"\1\2\3"),
        ("AAAA", bytes(15)),
        ("AAAA", bytes(10) + b"\xff\xff\1\2\3\4"),
        ("PTR", b"\3a.b\0"),
        ("PTR", b"\3abc"),
        ("PTR", b"\1a\0\0"),
        ("PTR", b"\xc0\x0c"),
        ("PTR", sized([b"x" * 63] * 4) + b"\0"),
        ("MX", b"\0"),
        ("TXT", b""),
        ("TXT", b"\5abc"),
        ("TXT", b'\1"'),
        ("TXT", b"\1\xff"),
        ("SOA", b"\0"),
    ],
)
def test_anything_else_is_left_to_dnspython(type_name: str, data: bytes) -> None:
    assert plain.text(type_name, data) is None
