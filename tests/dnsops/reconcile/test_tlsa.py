"""The story of TLSA reconciliation in a world small enough to break at every point."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import jsonschema
import pytest

from dnsops.base.errors import Exit, ForUser, Later
from dnsops.certs.chain import Chain
from dnsops.providers.door import Mark
from dnsops.reconcile import report
from dnsops.reconcile.report import document, status
from dnsops.reconcile.telling import findings_of
from dnsops.resolve.answer import Security
from tests.dnsops.certificates import chain
from tests.dnsops.reconcile.world import ADDRESSES, HOST, NOON, OWNER, TTL, FixedSource, Killed, World, record, texts

OLD, NEW = chain("old"), chain("new")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """In sync: the old key is served and published by us."""
    made = World(tmp_path, OLD)
    made.provider.by_hand(OWNER, record(OLD), mark=Mark.OURS)
    return made


def said(world: World) -> str:
    return " | ".join(str(finding) for outcome in world.run() for finding in findings_of(outcome))


def test_in_sync_nothing_is_done_and_nobody_is_asked_for_a_token(world: World) -> None:
    assert [world.action() for _ in range(3)] == ["none"] * 3
    assert world.provider.calls == []


def test_a_surprise_is_published_waited_for_and_pruned(world: World) -> None:
    assert world.action() == "none"
    world.source.chain = NEW
    world.serve(NEW)
    assert world.action() == "publish"
    assert world.published() == texts(OLD, NEW)
    assert world.action() == "wait"
    world.pass_time(seconds=2 * TTL - 1)
    assert world.action() == "wait"
    world.pass_time(seconds=2)
    actions = []
    for _ in range(4):
        actions.append(world.action())
        world.pass_time(seconds=2 * TTL)
    assert actions == ["prune", "none", "none", "none"]
    assert world.published() == texts(NEW)


def test_a_surprise_is_told_with_how_long_senders_were_refused(world: World) -> None:
    world.run()
    world.pass_time(minutes=5)
    world.source.chain = NEW
    world.serve(NEW)
    assert "senders that verify refuse this key since at most 5 min" in said(world)


@pytest.mark.parametrize("security", [Security.BOGUS, Security.FAILED])
def test_without_proof_nothing_is_touched_and_the_exit_is_75(world: World, security: Security) -> None:
    world.run()
    before = sorted((p, p.read_bytes()) for p in world.directory.rglob("*.json"))
    world.source.chain = NEW
    world.serve(NEW)
    world.dns.verdict("example.org", security, "signature expired")
    outcomes = world.run()
    assert status(outcomes, False) is Exit.LATER
    assert world.provider.calls == []
    assert sorted((p, p.read_bytes()) for p in world.directory.rglob("*.json")) == before


def test_an_unsigned_zone_is_left_alone_unless_a_person_insists(world: World) -> None:
    world.provider.by_hand(OWNER)
    world.dns.zones["example.org"] = Security.INSECURE
    outcomes = world.run()
    assert status(outcomes, False) is Exit.FINDINGS
    assert "there TLSA does nothing" in str(findings_of(outcomes[0])[0])
    assert world.published() == set()
    world.policy(allow_insecure=True)
    assert world.action() == "publish"


def test_foreign_records_are_left_alone_and_reported(world: World) -> None:
    others = [record(chain("backup")), record(OLD, 2, 1, 1), record(chain("third"), 3, 0, 2)]
    world.provider.by_hand(OWNER, record(OLD), *others)
    assert world.action() == "none"
    assert said(world).count("foreign record left alone") == 3
    world.source.chain = NEW
    world.serve(NEW)
    for _ in range(8):
        world.run()
        world.pass_time(seconds=2 * TTL)
    # even the record of our own old key: somebody else's mark is not ours to remove
    assert world.published() == texts(OLD, NEW) | {str(other) for other in others}
    assert "foreign record left alone: " + record(OLD).short in said(world)


def test_adopted_records_are_pruned_like_our_own(world: World) -> None:
    kept = record(OLD, 2, 1, 1)
    world.provider.by_hand(OWNER, record(OLD), record(chain("leftover")), kept)
    world.policy(adopt=True)
    for _ in range(6):
        world.run()
        world.pass_time(seconds=2 * TTL)
    assert world.published() == texts(OLD) | {str(kept)}


def test_a_mark_that_a_human_took_away_makes_the_record_theirs(world: World) -> None:
    world.run()
    world.source.chain = NEW
    world.serve(NEW)
    world.run()
    world.provider.by_hand(OWNER, record(OLD), mark=Mark.FOREIGN)
    world.provider.by_hand(OWNER, record(OLD), record(NEW), mark=Mark.FOREIGN)
    for _ in range(6):
        world.run()
        world.pass_time(seconds=2 * TTL)
    assert world.published() == texts(OLD, NEW)


def test_an_alias_is_followed_and_written_where_it_leads(world: World) -> None:
    world.provider.by_hand(OWNER)
    world.dns.put(OWNER, "CNAME", "dane.example.org.")
    assert world.action() == "publish"
    assert world.published("dane.example.org") == texts(OLD)


def test_a_wildcard_is_followed_and_written_at_the_wildcard(world: World) -> None:
    world.provider.by_hand(OWNER)
    world.provider.by_hand("*.mx1.example.org", record(OLD), mark=Mark.OURS)
    assert world.action() == "none"
    world.source.chain = NEW
    world.serve(NEW)
    assert world.action() == "publish"
    assert world.published("*.mx1.example.org") == texts(OLD, NEW)
    assert world.published() == set()


def test_two_hosts_that_share_a_place_keep_each_others_records(world: World) -> None:
    """The common scheme: `_25._tcp.mx1` and `_25._tcp.mx2` are both aliases of one name."""
    second = chain("second", "mx2.example.org")
    world.provider.by_hand(OWNER)
    for host in ("mx1", "mx2"):
        world.dns.put(f"_25._tcp.{host}.example.org", "CNAME", "dane.example.org.")
    world.dns.put("mx2.example.org", "A", "192.0.2.26")
    world.ports["192.0.2.26", 25] = second
    world.targets = [world.target(), world.target(host="mx2.example.org", sources=(FixedSource(second),))]
    for _ in range(6):
        (outcome,) = world.run()
        world.pass_time(seconds=2 * TTL)
    assert world.published("dane.example.org") == texts(OLD, second)
    assert outcome.decision
    assert outcome.decision.action.name == "NONE"


def test_many_hosts_fail_one_by_one(world: World) -> None:
    class Nowhere:
        def read(self, host: str) -> Chain:
            raise ForUser("is not there", "/etc/ssl/mx2.pem", "name another file")

    world.targets = [world.target(host="mx2.example.org", sources=(Nowhere(),)), world.target()]
    broken, fine = world.run()
    assert status([fine], False) is Exit.OK
    assert status([broken, fine], False) is Exit.FINDINGS
    assert [str(f) for f in findings_of(broken)] == ["/etc/ssl/mx2.pem: is not there - name another file"]


def test_a_silent_server_stops_the_removal_but_never_the_addition(world: World) -> None:
    world.run()
    world.dns.silence("192.0.2.2")
    world.source.chain = NEW
    world.serve(NEW)
    assert world.action() == "publish"
    for _ in range(6):
        world.run()
        world.pass_time(seconds=2 * TTL)
    assert world.published() == texts(OLD, NEW)
    assert "silent name servers: ns2.example.org (192.0.2.2)" in said(world)
    world.dns.speak("192.0.2.2")
    for _ in range(6):
        world.run()
        world.pass_time(seconds=2 * TTL)
    assert world.published() == texts(NEW)


def test_a_family_without_a_route_stops_nothing(world: World) -> None:
    world.dns.silence("2001:db8::1", unreachable=True)
    world.run()
    world.source.chain = NEW
    world.serve(NEW)
    for _ in range(6):
        world.run()
        world.pass_time(seconds=2 * TTL)
    assert world.published() == texts(NEW)


def test_the_first_record_waits_for_a_port_that_it_matches(world: World) -> None:
    world.provider.by_hand(OWNER)
    world.serve(NEW)
    assert world.action() == "refuse"
    assert f"--source starttls:{HOST}:25" in said(world)
    world.ports = dict.fromkeys(world.ports)
    assert world.action() == "refuse"
    assert "shows no certificate (192.0.2.25: connection refused" in said(world)
    assert world.published() == set()
    world.policy(probe=False)
    assert world.action() == "publish"


def test_one_address_that_shows_another_key_is_found(world: World) -> None:
    world.ports[ADDRESSES[1], 25] = NEW
    outcomes = world.run()
    assert status(outcomes, False) is Exit.FINDINGS
    assert "[2001:db8::25]:25: senders that verify refuse this key" in said(world)


def test_a_renewed_file_is_announced_while_the_server_still_shows_the_old_key(world: World) -> None:
    """certbot renewed, nobody reloaded: the new record is out before anyone reloads, and the old one stays."""
    world.run()
    world.source.chain = NEW
    assert world.action() == "publish"
    assert "do not reload the server yet" in said(world)
    for _ in range(4):
        world.pass_time(seconds=2 * TTL)
        world.run()
        world.check()
    assert world.published() == texts(OLD, NEW)
    assert said(world).endswith("still shows a key that the source no longer has - reload the server")
    world.serve(NEW)
    for _ in range(6):
        world.run()
        world.check()
        world.pass_time(seconds=2 * TTL)
    assert world.published() == texts(NEW)


def test_a_human_between_look_and_removal_stops_it(world: World) -> None:
    world.run()
    world.source.chain = NEW
    world.serve(NEW)
    for _ in range(2):
        world.run()
        world.pass_time(seconds=2 * TTL)

    def interfere(where: str) -> None:
        if where == "provider.read":
            world.provider.by_hand(OWNER, record(OLD), mark=Mark.OURS)

    world.fault = interfere
    outcomes = world.run()
    assert status(outcomes, False) is Exit.LATER
    assert "somebody removed" in str(findings_of(outcomes[0])[0])
    assert world.published() == texts(OLD)
    world.fault = lambda where: None
    assert world.action() == "publish"


def test_a_dry_run_writes_nothing_and_says_2(world: World) -> None:
    world.source.chain = NEW
    world.serve(NEW)
    outcomes = world.run(dry_run=True)
    assert (status(outcomes, True), world.provider.calls, world.published()) == (Exit.PENDING, [], texts(OLD))
    assert list(world.directory.rglob("*.json")) == []


def test_every_run_is_told_as_the_schema_says(world: World) -> None:
    world.ports[ADDRESSES[1], 25] = None
    world.dns.silence("192.0.2.2")
    world.dns.put(OWNER, "TLSA", str(record(OLD)), str(record(NEW, 2, 0, 1)))
    for change in (lambda: None, lambda: world.serve(NEW), lambda: world.dns.verdict("example.org", Security.BOGUS)):
        change()
        for dry in (True, False):
            jsonschema.validate(document(world.run(dry), dry, NOON), report.SCHEMA)


def test_other_forms_are_published_side_by_side(world: World) -> None:
    world.policy(forms=((3, 1, 1), (3, 0, 2), (2, 1, 1)))
    assert world.action() == "publish"
    assert world.published() == {str(record(OLD, *form)) for form in ((3, 1, 1), (3, 0, 2), (2, 1, 1))}


BAD = [
    (chain("x", "other.example.org"), "is not for mx1.example.org but for other.example.org"),
    (chain("x", start=NOON - timedelta(days=90), days=89), "expired on 2025-12-31"),
    (chain("x", start=NOON + timedelta(days=1)), "is not valid before 2026-01-02"),
]


@pytest.mark.parametrize("bad,text", BAD, ids=[text for _, text in BAD])
def test_a_certificate_that_is_not_fit_is_said(world: World, bad: Chain, text: str) -> None:
    world.source.chain = bad
    outcomes = world.run()
    assert status(outcomes, False) is Exit.FINDINGS
    assert text in said(world)


FAULTS = [
    pytest.param(lambda: Killed(), id="kill -9"),
    pytest.param(lambda: Later("the provider answered 429", timedelta(seconds=300)), id="429"),
    pytest.param(lambda: Later("no answer within 30 s"), id="lost answer"),
    pytest.param(lambda: ForUser("the token may not edit example.org"), id="refused"),
]


def steps(fault: object) -> Iterator[int]:
    """Every step with FAULTS=all; else each kind of fault at every other one, and each step at the turn of half the kinds."""
    kinds = [param.values[0] for param in FAULTS]
    return count(1) if os.environ.get("FAULTS") == "all" else count(1 + kinds.index(fault) % 2, 2)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_step_of_a_surprise_leaves_everything_safe(tmp_path: Path, fault: object) -> None:
    """As SQLite is tested: the n-th step fails, for n = 1, 2, 3 ... until a whole life passes untouched."""
    for number in steps(fault):
        world = World(tmp_path / str(number), OLD)
        world.provider.by_hand(OWNER, record(OLD), mark=Mark.OURS)
        world.run()
        world.source.chain = NEW  # announced first: the oracle allows no moment of refusal
        world.fail_at(number, fault())  # type: ignore[operator]
        hit = run_through(world, reload_when=lambda actions: len(actions) == 8)
        assert world.published() == texts(NEW), (number, world.steps)
        if not hit:
            break
    assert number > 6


def run_through(world: World, reload_when: object) -> bool:
    """Two dozen runs, an hour apart, checked at each; whether a fault was hit."""
    actions: list[str] = []
    hit = False
    for _ in range(24):
        try:
            outcomes = world.run()
            hit = hit or any(outcome.error for outcome in outcomes)
        except Killed:
            hit = True
        actions.append("run")
        if reload_when(actions):  # type: ignore[operator]
            world.serve(NEW)
        world.check()
        world.pass_time(seconds=TTL / 2)
        world.check()
    return hit
