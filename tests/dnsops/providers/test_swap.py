"""Swaps, kept by every provider: what may stand at a name only once changes in one step, and never over a human's edit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dnsops.base.errors import ForUser, Later
from dnsops.providers.door import Change, Swap
from dnsops.providers.memory import Memory
from dnsops.providers.zonefile import ZoneFile
from dnsops.records.rdata import Record
from tests.dnsops.providers.places import STRANGERS, ZONE, Place, facts, record

SPF = record(ZONE, "TXT", '"v=spf1 mx -all"', 3600)
WIDER = record(ZONE, "TXT", '"v=spf1 mx include:spf.example.net -all"', 3600)
ALIAS = record("mail.example.org", "CNAME", "mx.example.org.")
OTHER = record("mail.example.org", "CNAME", "mx2.example.org.")
V4, V6 = record("mail.example.org", "A", "192.0.2.7"), record("mail.example.org", "AAAA", "2001:db8::7")
NO_MX, MX = record("parked.example.org", "MX", "0 ."), record("parked.example.org", "MX", "10 mx.example.org.")

SWAPS = [
    Swap((SPF,), (WIDER,)),  # a stranger's
    Swap((ALIAS,), (OTHER,)),
    Swap((ALIAS,), (V4, V6)),
    Swap((V4, V6), (ALIAS,)),
    Swap((NO_MX,), (MX,)),
    Swap((V4, V6), (V4,)),
    Swap((V4,), (replace(V4, ttl=900),)),
]


@pytest.mark.parametrize("swap", SWAPS, ids=lambda swap: f"{swap.old[0]} -> {swap.new[0]}")
def test_the_new_takes_the_olds_place_and_twice_is_as_good_as_once(place: Place, swap: Swap) -> None:
    place.provider.write(Change(add=tuple(one for one in swap.old if one is not SPF)))
    others = {one for one in STRANGERS if one is not SPF and one not in swap.old and one.type != SPF.type} | {SPF}
    for _ in range(2):
        place.provider.write(Change(swap=(swap,)))
        there = {one.record for one in place.provider.read(swap.new[0].name) if one.record.type != "SOA"}
        assert set(swap.new) <= there
        assert place.facts() == facts([*(others - set(swap.old)), *swap.new])


def test_many_swaps_in_one_change(place: Place) -> None:
    old = [record(f"h{number}.example.org", "A", "192.0.2.1") for number in range(120)]
    new = [record(f"h{number}.example.org", "A", "192.0.2.2") for number in range(120)]
    place.provider.write(Change(add=tuple(old)))
    swaps = tuple(Swap((a,), (b,)) for a, b in zip(old, new, strict=True))
    place.provider.write(Change(swap=swaps))
    assert place.facts() == facts([*STRANGERS, *new])


def test_where_a_human_was_nothing_is_swapped(place: Place) -> None:
    gone = record(ZONE, "TXT", '"v=spf1 a -all"')
    with pytest.raises(Later, match=f"{ZONE}: somebody changed its TXT records meanwhile"):
        place.provider.write(Change(swap=(Swap((gone,), (WIDER,)),)))
    assert place.facts() == facts(STRANGERS)


def test_a_human_made_the_same_change_before(place: Place) -> None:
    place.provider.write(Change(add=(WIDER,), remove=(SPF,)))
    place.provider.write(Change(swap=(Swap((SPF,), (WIDER,)),)))
    assert place.facts() == facts([*(one for one in STRANGERS if one != SPF), WIDER])


def test_an_alias_does_not_get_in_beside_other_records(place: Place) -> None:
    if isinstance(place.provider, Memory | ZoneFile):
        return  # they take what they are told
    place.provider.write(Change(add=(V4, V6)))
    with pytest.raises((ForUser, Later)):
        place.provider.write(Change(swap=(Swap((V4,), (ALIAS,)),)))
    assert place.facts() == facts([*STRANGERS, V4, V6])


def test_the_zone_of_a_name(place: Place) -> None:
    assert place.provider.zone_of("_25._tcp.MX.example.org.") == ZONE
    with pytest.raises(ForUser, match="xexample"):
        place.provider.zone_of("xexample.org")


@pytest.mark.parametrize(
    "old, new",
    [((), (V4,)), ((V4,), ()), ((V4,), (SPF,)), ((record("a.example.org", "TLSA", "3 1 1 " + "ab" * 32),), (V4,))],
)
def test_what_is_no_swap(old: tuple[Record, ...], new: tuple[Record, ...]) -> None:
    with pytest.raises(ValueError, match="swap"):
        Swap(old, new)
