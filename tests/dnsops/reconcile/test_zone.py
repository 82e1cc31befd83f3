"""The story of a zone's records: agreed lines only, ways back, additions, lagging servers; a fault and a kill at every step."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from dnsops.base.errors import Exit, ForUser, Later
from dnsops.plan.door import Plan, Step
from dnsops.reconcile import zone_report
from dnsops.reconcile.zone_files import Ledgers, read_saved
from dnsops.reconcile.zone_report import Action, action_of, status
from dnsops.reconcile.zone_target import Outcome, Terms
from dnsops.records.rdata import Record
from dnsops.resolve.answer import Security
from dnsops.resolve.memory import SERVERS
from dnsops.wanted.door import Wish
from tests.dnsops.plan.words import record, strangers, wish
from tests.dnsops.reconcile.zone_world import NOON, Killed, World

SPF, OTHERS_SPF = "@ TXT v=spf1 mx -all", "@ TXT v=spf1 include:a.example.net ~all"
FIRST = [
    wish("@ MX 10 mx1.example.org."),
    wish("mx1 A 192.0.2.25"),
    wish(SPF),
    wish("_dmarc TXT v=DMARC1; p=reject"),
    wish("mail CNAME mx1.example.org."),
    wish("old A 192.0.2.1"),
]
THEN = [
    wish("@ MX 10 mx1.example.org."),
    wish("mx1 A 192.0.2.26"),
    wish("@ TXT v=spf1 mx ip4:192.0.2.26 -all"),
    wish("_dmarc TXT v=DMARC1; p=reject; rua=mailto:a@example.org"),
    wish("mail A 192.0.2.26"),
    wish("new A 192.0.2.2"),
]
STRANGERS = ["www A 192.0.2.80", OTHERS_SPF, "@ TXT hello", "@ CAA 0 issue \"ca.example\""]  # fmt: skip


def texts(world: World) -> set[str]:
    return {str(one) for one in world.records}


def held_to_schema(outcomes: list[Outcome], dry_run: bool = False) -> None:
    document = zone_report.document(outcomes, dry_run, NOON)
    jsonschema.validate(json.loads(json.dumps(document)), zone_report.SCHEMA)


@pytest.fixture(params=[True, False], ids=["marks", "no marks"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    return World(tmp_path, strangers(*STRANGERS), request.param)


def test_a_plan_writes_nothing_and_reads_each_zone_once(world: World, tmp_path: Path) -> None:
    before = world.records
    outcomes = world.plan(FIRST)
    assert status(outcomes, dry_run=True) is Exit.PENDING
    assert (world.records, world.provider.reads, list(tmp_path.iterdir())) == (before, ["example.org"], [])
    held_to_schema(outcomes, dry_run=True)


def test_apply_then_plan_is_empty_and_undo_leads_back(world: World) -> None:
    bare = world.records
    for wishes in (FIRST, THEN):
        before = world.records
        done = world.apply(wishes)
        assert status(done, False) is Exit.OK
        assert all(one.well and one.security is Security.SECURE for one in done[0].seen)
        held_to_schema(done)
        assert status(world.plan(wishes), True) is Exit.OK
        world.undo()
        assert world.records == before
        world.undo()  # the way back from the way back
        assert status(world.plan(wishes), True) is Exit.OK
    world.limits = type(world.limits)(most=100)
    world.apply([])
    assert {str(one) for one in bare} - {str(record(OTHERS_SPF))} <= texts(world)
    assert len(world.records) == len(bare)


def test_two_zones_and_one_that_nobody_holds(world: World) -> None:
    other = Wish(Record("example.net", "A", 300, record("x A 192.0.2.1").data), "because")
    nobody = Wish(Record("example.com", "A", 300, record("x A 192.0.2.1").data), "because")
    done = world.apply([*FIRST, other, nobody])
    assert [(one.zone, action_of(one, False)) for one in done] == [
        ("example.org", Action.PUBLISH),
        ("example.net", Action.PUBLISH),
        ("", Action.REFUSE),
    ]
    with pytest.raises(ForUser, match=r"example\.com"):
        world.plan([nobody])


# a human between plan and apply (P-17)

Edit = Callable[[World], None]
EDITS: dict[str, tuple[Edit, str]] = {
    "took our record away": (lambda w: w.by_hand(remove=[record("old A 192.0.2.1")]), ""),
    "made the wanted record": (lambda w: w.by_hand(add=[record("new A 192.0.2.2")]), ""),
    "made another record there": (lambda w: w.by_hand(add=[record("new A 192.0.2.3")]), "new.example.org A"),
    "made an alias there": (lambda w: w.by_hand(add=[record("new CNAME www.example.org.")]), "new.example.org A"),
    "changed the SPF record": (
        lambda w: w.by_hand([record("@ TXT v=spf1 a ~all")], [record("@ TXT v=spf1 include:a.example.net mx ~all")]),
        "example.org TXT",
    ),
    "made a second DMARC record": (lambda w: w.by_hand([record("_dmarc TXT v=DMARC1; p=none")]), "_dmarc"),
}


@pytest.mark.parametrize("edit, left", EDITS.values(), ids=EDITS)
def test_a_line_that_a_human_touched_is_left_and_the_rest_goes_on(world: World, edit: Edit, left: str) -> None:
    world.apply(FIRST)
    plans = {one.zone: one.plan for one in world.plan(THEN) if one.plan}
    edit(world)
    touched = world.records
    done = world.apply(THEN, Terms(agreed=plans))
    findings = [str(finding) for finding in done[0].findings]
    assert left in findings[0] if left else not findings, findings
    assert record("mx1 A 192.0.2.26") in world.records, "the rest went on"
    assert not [one for one in touched - world.records if one not in _before(plans["example.org"])]


def _before(plan: Plan) -> set[Record | None]:
    return {item.before for item in plan.changes}


def test_what_was_not_agreed_to_is_not_done(world: World) -> None:
    plans = {one.zone: one.plan for one in world.plan(FIRST[:1]) if one.plan}
    world.apply(FIRST, Terms(agreed=plans))
    assert record("mx1 A 192.0.2.25") not in world.records
    assert record("@ MX 10 mx1.example.org.") in world.records


def test_more_removals_than_allowed_need_force(world: World) -> None:
    world.apply(FIRST)
    before = world.records
    done = world.apply(FIRST[:1])
    assert (status(done, False), world.records) == (Exit.FINDINGS, before)
    assert status(world.plan(FIRST[:1]), True) is Exit.FINDINGS
    world.apply(FIRST[:1], Terms(force=True))
    assert record("mx1 A 192.0.2.25") not in world.records


# the timer

ONLY = Terms(additions=True)


def test_the_timer_writes_nothing_where_nobody_applied_yet(world: World) -> None:
    before = world.records
    done = world.apply(FIRST, ONLY)
    assert (world.records, world.writes, status(done, False)) == (before, [], Exit.OK)


def test_the_timer_puts_back_what_is_ours_and_gone_and_tells_the_rest(world: World) -> None:
    world.apply(FIRST)
    world.by_hand(remove=[record("mx1 A 192.0.2.25")])
    done = world.apply(FIRST, ONLY)
    assert (record("mx1 A 192.0.2.25") in world.records, status(done, False)) == (True, Exit.OK)
    writes = len(world.writes)
    done = world.apply(THEN, ONLY)
    assert (len(world.writes), status(done, False)) == (writes, Exit.FINDINGS)
    assert "changes wait for a person" in str(done[0].findings[0])
    assert status(world.apply(FIRST, ONLY), False) is Exit.OK


def test_the_timer_does_not_fight_a_humans_record(world: World) -> None:
    world.apply(FIRST)
    world.by_hand([record("mx1 A 192.0.2.99")], [record("mx1 A 192.0.2.25")])
    after = world.records
    world.apply(FIRST, ONLY)
    assert world.records == after


# seeing


def test_a_server_that_lags_is_told_and_it_is_not_done(world: World) -> None:
    world.dns.lag(SERVERS[2].address)
    done = world.apply(FIRST)
    assert status(done, False) is Exit.LATER
    assert "ns2.example.org (192.0.2.2) does not show it yet" in str(done[0].findings[0])
    assert 30 < sum(world.naps) <= 60 * len(done[0].seen)
    world.dns.follow(SERVERS[2].address)
    assert status(world.apply(FIRST), False) is Exit.OK


def test_a_silent_server_a_bogus_zone_and_a_plain_one(world: World) -> None:
    world.dns.silence(SERVERS[2].address)
    assert status(world.apply(FIRST[:1]), False) is Exit.LATER
    world.dns.speak(SERVERS[2].address)
    world.dns.verdict("example.org", Security.BOGUS, "bad signature")
    assert status(world.apply(FIRST[:2]), False) is Exit.FINDINGS
    world.dns.verdict("example.org", Security.INSECURE)
    done = world.apply(FIRST)
    assert (status(done, False), {one.security for one in done[0].seen}) == (Exit.OK, {Security.INSECURE})


# faults and kills at every step


def at(number: int, error: BaseException, fired: list[str] | None = None) -> Callable[[str], None]:
    """fired: gets the step at which it was."""
    counter = itertools.count()

    def fault(step: str) -> None:
        if next(counter) == number:
            if fired is not None:
                fired.append(step)
            raise error

    return fault


def deliverable(world: World, before: set[Record]) -> None:
    """P-18, as an oracle: what a receiver needs is there, or was not there before either; nothing stands twice."""
    there = world.records
    for name, kind in {(one.name, one.type) for one in before if one.name != "old.example.org"}:
        if (name, kind) != ("mail.example.org", "CNAME"):
            assert any((one.name, one.type) == (name, kind) for one in there), (name, kind)
    assert any(one.name == "mail.example.org" for one in there) or not before & {record("mail CNAME mx1.example.org.")}
    for beginning in ("v=spf1", "v=DMARC1"):
        found = [one for one in there if one.type == "TXT" and beginning in str(one.data)]
        assert len(found) == len({one.name for one in found}), "two of a kind at one name"
    aliases = {one.name for one in there if one.type == "CNAME"}
    assert not [one for one in there if one.name in aliases and one.type != "CNAME"]


@pytest.mark.parametrize("marks", [True, False], ids=["marks", "no marks"])
@pytest.mark.parametrize("error", [Killed(), Later("the provider is down"), ForUser("the token is wrong")], ids=repr)
def test_a_fault_or_a_kill_at_every_step_and_then_a_run(tmp_path: Path, error: BaseException, marks: bool) -> None:
    wanted = _finished(tmp_path, marks)
    for number in itertools.count():
        world = World(tmp_path / str(number), strangers(*STRANGERS), marks)
        world.apply(FIRST)
        fired: list[str] = []
        before, world.fault = world.records, at(number, error, fired)
        unharmed = _runs_through(world) and not fired
        world.fault = lambda step: None
        deliverable(world, before)
        assert status(world.apply(THEN), False) is Exit.OK
        assert status(world.plan(THEN), True) is Exit.OK
        assert texts(world) == wanted
        if unharmed:
            assert number > 8, "it was really at every step"
            return


def _runs_through(world: World) -> bool:
    try:
        return status(world.apply(THEN), False) is Exit.OK
    except (Killed, Later, ForUser):
        return False


def _finished(tmp_path: Path, marks: bool) -> set[str]:
    world = World(tmp_path / f"whole{marks}{len(list(tmp_path.iterdir()))}", strangers(*STRANGERS), marks)
    world.apply(FIRST)
    world.apply(THEN)
    return texts(world)


def test_an_undo_that_is_killed_at_every_step_is_done_by_the_next(tmp_path: Path) -> None:
    for number in itertools.count():
        world = World(tmp_path / str(number), strangers(*STRANGERS))
        world.apply(FIRST)
        before = world.records
        world.apply(THEN)
        way = world.outside().ways_back.newest()
        world.fault = at(number, Killed())
        try:
            world.undo()
        except Killed:
            world.fault = lambda step: None
            deliverable(world, before)
            _undo(world, way)
            assert world.records == before
        else:
            assert (world.records, number > 6) == (before, True)
            return


def _undo(world: World, way: Path) -> None:
    import asyncio

    from dnsops.reconcile import zone

    asyncio.run(zone.undo(read_saved(way), world.outside()))


# disks


def test_a_damaged_ledger_stops_its_zone_and_says_what_to_do(world: World, tmp_path: Path) -> None:
    world.apply(FIRST)
    path = tmp_path / "dns" / "ledger" / "example.org.json"
    path.write_text(path.read_text()[:-20])
    before = world.records
    done = world.apply(THEN)
    assert (status(done, False), world.records) == (Exit.FINDINGS, before)
    assert "move it away" in str(done[0].error)
    path.unlink()
    assert status(world.apply(FIRST), False) is Exit.OK
    assert Ledgers(tmp_path / "dns").load("example.org").records


def test_a_plan_is_saved_and_read_again(world: World, tmp_path: Path) -> None:
    from dnsops.plan.saved import Kind, Saved, read, write

    plans = tuple(one.plan for one in world.plan(FIRST) if one.plan)
    again = read(write(Saved(Kind.PLAN, "2026-01-01T12:00:00+00:00", plans)))
    assert again.plans[0].changes == plans[0].changes
    assert again.plans[0].fingerprint == plans[0].fingerprint
    world.apply(FIRST, Terms(agreed={plan.zone: plan for plan in again.plans}))
    assert not [item for one in world.plan(FIRST) for item in (one.plan.items if one.plan else ()) if item.step is Step.ADD]  # fmt: skip
