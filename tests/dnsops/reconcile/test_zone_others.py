"""The story of a zone's records, and others: a provider that would not let us, and a human who writes in the same moment."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from dnsops.base.errors import Exit, Later
from dnsops.providers.door import Access, Grade
from dnsops.reconcile.zone_report import status
from dnsops.reconcile.zone_target import Outcome
from dnsops.records.rdata import Record
from dnsops.wanted.door import Wish
from tests.dnsops.plan.words import record, strangers, wish
from tests.dnsops.reconcile.zone_world import World

WISHES = [wish("mx1 A 192.0.2.25"), wish("@ TXT v=spf1 mx -all"), wish("_dmarc TXT v=DMARC1; p=reject")]
HUMANS = {"@": "@ TXT v=spf1 include:a.example.net ~all", "_dmarc": "_dmarc TXT v=DMARC1; p=none"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, strangers("www A 192.0.2.80"))


# what the provider would let us do


def saying(*some: Access) -> Callable[[Sequence[str]], tuple[Access, ...]]:
    return lambda zones: some


@pytest.mark.parametrize(
    "access, written, exit_status, said",
    [
        (Access("example.org", Grade.FINE, "it can"), True, Exit.OK, ""),
        (Access("example.org", Grade.UNKNOWN, "octoDNS can read it"), True, Exit.OK, ""),
        (Access("", Grade.WIDE, "the token also sees 3 other zones", "make one"), True, Exit.OK, "3 other zones - make one"),
        (Access("example.org", Grade.LACKING, "it cannot change it", "give it DNS:Edit"), False, Exit.FINDINGS,
         "example.org: it cannot change it - give it DNS:Edit"),
        (Access("", Grade.LACKING, "the token is disabled", "make one"), False, Exit.FINDINGS, "the token is disabled"),
        (Access("example.net", Grade.LACKING, "it cannot change it"), True, Exit.OK, ""),
    ],
    ids=lambda value: getattr(value, "what", None),
)  # fmt: skip
def test_rights_are_asked_before_the_first_write(
    world: World, access: Access, written: bool, exit_status: Exit, said: str
) -> None:
    world.provider.access = saying(access)
    done = world.apply(WISHES)
    assert (bool(world.writes), status(done, False)) == (written, exit_status)
    assert said in f"{done[0].error} {' '.join(map(str, done[0].findings))}"
    assert any((world.directory / "dns").glob("undo-*")) is written, "no way back from what is not begun"


def test_one_zone_is_refused_and_the_other_goes_on(world: World) -> None:
    world.provider.access = saying(Access("example.org", Grade.LACKING, "no"))
    other = replace(record("mx2 A 192.0.2.26"), name="mx2.example.net")
    done = {one.zone: one for one in world.apply([*WISHES, Wish(other, "because")])}
    assert str(done["example.org"].error) == "example.org: no"
    assert done["example.net"].error is None
    assert {str(one.name) for change in world.writes for one in change.add} == {"mx2.example.net"}


def test_an_api_that_answers_neither_yes_nor_no_is_found_out_by_writing(world: World) -> None:
    def silent(zones: Sequence[str]) -> tuple[Access, ...]:
        raise Later("nobody answers")

    world.provider.access = silent
    assert status(world.apply(WISHES), False) is Exit.OK


def test_nobody_is_asked_when_there_is_nothing_to_write(world: World) -> None:
    world.apply(WISHES)
    world.provider.access = saying(Access("", Grade.LACKING, "the token has expired"))
    assert status(world.apply(WISHES), False) is Exit.OK


# a human in the same moment


def at_step(world: World, number: int, theirs: Record) -> list[Record]:
    """A human writes his before our step of this number; he is in the list once he was there."""
    counter, was_there = itertools.count(), list[Record]()

    def fault(step: str) -> None:
        if next(counter) == number:
            was_there.append(theirs)
            world.by_hand([theirs])

    world.fault = fault
    return was_there


@pytest.mark.parametrize("place", HUMANS)
@pytest.mark.parametrize("marks", [True, False], ids=["marks", "no marks"])
def test_a_human_adds_another_before_any_of_our_steps(tmp_path: Path, place: str, marks: bool) -> None:
    """Never two of a kind while we could see it; what the human wrote stands, and the next plan knows him as a stranger."""
    theirs = record(HUMANS[place])
    taken = 0
    for number in itertools.count():
        world = World(tmp_path / str(number), strangers("www A 192.0.2.80"), marks)
        was_there = at_step(world, number, theirs)
        done = world.apply(WISHES)
        world.fault = lambda step: None
        if not was_there:
            break
        late = _kept(theirs, done[0])
        there = [one for one in world.records if one.type == "TXT" and one.name == theirs.name]
        assert theirs in there or len(there) == 1, "merged into one, or as it was"
        assert len(there) == 1 or late
        if any("ours was taken back" in str(one) for one in done[0].findings):
            taken += 1
            assert there == [theirs]
            assert status(done, False) is Exit.FINDINGS
            _knows_a_stranger(world, theirs)
    assert taken >= 2, "before our write, and after it"


def _kept(theirs: Record, done: Outcome) -> bool:
    """Ours is told as done: he came after we had looked again."""
    return any(item.record.name == theirs.name for item in done.done)


def _knows_a_stranger(world: World, theirs: Record) -> None:
    plan = world.plan(WISHES)[0].plan
    assert plan
    lines = [item for item in plan.items if item.record.name == theirs.name]
    assert [item.before for item in lines] == [theirs]
    world.apply(WISHES)
    assert len([one for one in world.records if one.name == theirs.name and one.type == "TXT"]) == 1
