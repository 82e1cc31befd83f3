"""Ways in which a record could leave, a key be switched, or a first record appear, when it must not: each was possible once."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dnsops.base.errors import Exit, ForUser, Later
from dnsops.base.log import Log
from dnsops.certs.chain import Chain
from dnsops.providers.door import Mark
from dnsops.reconcile import outside
from dnsops.reconcile.ledgers import Ledgers
from dnsops.reconcile.report import status
from dnsops.reconcile.telling import findings_of
from dnsops.resolve.answer import Security
from dnsops.rollover import ledger as ledger_form
from dnsops.rollover.ledger import Ledger
from dnsops.rollover.machine import Phase
from tests.dnsops.certificates import chain
from tests.dnsops.reconcile.test_own_keys import Own, live
from tests.dnsops.reconcile.test_tlsa import said
from tests.dnsops.reconcile.world import ADDRESSES, HOST, OWNER, TTL, FixedSource, World, policy, record, texts

OLD, NEW = chain("old"), chain("new")
SECOND = chain("second", "mx2.example.org")
SHARED = "dane.example.org"


class Nowhere:
    def read(self, host: str) -> Chain:
        raise ForUser("is not there", "/etc/ssl/mx2.pem", "name another file")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """In sync: the old key is served and published by us."""
    made = World(tmp_path, OLD)
    made.provider.by_hand(OWNER, record(OLD), mark=Mark.OURS)
    return made


@pytest.fixture
def shared(world: World) -> World:
    """Two hosts whose TLSA names are aliases of one place."""
    world.provider.by_hand(OWNER)
    for host in (HOST, "mx2.example.org"):
        world.dns.put(f"_25._tcp.{host}", "CNAME", f"{SHARED}.")
    world.dns.put("mx2.example.org", "A", "192.0.2.26")
    world.ports["192.0.2.26", 25] = SECOND
    world.targets = [world.target(), world.target(host="mx2.example.org", sources=(FixedSource(SECOND),))]
    run(world, 3)
    assert world.published(SHARED) == texts(OLD, SECOND)
    return world


def run(world: World, times: int = 6) -> None:
    for _ in range(times):
        world.run()
        world.pass_time(seconds=2 * TTL)


# removals


def test_a_host_of_the_same_place_that_is_not_in_this_run_keeps_its_record(shared: World) -> None:
    first, second = shared.targets
    shared.targets = [first]
    run(shared)
    assert shared.published(SHARED) == texts(OLD, SECOND)
    assert f"{record(SECOND).short} is kept for _25._tcp.mx2.example.org" in said(shared)
    shared.targets = [second]
    run(shared)
    assert shared.published(SHARED) == texts(OLD, SECOND)


def test_a_host_of_the_same_place_whose_own_name_fails_keeps_its_record(shared: World) -> None:
    shared.dns.verdict("_25._tcp.mx2.example.org", Security.FAILED)
    run(shared)
    assert shared.published(SHARED) == texts(OLD, SECOND)


def test_a_host_of_the_same_place_whose_source_fails_keeps_its_record_and_stops_no_addition(shared: World) -> None:
    first, second = shared.targets
    shared.source.chain = NEW
    shared.ports = {where: NEW if face is OLD else face for where, face in shared.ports.items()}
    shared.targets = [first, replace(second, sources=(Nowhere(),))]
    outcomes = shared.run()
    assert status(outcomes, False) is Exit.FINDINGS
    assert "/etc/ssl/mx2.pem: is not there" in said(shared)
    run(shared)
    assert shared.published(SHARED) == texts(OLD, NEW, SECOND)


def test_a_host_that_left_the_place_by_its_alias_frees_its_record(shared: World) -> None:
    shared.dns.put("_25._tcp.mx2.example.org", "CNAME", "other.example.org.")
    run(shared)
    assert (shared.published(SHARED), shared.published("other.example.org")) == (texts(OLD), texts(SECOND))


def test_a_host_that_is_gone_for_good_is_let_go_by_a_person(shared: World) -> None:
    shared.targets = shared.targets[:1]
    shared.policy(adopt=True)
    run(shared)
    assert shared.published(SHARED) == texts(OLD)


@pytest.mark.parametrize("verdict", [Security.FAILED, Security.BOGUS])
def test_addresses_that_cannot_be_looked_up_stop_removals(world: World, verdict: Security) -> None:
    """The look-up of A fails: nobody knows which key IPv4 shows."""

    class Deaf:
        by = "deaf to A"

        async def ask(self, name: str, type_name: str) -> object:
            answer = await world.dns.ask(name, type_name)
            return replace(answer, security=verdict, items=frozenset()) if type_name == "A" else answer

    world.run()
    world.source.chain = NEW
    world.ports = {(ADDRESSES[0], 25): OLD, (ADDRESSES[1], 25): NEW}
    world.resolver = Deaf()
    run(world)
    assert world.published() == texts(OLD, NEW)
    assert "[A records]:25 shows no certificate" in said(world)


def test_more_addresses_than_we_look_at_stop_removals(world: World) -> None:
    world.run()
    many = tuple(f"203.0.113.{number}" for number in range(1, 20))
    world.dns.put(HOST, "A", *many)
    world.ports = {(address, 25): NEW for address in (*many, ADDRESSES[1])} | {(max(many), 25): OLD}
    world.source.chain = NEW
    run(world)
    assert world.published() == texts(OLD, NEW)


def test_one_target_that_is_not_probed_does_not_blind_the_others_of_its_place(shared: World) -> None:
    first, second = shared.targets
    shared.targets = [replace(first, policy=policy(probe=False)), second]
    changed = chain("third", "mx2.example.org")
    second.sources[0].chain = changed  # type: ignore[attr-defined]
    run(shared)  # its server was not reloaded and shows the second key still
    assert shared.published(SHARED) == texts(OLD, SECOND, changed)


def test_an_insecure_place_needs_the_word_of_all_its_targets(shared: World) -> None:
    shared.dns.zones["example.org"] = Security.INSECURE
    first, second = shared.targets
    shared.targets = [replace(first, policy=policy(allow_insecure=True)), second]
    assert shared.action() == "refuse"


def test_a_record_that_a_human_took_away_stops_the_removal_of_another(world: World) -> None:
    """Not the wanted record alone: whatever must stand there."""
    world.run()
    upcoming = chain("upcoming")
    world.source.chain = NEW
    world.targets = [world.target(next_sources=(FixedSource(upcoming),))]
    world.serve(NEW)
    for _ in range(2):
        world.run()
        world.pass_time(seconds=2 * TTL)

    def interfere(where: str) -> None:
        if where == "provider.read":
            world.provider.by_hand(OWNER, record(OLD), record(NEW), mark=Mark.OURS)

    world.fault = interfere
    assert status(world.run(), False) is Exit.LATER
    assert world.published() == texts(OLD, NEW)


def test_a_ttl_of_zero_never_removes_in_the_run_that_retires(world: World) -> None:
    actions = []
    for number in range(6):
        for name, rrset in list(world.dns.records.items()):
            world.dns.records[name] = replace(rrset, ttl=0)
        actions.append(world.action())
        if number == 1:
            world.source.chain = NEW
            world.serve(NEW)
    assert actions == ["none", "none", "publish", "wait", "wait", "wait"]


@pytest.mark.parametrize("rest", [b"", b"{"])
def test_a_ledger_that_is_lost_makes_nobodys_record_ours(world: World, rest: bytes) -> None:
    """The mark may be that of another machine whose host shares the place."""
    world.run()
    for path in world.directory.rglob("*.json"):
        path.write_bytes(rest)
    world.source.chain = NEW
    world.serve(NEW)
    run(world)
    assert world.published() == texts(OLD, NEW)


# additions


def test_a_silent_server_does_not_hold_up_the_record_that_somebody_deleted(world: World) -> None:
    """The record was ripe, the deletion is seen at every server that answers, one is silent."""
    other = record(chain("backup"))
    world.provider.by_hand(OWNER, record(OLD), other, mark=Mark.OURS)
    run(world, 3)
    world.dns.silence("192.0.2.2")
    world.provider.by_hand(OWNER, other)
    assert world.action() == "publish"
    assert world.published() == texts(OLD) | {str(other)}


def test_a_server_that_lags_behind_a_deletion_does_not_count_as_verification(world: World) -> None:
    """At the primary nothing is verified; a first record there must match what the port shows."""
    world.dns.lag("192.0.2.2")
    world.provider.by_hand(OWNER)
    world.source.chain = NEW
    assert world.action() == "refuse"
    assert world.published() == set()
    world.dns.follow("192.0.2.2")


def test_a_certificate_announced_for_later_that_cannot_be_read_does_not_hold_up_the_served_key(world: World) -> None:
    world.run()
    world.source.chain = NEW
    world.serve(NEW)
    world.targets = [world.target(next_sources=(Nowhere(),))]
    outcomes = world.run()
    assert (world.published(), status(outcomes, False)) == (texts(OLD, NEW), Exit.FINDINGS)
    run(world)
    assert world.published() == texts(OLD, NEW), "what is announced is unknown, so nothing leaves"


# switches


def test_a_port_of_the_host_that_is_not_in_this_run_holds_the_switch_up(tmp_path: Path) -> None:
    world = World(tmp_path, OLD)
    own = Own(world, tmp_path, ports=(25, 465))
    live(world, 8)
    own.certify()
    first = own.keys.current(HOST)
    world.targets = world.targets[:1]
    live(world, 8)
    assert own.keys.current(HOST) == first
    assert f"not switched: _465._tcp.{HOST} has records too" in said(world)


def test_an_address_that_never_answers_does_not_reload_the_server_for_ever(world: World) -> None:
    upcoming = chain("upcoming")
    world.targets = [world.target(next_sources=(FixedSource(upcoming),), reload=("reload",))]
    world.on_command = lambda command: world.ports.update({(ADDRESSES[0], 25): upcoming}) or ""
    run(world, 3)
    world.ports[ADDRESSES[1], 25] = None
    run(world, 6)
    assert world.commands == [("reload",)]


def test_a_next_key_that_cannot_be_made_stops_nobody_else(tmp_path: Path) -> None:
    class Stuck:
        def next(self, host: str) -> None:
            return None

        def promote(self, host: str) -> object:
            raise AssertionError

        def make_next(self, host: str) -> object:
            raise Later(f"{host}: process 1 is at it already")

    world = World(tmp_path, OLD)
    world.targets = [world.target(keys=Stuck())]
    outcomes = world.run()
    assert world.published() == texts(OLD)
    assert f"{HOST} has no next key: {HOST}: process 1 is at it already" in " ".join(map(str, findings_of(outcomes[0])))


def test_a_certificate_that_is_gone_after_the_switch_is_said_and_loses_no_report(tmp_path: Path) -> None:
    world = World(tmp_path, OLD)
    own = Own(world, tmp_path)
    live(world, 8)
    own.certify()

    def gone(command: object) -> str:
        next((tmp_path / "certs" / HOST).glob("current")).unlink()
        return ""

    world.on_command = gone
    for _ in range(40):
        outcomes = world.run()
        if world.commands:
            break
        world.pass_time(minutes=30)
    assert "no certificate of our own" in " ".join(str(f) for o in outcomes for f in findings_of(o))


# ledgers


def test_a_place_with_a_hostile_name_stays_inside_the_state_directory(tmp_path: Path) -> None:
    """A CNAME may lead to a name with slashes, and a name may be longer than a file's."""
    ledgers = Ledgers(tmp_path / "state" / "tlsa", Log(quiet=True))
    odd = [
        "/etc/cron\\.d/x.example.org",
        "../../x",
        "a" * 60 + ".b" * 90 + ".example.org",
        "*.example.org",
        "wildcard.example.org",
    ]
    for number, place in enumerate(odd):
        ledgers.save(Ledger(place, matched=None, users={record(OLD): frozenset({str(number)})}))
    written = list(tmp_path.rglob("*.json"))
    assert {path.parent for path in written} == {tmp_path / "state" / "tlsa"}
    assert len(written) == len(odd)
    assert [ledgers.load(place).place for place in odd] == odd


DAMAGED = {
    "cut off": lambda text: text[: len(text) // 2],
    "a list": lambda text: "[]",
    "deep": lambda text: "[" * 100_000,
    "infinite": lambda text: text.replace('"up": 1000.0', '"up": 1e999'),
    "no number": lambda text: text.replace('"up": 1000.0', '"up": NaN'),
    "before the boot": lambda text: text.replace('"up": 1000.0', '"up": -1e308'),
    "a negative TTL": lambda text: text.replace('"ttl": 3600.0', '"ttl": -7200'),
    "an endless TTL": lambda text: text.replace('"ttl": 3600.0', '"ttl": 1e300'),
    "of another place": lambda text: text.replace(OWNER, "_25._tcp.other.example.org"),
    "of the future": lambda text: text.replace('"version": 1', '"version": 2'),
    "no text": lambda text: "\udcff\udcfe",
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_ledger_is_said_and_every_wait_begins_again(world: World, damage: object) -> None:
    world.run()
    (path,) = world.directory.rglob("*.json")
    before = path.read_text()
    path.write_bytes(damage(before).encode("utf-8", "surrogateescape"))  # type: ignore[operator]
    assert path.read_bytes() != before.encode()
    with pytest.raises(ValueError):
        Ledgers(path.parent, Log(quiet=True))._read(path, OWNER)
    assert world.action() == "none"
    assert ledger_form.read(path.read_bytes()).life.phase(record(OLD)) is Phase.SPREADING


# commands


def run_command(*words: str, seconds: float = 5) -> str:
    return asyncio.run(outside.run(words, seconds))


def test_a_reload_that_leaves_a_daemon_behind_has_ended_all_the_same(tmp_path: Path) -> None:
    """The daemon holds the stream open: who waits for its end waits for years."""
    script = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3)'])"
    assert run_command(sys.executable, "-c", script, seconds=2.5) == ""


def test_a_reload_that_hangs_is_killed_with_all_it_started() -> None:
    assert run_command("sh", "-c", "sleep 60 & sleep 60", seconds=0.3) == "did not end within 0.3 s and was killed"


@pytest.mark.parametrize(
    "words,text",
    [
        (("false",), "exit status 1"),
        (("sh", "-c", "echo unknown unit >&2; exit 3"), "exit status 3 (unknown unit)"),
        (("/nowhere/reload",), "cannot be run (No such file or directory)"),
        (("true\0",), "cannot be run (embedded null byte)"),
    ],
)
def test_a_reload_that_fails_says_why(words: tuple[str, ...], text: str) -> None:
    assert run_command(*words) == text


def test_the_ledger_reads_what_it_writes(world: World) -> None:
    world.run()
    (path,) = world.directory.rglob("*.json")
    assert ledger_form.write(ledger_form.read(path.read_bytes())) == path.read_bytes()
    assert json.loads(path.read_bytes())["users"] == {str(record(OLD)): [OWNER]}


def test_a_server_that_slept_through_the_switch_is_woken_and_then_there_is_nothing_to_complain_about(
    tmp_path: Path,
) -> None:
    """A `roll --wait` would stop at the complaint."""
    world = World(tmp_path, OLD)
    own = Own(world, tmp_path)
    live(world, 8)
    own.certify()
    world.on_command = lambda command: "exit status 1"
    while not world.commands:
        world.run()
        world.pass_time(minutes=30)
    world.on_command = own.reload
    outcomes = world.run()
    assert [str(finding) for finding in findings_of(outcomes[0]) if finding.trouble] == []
    assert status(outcomes, False) is Exit.OK
