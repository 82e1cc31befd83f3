"""The short reader says what the long one says, dnspython's, or nothing."""

from __future__ import annotations

import random
from itertools import pairwise

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset
import pytest
from dns.edns import EDEOption, GenericOption
from hypothesis import given, settings
from hypothesis import strategies as st

from dnsops.resolve import packet, reading
from dnsops.resolve.packet import Seen

HASH = "ab" * 32
LABELS = st.sampled_from(["a", "B", "mx1", "_25", "*", "x" * 63, "o'hara+x=y", "A", "example"])
NAMES = (
    st.lists(LABELS, max_size=4)
    .map(lambda labels: ".".join([*labels, "example", "org"]))
    .filter(lambda name: len(name) <= 253)  # RFC 1035 2.3.4
)
TTLS = st.sampled_from([0, 1, 60, 3600, 0x7FFFFFFF])


def code(kind: str) -> int:
    return int(dns.rdatatype.from_text(kind))


def long_reading(octets: bytes, name: str, kind: str) -> Seen | None:
    """By dnspython, which refuses what is malformed."""
    message = reading.parse(octets)
    if message is None:
        return None
    read = reading.read(message, name, kind)
    return Seen(
        read.canonical, read.ttl, read.wildcard, read.zone, tuple(number for number, _ in reading.extended(message))
    )


def built(
    name: str, kind: str, answer: list[str], authority: list[str] | None = None, ede: list[int] | None = None
) -> bytes:
    """A packet with these records, names compressed as servers do it."""
    message = dns.message.make_response(dns.message.make_query(name + ".", kind, want_dnssec=True))
    message.flags |= dns.flags.RA | dns.flags.AD
    for section, lines in ((message.answer, answer), (message.authority, authority or [])):
        for line in lines:
            owner, ttl, type_name, data = line.split(" ", 3)
            section.append(dns.rrset.from_text(owner, int(ttl), "IN", type_name, data))
    message.use_edns(0, options=[EDEOption(number, "why") for number in ede or []])  # type: ignore[arg-type]
    return message.to_wire(max_size=65535)


def rrsig(owner: str, kind: str, labels: int, signer: str) -> str:
    return f"{owner}. 60 RRSIG {kind} 13 {labels} 60 20260101000000 20250101000000 1 {signer}. AAAA"


@st.composite
def packets(draw: st.DrawFn) -> tuple[bytes, str, str]:
    """An answer as it may come, and the question."""
    chain = [draw(NAMES) for _ in range(draw(st.integers(1, 4)))]
    kind = draw(st.sampled_from(["A", "TXT", "MX", "TLSA", "CNAME", "PTR", "SOA"]))
    answer = [f"{one}. {draw(TTLS)} CNAME {other}." for one, other in pairwise(chain)]
    data = {
        "A": "192.0.2.1", "TXT": '"v=spf1 -all"', "MX": f"10 {draw(NAMES)}.", "TLSA": f"3 1 1 {HASH}",
        "CNAME": f"{draw(NAMES)}.", "PTR": f"{draw(NAMES)}.", "SOA": "n. h. 1 2 3 4 30",
    }[kind]  # fmt: skip
    if draw(st.booleans()):
        answer.append(f"{chain[-1]}. {draw(TTLS)} {kind} {data}")
    if draw(st.booleans()):
        owner = draw(st.sampled_from(chain))
        signer = draw(st.sampled_from(["example.org", "org", owner, "example.net"]))
        answer.append(rrsig(owner, draw(st.sampled_from([kind, "CNAME"])), draw(st.integers(0, 6)), signer))
    zone = draw(st.sampled_from(["example.org.", "org.", ".", "example.net.", f"{chain[-1]}."]))
    authority = [f"{zone} {draw(TTLS)} SOA n.{zone.lstrip('.')} h. 1 2 3 4 {draw(TTLS)}"] if draw(st.booleans()) else []
    ede = draw(st.lists(st.sampled_from([6, 7, 10, 9999]), max_size=2))
    draw(st.randoms(use_true_random=False)).shuffle(answer)
    return built(chain[0], kind, answer, authority, ede), chain[0].lower(), kind


@settings(deadline=None, max_examples=300)
@given(packets())
def test_both_readers_say_the_same(made: tuple[bytes, str, str]) -> None:
    octets, name, kind = made
    short = packet.read(octets, name, code(kind))
    assert short in (None, long_reading(octets, name, kind))


@settings(deadline=None, max_examples=300)
@given(packets(), st.integers(0, 2**32))
def test_of_a_damaged_packet_it_says_the_same_or_nothing(made: tuple[bytes, str, str], seed: int) -> None:
    """Nothing is raised, and where dnspython takes the packet both say the same."""
    octets, name, kind = made
    rng, damaged = random.Random(seed), bytearray(octets)
    for _ in range(rng.randint(1, 4)):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    cut = bytes(damaged[: rng.randrange(len(damaged) + 1)] if rng.random() < 0.3 else damaged)
    short, long = packet.read(cut, name, code(kind)), long_reading(cut, name, kind)
    assert long is None or short in (None, long)


@pytest.mark.parametrize(
    "name, kind, answer, authority, seen",
    [
        ("a.example.org", "A", ["a.example.org. 60 A 192.0.2.1"], [], Seen("a.example.org", 60)),
        (
            "a.example.org",
            "A",
            ["a.example.org. 60 A 192.0.2.1", rrsig("a.example.org", "A", 2, "example.org")],
            [],
            Seen("a.example.org", 60, "*.example.org", "example.org"),
        ),
        ("a.example.org", "A", [], ["example.org. 600 SOA n. h. 1 2 3 4 30"], Seen("a.example.org", 30, "", "example.org")),
        ("a.example.org", "A", [], [". 20 SOA n. h. 1 2 3 4 30"], Seen("a.example.org", 20, "", "")),
        (
            "a.example.org",
            "TXT",
            ["a.example.org. 30 CNAME B.Example.net.", 'b.example.net. 600 TXT "x"', rrsig("b.example.net", "TXT", 3, "net")],
            [],
            Seen("b.example.net", 600, "", "net"),
        ),
        ("", "SOA", [". 60 SOA n. h. 1 2 3 4 30", rrsig("", "SOA", 0, "")], [], Seen("", 60, "", "")),
    ],
)  # fmt: skip
def test_what_answers_usually_look_like_is_read(
    name: str, kind: str, answer: list[str], authority: list[str], seen: Seen
) -> None:
    assert packet.read(built(name, kind, answer, authority), name, code(kind)) == seen


def test_extended_errors_come_with_it() -> None:
    octets = built("a.example.org", "A", [], [], [7, 9999])
    assert packet.read(octets, "a.example.org", 1) == Seen("a.example.org", ede=(7, 9999))


@pytest.mark.parametrize(
    "name, kind, answer",
    [
        ("a.example.org", "A", [r"a.example.org. 60 CNAME b\032c.example.org."]),  # text that needs a backslash
        ("a.example.org", "RRSIG", ["a.example.org. 60 A 192.0.2.1"]),
        (
            "a.example.org",
            "A",
            ["a.example.org. 60 CNAME b.example.org.", "a.example.org. 60 CNAME c.example.org."],
        ),
        ("b$.example.org", "A", []),
    ],
)
def test_what_is_odd_is_left_to_the_other_reader(name: str, kind: str, answer: list[str]) -> None:
    assert packet.read(built(name, kind, answer), name, code(kind)) is None


def test_names_that_lead_round_in_circles_end() -> None:
    octets = bytearray(built("a.example.org", "A", ["a.example.org. 60 A 192.0.2.1"]))
    place = octets.index(b"\xc0\x0c")
    octets[place : place + 2] = bytes((0xC0, place))
    assert packet.read(bytes(octets), "a.example.org", 1) is None


def test_options_that_run_over_are_refused() -> None:
    message = dns.message.make_query("a.example.org", "A", use_edns=0)
    message.use_edns(0, options=[GenericOption(15, b"\x00")])
    assert packet.read(message.to_wire(), "a.example.org", 1) is None
