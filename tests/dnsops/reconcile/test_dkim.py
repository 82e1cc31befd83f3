"""The story of DKIM in a small world: set up, rotated, retired; by hand, through aliases, and killed at every write."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from dnsops.base import files
from dnsops.base.errors import Exit, Later
from dnsops.dkim.keys import Keys
from dnsops.dkim.ring import Role, Selector
from dnsops.reconcile.dkim_report import SCHEMA, document, sentence, status
from dnsops.reconcile.dkim_target import Outcome
from dnsops.reconcile.telling import findings_of
from dnsops.records.txt.dkim import DkimKey
from dnsops.resolve.answer import Security
from tests.dnsops.reconcile.dkim_world import DOMAIN, NOON, TTL, Killed, World, owners, refused


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def signing(world: World) -> World:
    """The first keys sign."""
    world.live(0.5)
    assert world.ring.current
    return world


def said(outcome: Outcome) -> str:
    jsonschema.validate(document([outcome], False, NOON), SCHEMA)
    return " | ".join(map(str, findings_of(outcome)))


def test_the_first_keys_sign_when_nobody_can_hold_an_older_answer(world: World) -> None:
    assert world.action(dry_run=True) == "make"
    assert not world.directory.exists()
    assert [world.action(), world.action(), world.action()] == ["publish", "wait", "wait"]
    assert not Keys(world.directory).signers(DOMAIN)
    world.pass_time(seconds=2 * TTL)
    outcome = world.run()
    assert (outcome.switched, sentence(outcome, False).endswith("sign now")) == (True, True)
    (signer,) = Keys(world.directory).signers(DOMAIN)
    assert world.published() == {f"{signer.selector}._domainkey.{DOMAIN}": {world.ring.selectors[0].text}}
    assert (world.action(), world.action(dry_run=True)) == ("none", "none")


def test_a_rotation_from_end_to_end_and_every_signature_verifies(signing: World) -> None:
    old = signing.ring.current
    assert old
    signing.policy(every=timedelta(days=3), hold=timedelta(days=1))
    assert signing.live(2) == ["none"]
    assert signing.live(1.5) == ["none", "publish", "wait", "switch", "wait"]
    assert owners(old.selectors) < set(signing.published())
    signing.policy(every=timedelta(0))
    assert signing.live(2) == ["wait", "prune", "wait", "none"]
    assert [one.role for one in signing.ring.generations] == [Role.CURRENT]
    assert set(signing.published()) == owners(signing.ring.selectors)
    assert not list(signing.directory.rglob(f"{old.selectors[0].name}*"))


def test_years_of_rotations_leave_no_trace(signing: World) -> None:
    signing.policy(every=timedelta(days=80), hold=timedelta(days=7))
    seen = set()
    for _ in range(45):
        signing.live(8, step=96)
        seen |= {selector.name for selector in signing.ring.selectors}
    assert len(seen) > 4
    assert len(list(signing.directory.rglob("*.pem"))) <= 3
    assert len(signing.published()) <= 3


def test_both_algorithms_go_together(world: World) -> None:
    world.policy(algorithms=("rsa", "ed25519"))
    world.live(0.2)
    assert [signer.algorithm for signer in Keys(world.directory).signers(DOMAIN)] == ["rsa", "ed25519"]
    (long,) = [text for texts in world.published().values() for text in texts if "k=rsa" in text]
    assert len(long) > 400
    world.policy(algorithms=("rsa",))
    world.live(8, step=4)
    assert [signer.algorithm for signer in Keys(world.directory).signers(DOMAIN)] == ["rsa"]


def test_a_retired_key_is_given_to_everybody_when_nothing_verifies_with_it_any_more(signing: World) -> None:
    signing.policy(publish_retired=True, rotate=True)
    (old,) = signing.ring.selectors
    signing.run()
    signing.policy(rotate=False)
    given = signing.directory / "retired" / DOMAIN / f"{old.name}.pem"
    while old in signing.ring.selectors:
        assert not given.exists()
        signing.live(1 / 8, step=3)
    assert given.exists()
    assert old.owner(DOMAIN) not in signing.published()


def test_a_revoked_key_stands_there_for_a_while(signing: World) -> None:
    signing.policy(revoked=timedelta(days=2), rotate=True)
    (old,) = signing.ring.selectors
    signing.run()
    signing.policy(rotate=False)
    shown: list[set[str]] = []
    for _ in range(12 * 8):
        signing.live(1 / 8, step=3)
        now = signing.published().get(old.owner(DOMAIN), set())
        shown += [now] if shown[-1:] != [now] else []
    assert shown == [{old.text}, set(), {"v=DKIM1; k=ed25519; p="}, set()]
    assert old not in signing.ring.selectors


def test_keys_that_leaked_are_revoked_as_soon_as_others_sign(signing: World) -> None:
    signing.policy(rotate=True, leaked=True)
    (old,) = signing.ring.selectors
    signing.run()
    assert signing.published()[old.owner(DOMAIN)] == {old.text}, "it goes on signing until there is another"
    signing.policy(rotate=False, leaked=False)
    signing.promise = timedelta(0)
    signing.live(1)
    assert signing.published()[old.owner(DOMAIN)] == {old.revoked.text}
    signing.live(28, step=12)
    assert signing.published()[old.owner(DOMAIN)] == {old.revoked.text}
    signing.live(3, step=6)
    assert old.owner(DOMAIN) not in signing.published()
    assert old not in signing.ring.selectors


def test_a_record_that_was_lost_comes_back_and_a_person_hears_of_it(signing: World) -> None:
    (selector,) = signing.ring.selectors
    signing.provider.by_hand(selector.owner(DOMAIN))
    outcome = signing.run()
    assert signing.published() == {selector.owner(DOMAIN): {selector.text}}
    assert "was lost: its signatures fail" in said(outcome)
    assert status([outcome], False) is Exit.FINDINGS


# doubt


@pytest.mark.parametrize("security", [Security.BOGUS, Security.FAILED])
def test_what_cannot_be_trusted_touches_nothing(signing: World, security: Security) -> None:
    signing.policy(rotate=True)
    signing.run()
    before = {path: path.read_bytes() for path in signing.directory.rglob("*.json")}
    signing.dns.verdict(DOMAIN, security)
    signing.pass_time(hours=9)
    outcome = signing.run()
    assert (status([outcome], False), "nothing was changed" in said(outcome)) == (Exit.LATER, True)
    assert {path: path.read_bytes() for path in signing.directory.rglob("*.json")} == before


def test_a_signed_zone_is_as_good(world: World) -> None:
    world.dns.zones[DOMAIN] = Security.SECURE
    assert world.live(0.5) == ["publish", "wait", "switch", "none"]


def test_a_silent_server_holds_the_switch_up(signing: World) -> None:
    signing.policy(rotate=True)
    signing.run()
    signing.policy(rotate=False)
    signing.dns.silence("192.0.2.2")
    signing.live(1)
    assert signing.ring.next
    assert "silent name servers: ns2.example.org (192.0.2.2)" in said(signing.run())
    signing.dns.speak("192.0.2.2")
    signing.live(0.5)
    assert not signing.ring.next


def test_a_provider_that_refuses_is_said_and_nothing_signs_before_its_time(signing: World) -> None:
    signing.policy(rotate=True)
    signing.fault = refused
    assert "the token may not write" in said(signing.run())
    signing.pass_time(hours=9)
    signing.run()
    (old,) = signing.ring.current.selectors if signing.ring.current else ()
    assert set(signing.published()) == {old.owner(DOMAIN)}


def test_a_ring_that_is_damaged_stops_the_domain_and_says_where(signing: World) -> None:
    path = signing.directory / DOMAIN / "ring.json"
    path.write_bytes(b"{")
    outcome = signing.run()
    assert (status([outcome], False), "ring.json: is damaged" in said(outcome)) == (Exit.FINDINGS, True)
    assert path.read_bytes() == b"{"


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"version": 1, "domain": "example.net"}', None])
def test_a_lost_ledger_begins_every_wait_again_and_loses_nothing(signing: World, data: bytes | None) -> None:
    signing.policy(rotate=True)
    (old,) = signing.ring.selectors
    signing.run()
    signing.policy(rotate=False)
    signing.live(5, step=6)
    path = signing.directory / DOMAIN / "ledger.json"
    path.unlink() if data is None else path.write_bytes(data)
    signing.live(6, step=6)
    assert old in signing.ring.selectors
    signing.live(4, step=6)
    assert old not in signing.ring.selectors


# by hand, and elsewhere


def test_without_a_provider_a_person_does_it_by_hand(world: World) -> None:
    world.target = replace(world.target, provider=None)
    outcome = world.run()
    assert "there are records to publish, and nobody to do it" in said(outcome)
    (selector,) = world.ring.selectors
    world.provider.by_hand(selector.owner(DOMAIN), selector.text.replace("; ", ";"))
    assert world.live(0.5) == ["wait", "switch", "none"]


def test_a_record_typed_by_hand_is_removed_by_hand(world: World) -> None:
    world.target = replace(world.target, provider=None)
    world.run()
    (selector,) = world.ring.selectors
    world.provider.by_hand(selector.owner(DOMAIN), selector.text)
    world.live(0.5)
    world.target = replace(world.target, provider=lambda: world.provider)
    world.policy(rotate=True)
    world.run()
    world.policy(rotate=False)
    world.live(9, step=4)
    assert "is not needed any more, and does not carry our mark - remove the record by hand" in said(world.run())
    world.provider.by_hand(selector.owner(DOMAIN))
    world.live(0.5)
    assert selector not in world.ring.selectors


def test_a_selector_that_is_an_alias_is_written_where_it_leads(world: World) -> None:
    world.run()
    (selector,) = world.ring.selectors
    world.provider.by_hand(selector.owner(DOMAIN))
    world.dns.put(selector.owner(DOMAIN), "CNAME", f"{selector.name}.keys.example.net.")
    world.run()
    assert set(world.published("keys.example.net")) == {f"{selector.name}.keys.example.net"}
    world.pass_time(seconds=2 * TTL)
    world.run()
    world.now = replace(world.now, up=world.now.up + 2 * TTL)
    assert world.run().switched


def test_a_delegated_domainkey_is_asked_at_its_own_servers(world: World) -> None:
    """Whoever holds it: the zone's name, and its time for "no such name", are that zone's."""
    world.dns.zones[f"_domainkey.{DOMAIN}"] = Security.INSECURE
    world.dns.put(f"_domainkey.{DOMAIN}", "SOA", "ns1.example.org. hostmaster.example.org. 1 3600 600 86400 9000")
    outcome = world.run()
    assert {sight.zone for sight in outcome.look.sights} == {f"_domainkey.{DOMAIN}"}
    assert outcome.look.negative_ttl == 9000


def test_two_selectors_led_to_one_name_by_a_wildcard_are_refused(world: World) -> None:
    world.policy(algorithms=("rsa", "ed25519"))
    world.dns.put(f"*._domainkey.{DOMAIN}", "CNAME", "all.keys.example.net.")
    assert "an alias leads it and the selector" in said(world.run())
    assert world.published("keys.example.net") == {}


def test_a_wildcard_of_the_zone_is_not_written_to(world: World) -> None:
    world.provider.by_hand(f"*.{DOMAIN}", "v=spf1 -all")
    world.live(0.5)
    assert world.published()[f"*.{DOMAIN}"] == {"v=spf1 -all"}
    assert world.ring.current


def test_the_key_of_another_server_is_published_and_never_changed(world: World) -> None:
    text = str(DkimKey(b"opendkim"))
    world.target = replace(world.target, given=(Selector("mail", "rsa", text),))
    assert [world.action(), world.action()] == ["publish", "none"]
    assert world.published() == {f"mail._domainkey.{DOMAIN}": {text}}
    assert not list(world.directory.rglob("*.json"))
    other = str(DkimKey(b"renewed"))
    world.target = replace(world.target, given=(Selector("mail", "rsa", other),))
    outcome = world.run()
    assert "another record stands there" in said(outcome)
    assert world.published() == {f"mail._domainkey.{DOMAIN}": {text, other}}


# kill -9


def test_killed_at_every_write_of_a_whole_rotation(tmp_path: Path) -> None:
    """Each death is followed by plain runs: every signature verifies throughout, and it comes to its end."""
    deaths = 0
    for number in range(1, 80, 3):  # in all but the last world something dies
        world = World(tmp_path / str(number))
        world.live(0.25, step=2)
        world.policy(hold=timedelta(hours=6), revoked=timedelta(hours=3))
        (old,) = world.ring.selectors
        world.policy(rotate=True)
        died = _rotate(world, number)
        deaths += died
        assert old not in world.ring.selectors
        assert [one.role for one in world.ring.generations] == [Role.CURRENT]
        assert set(world.published()) == owners(world.ring.selectors)
        named = {f"{one.name}.{one.algorithm}.pem" for one in world.ring.selectors}
        assert {path.name for path in world.directory.rglob("*.pem")} == named
        if not died:
            break
    assert deaths > 6


def _rotate(world: World, number: int) -> bool:
    """A rotation to its end, with a death at the number-th write."""
    count = 0

    def fault(where: str) -> None:
        nonlocal count
        count += 1
        if count == number:
            raise Killed

    world.fault = fault
    for _ in range(24):
        with suppress(Killed):
            world.run()
        if world.ring.next or len(world.ring.generations) > 1:
            world.policy(rotate=False)
        world.pass_time(hours=2)
        if not world.target.policy.rotate and len(world.ring.generations) == 1:
            break
    died = count >= number
    world.fault = lambda where: None
    world.run()
    return died


def test_a_second_run_at_the_same_keys_is_later(signing: World) -> None:
    signing.policy(rotate=True)
    with files.lock(signing.directory / DOMAIN / ".lock"):
        outcome = signing.run()
    assert isinstance(outcome.error, Later)
