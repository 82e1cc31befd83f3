"""Keys, digests and signatures as the RFCs and dnspython count them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dns.dnssec
import dns.name
import dns.rdata
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnsops.base.errors import ForUser
from dnsops.records.dnssec import Ds, Key, Nsec3, Signature, ahead, serial_of
from dnsops.records.rdata import from_wire, parse

# RFC 4034 5.4: a key, and its DS
DSKEY = (
    "256 3 5 AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvxegXd/M5+"
    "X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw=="
)
DS = "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"
# RFC 4509 2.3: the same key with SHA-256
DS256 = "60485 5 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A"
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def test_a_key_has_the_tag_and_the_digests_of_the_rfcs() -> None:
    key = Key.of(parse("DNSKEY", DSKEY))
    assert key.tag == 60485
    assert key.bits == 1024
    for text in (DS, DS256):
        ds = Ds.of(parse("DS", text))
        assert ds.is_of(key, "dskey.example.com")
        assert not ds.is_of(key, "dskey.example.net")
    assert Ds.of(parse("CDS", "0 0 0 00")).deletes


@given(
    flags=st.sampled_from([256, 257, 385, 0]),
    algorithm=st.sampled_from([1, 5, 8, 13, 15, 200]),
    public=st.binary(min_size=4, max_size=300),
    kind=st.sampled_from([1, 2, 4]),
)
def test_tags_and_digests_are_those_of_dnspython(flags: int, algorithm: int, public: bytes, kind: int) -> None:
    raw = flags.to_bytes(2, "big") + bytes((3, algorithm)) + public
    theirs = dns.rdata.from_wire("IN", "DNSKEY", raw, 0, len(raw))
    ours = Key.of(from_wire("DNSKEY", raw))
    assert ours.tag == dns.dnssec.key_id(theirs)
    policy = dns.dnssec.allow_all_policy
    made = dns.dnssec.make_ds(dns.name.from_text("a.example."), theirs, kind, policy=policy)
    assert ours.digest("a.example", kind) == made.digest


def test_times_are_read_around_now() -> None:
    text = "A 13 2 300 20261210000000 20261120000000 4711 example.org. AAAA"
    one = Signature.of(parse("RRSIG", text))
    assert (one.tag, one.algorithm, one.labels, one.ttl) == (4711, 13, 2, 300)
    assert one.until(NOW) == datetime(2026, 12, 10, tzinfo=UTC)
    assert one.since(NOW) == datetime(2026, 11, 20, tzinfo=UTC)
    after = datetime(2106, 2, 7, 7, tzinfo=UTC)  # 32 bits are over at 06:28:16
    late = Signature(1, 13, 2, 300, 3600, 2**32 - 3600, 1)
    assert late.until(after) - late.since(after) == timedelta(hours=2)


@pytest.mark.parametrize(
    "one, other, expected",
    [(2, 1, True), (1, 2, False), (1, 1, False), (0, 2**32 - 1, True), (2**31, 0, None), (2**31 - 1, 0, True)],
)
def test_serial_numbers_go_round(one: int, other: int, expected: bool | None) -> None:
    assert ahead(one, other) is expected


def test_what_is_too_short_is_said() -> None:
    assert serial_of(parse("SOA", "ns. h. 7 1 1 1 1")) == 7
    assert Nsec3.of(parse("NSEC3PARAM", "1 0 12 aabb")) == Nsec3(1, 0, 12, b"\xaa\xbb")
    for of in (Key.of, Ds.of, Signature.of, Nsec3.of):
        with pytest.raises(ForUser, match="octets"):
            of(parse("TXT", '"a"'))
    with pytest.raises(ForUser, match="malformed"):  # a key without a key, as a hostile server may send it
        Key.of(from_wire("DNSKEY", bytes(4)))
    with pytest.raises(ForUser, match="SOA"):
        serial_of(parse("TXT", '"a"'))
