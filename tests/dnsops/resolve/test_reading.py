"""What a packet says: aliases, wildcards by the signature's labels, negative answers, and no packet that hurts us."""

from __future__ import annotations

import random

import dns.message
import pytest
from dns.edns import EDECode, EDEOption

from dnsops.base.errors import ForUser
from dnsops.resolve import reading
from dnsops.resolve.reading import Reading
from tests.dnsops.resolve.stub import message

HASH = "ab" * 32


def said(
    name: str, kind: str, *records: str, authority: tuple[str, ...] = (), rcode: str = "NOERROR"
) -> dns.message.Message:
    query = dns.message.make_query(name, kind, want_dnssec=True)
    built = message(query, *records, authority=authority, rcode=rcode)
    parsed = reading.parse(built.to_wire())
    assert parsed is not None
    return parsed


def rrsig(name: str, kind: str, labels: int, signer: str = "example.org") -> str:
    return f"{name}. 60 RRSIG {kind} 13 {labels} 60 20260101000000 20250101000000 1 {signer}. AAAA"


@pytest.mark.parametrize(
    "owner, labels, wildcard",  # RFC 4034 3.1.3
    [
        ("a.example.org", 3, ""),
        ("a.example.org", 2, "*.example.org"),
        ("a.b.c.example.org", 2, "*.example.org"),
        ("a.b.c.example.org", 4, "*.b.c.example.org"),
        ("*.example.org", 2, ""),  # the wildcard itself was asked for
        ("a.*.example.org", 3, "*.*.example.org"),
        ("a.example.org", 9, ""),  # nonsense is no wildcard
        ("example.org", 0, "*"),
    ],
)
def test_the_labels_of_a_signature_tell_the_wildcard(owner: str, labels: int, wildcard: str) -> None:
    answer = said(owner, "A", f"{owner}. 60 A 192.0.2.1", rrsig(owner, "A", labels))
    read = reading.read(answer, owner, "A")
    assert (read.wildcard, read.zone) == (wildcard, "example.org")


def test_a_signature_of_a_stranger_tells_nothing() -> None:
    answer = said("a.example.org", "A", "a.example.org. 60 A 192.0.2.1", rrsig("a.example.org", "A", 2, "example.net"))
    assert reading.read(answer, "a.example.org", "A") == Reading("a.example.org", (b"\xc0\x00\x02\x01",), 60)


def test_aliases_are_followed_and_the_last_name_is_told() -> None:
    answer = said(
        "_25._tcp.mx1.example.org",
        "TLSA",
        "_25._tcp.mx1.example.org. 30 CNAME _Dane.Example.org.",
        "_dane.example.org. 10 CNAME _dane.example.net.",
        f"_dane.example.net. 600 TLSA 3 1 1 {HASH}",
        rrsig("_dane.example.net", "TLSA", 3, "example.net"),
    )
    read = reading.read(answer, "_25._tcp.mx1.example.org", "TLSA")
    assert (read.canonical, read.ttl, read.wildcard, read.zone) == ("_dane.example.net", 600, "", "example.net")
    assert {str(item) for item in reading.items("TLSA", read.data or ())} == {f"3 1 1 {HASH}"}


def test_a_question_for_the_alias_itself_stays_there() -> None:
    answer = said("a.example.org", "CNAME", "a.example.org. 60 CNAME b.example.org.")
    assert reading.read(answer, "a.example.org", "CNAME").canonical == "a.example.org"
    assert reading.alias(answer, "a.example.org") == "b.example.org"


def test_a_loop_of_aliases_ends() -> None:
    answer = said(
        "a.example.org", "A", "a.example.org. 60 CNAME b.example.org.", "b.example.org. 60 CNAME a.example.org."
    )
    assert reading.read(answer, "a.example.org", "A").data is None


@pytest.mark.parametrize(
    "owner, soa, ttl, zone",  # RFC 2308 5: the smaller of the SOA's TTL and its minimum
    [
        ("a.example.org", "example.org. 600 SOA n. h. 1 2 3 4 30", 30, "example.org"),
        ("a.example.org", "example.org. 20 SOA n. h. 1 2 3 4 30", 20, "example.org"),
        ("a.example.org", ". 20 SOA n. h. 1 2 3 4 30", 20, ""),
        ("a.example.org", "example.net. 20 SOA n. h. 1 2 3 4 30", 0, None),  # a stranger's
    ],
)
def test_a_negative_answer_names_its_zone(owner: str, soa: str, ttl: int, zone: str | None) -> None:
    read = reading.read(said(owner, "A", authority=(soa,), rcode="NXDOMAIN"), owner, "A")
    assert read == Reading(owner, None, ttl, "", zone)


def test_odd_names_come_back_as_text() -> None:
    answer = said("a.example.org", "A", r"a.example.org. 60 CNAME b\032\000\.c.example.org.")
    assert reading.read(answer, "a.example.org", "A").canonical == r"b\032\000\.c.example.org"


def test_the_root_is_the_empty_name() -> None:
    answer = said(".", "SOA", ". 60 SOA n. h. 1 2 3 4 30", rrsig("", "SOA", 0, ""))
    assert reading.read(answer, "", "SOA").canonical == ""
    assert reading.read(answer, "", "SOA").zone == ""


def test_extended_errors_come_with_code_and_text() -> None:
    query = dns.message.make_query("a.example.org", "A", use_edns=0)
    response = message(query, rcode="SERVFAIL")
    response.use_edns(0, options=[EDEOption(EDECode.SIGNATURE_EXPIRED, "expired"), EDEOption(EDECode.make(9999), None)])
    parsed = reading.parse(response.to_wire())
    assert parsed is not None
    assert reading.extended(parsed) == ((7, "expired"), (9999, ""))


@pytest.mark.parametrize(
    "type_name, wire", [("TLSA", b"\x03\x01"), ("A", b"\x01"), ("MX", b"\x00\x0a"), ("TXT", b"\x09a")]
)
def test_rdata_that_is_none_is_refused(type_name: str, wire: bytes) -> None:
    with pytest.raises(ForUser):
        reading.items(type_name, [wire])


@pytest.mark.parametrize("seed", range(40))
def test_no_packet_raises(seed: int) -> None:
    rng = random.Random(seed)
    base = bytearray(
        said(
            "a.example.org", "TLSA", f"a.example.org. 60 TLSA 3 1 1 {HASH}", rrsig("a.example.org", "TLSA", 2)
        ).to_wire()
    )
    for _ in range(50):
        packet = bytearray(base)
        for _ in range(rng.randint(1, 6)):
            packet[rng.randrange(len(packet))] = rng.randrange(256)
        packet = packet[: rng.randrange(len(packet) + 1)] if rng.random() < 0.3 else packet
        for lenient in (False, True):
            parsed = reading.parse(bytes(packet), lenient)
            if parsed is None:
                continue
            read = reading.read(parsed, "a.example.org", "TLSA")
            reading.extended(parsed), reading.rcode(parsed), reading.alias(parsed, "a.example.org")
            assert read.ttl >= 0
