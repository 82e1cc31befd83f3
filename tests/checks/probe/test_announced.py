"""RISwhois's and Routinator's words, and the weather in them."""

from __future__ import annotations

import json
import random

import pytest

from checks.facts.routing import Validity
from checks.probe.announced import Announcement, Judged, announcements, asked, validity, worldwide

OBJECT = "route: 192.0.2.0/24\norigin: AS64496\nnum-rispeers: 300\n"
SIX = "route6: 2001:db8::/32\norigin: AS64497\nnum-rispeers: 10\n"


@pytest.mark.parametrize(
    "text, found",
    [
        (OBJECT, [(64496, "192.0.2.0/24")]),
        (f"% comment\r\n\r\n{OBJECT}\r\n{SIX}", [(64496, "192.0.2.0/24"), (64497, "2001:db8::/32")]),
        (OBJECT + "\n" + OBJECT, [(64496, "192.0.2.0/24")]),
        (OBJECT.replace("300", "9"), []),  # too few see it
        (OBJECT.replace("AS64496", "as64496 # comment"), [(64496, "192.0.2.0/24")]),
        (OBJECT.replace("AS64496", "{64496}"), []),
        (OBJECT.replace("192.0.2.0/24", "192.0.2.0/99"), []),
        (OBJECT.replace("num-rispeers: 300\n", ""), []),
        ("% no route\n\n", []),
        ("", []),
    ],
)
def test_routes_that_enough_peers_see(text: str, found: list[tuple[int, str]]) -> None:
    assert announcements(text) == tuple(Announcement(*one) for one in found)


def test_no_answer_is_too_odd_to_be_read() -> None:
    for seed in range(300):
        chance = random.Random(seed)
        text = "".join(
            chance.choice((OBJECT, SIX, "\n", ":", "route:", "origin: AS", "\x00", "9" * 40, "\n\n")) for _ in range(30)
        )
        assert len(announcements(text)) <= 30
    assert len(announcements("\n".join(OBJECT.replace("64496", str(asn)) for asn in range(1, 500)))) == 100


def told(state: str, **groups: int) -> bytes:
    vrps: dict[str, list[object]] = {group: [{}] * count for group, count in groups.items()}
    return json.dumps({"validated_route": {"validity": {"state": state, "reason": "as", "VRPs": vrps}}}).encode()


@pytest.mark.parametrize(
    "document, found",
    [
        (told("valid", matched=2, unmatched_as=1), Judged(Validity.VALID, 3, "as")),
        (told("invalid", unmatched_as=1, unmatched_length=1), Judged(Validity.INVALID, 2, "as")),
        (told("not-found"), Judged(Validity.NOT_FOUND, 0, "as")),
    ],
)
def test_what_routinator_says(document: bytes, found: Judged) -> None:
    assert validity(document) == found


@pytest.mark.parametrize(
    "document", [b"", b"[]", b"{}", b'{"validated_route": 1}', told("perhaps"), b"[" * 100_000, b" " * (2 << 20)]
)
def test_what_routinator_would_never_say(document: bytes) -> None:
    with pytest.raises(ValueError):
        validity(document)


@pytest.mark.parametrize(
    "address, first, everywhere",
    [
        ("192.0.2.77", "192.0.2.0", False),
        ("2001:db8:1:2::3", "2001:db8:1::", False),
        ("9.9.9.9", "9.9.9.0", True),
        ("2620:fe::fe", "2620:fe::", True),
        ("10.1.2.3", "10.1.2.0", False),
    ],
)
def test_addresses_are_cut_before_anybody_is_asked(address: str, first: str, everywhere: bool) -> None:
    assert asked(address) == first
    assert worldwide(address) is everywhere
