"""The story of a certificate in a small world: ordered for the announced key, served in its turn, whatever fails on the way."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from dnsops.acme.door import Window
from dnsops.base.errors import Exit, ForUser, Later
from dnsops.reconcile import certificate_report as report
from dnsops.reconcile.certificate_names import ordered, wanted
from dnsops.resolve.answer import Security
from tests.dnsops.reconcile.certificate_parties import HOST, NAMES, OWNER
from tests.dnsops.reconcile.certificate_world import LATER, Killed, World, running


@pytest.fixture
def place() -> Iterator[Path]:
    """In memory where that is possible: what is proven here is not that disks are slow."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as directory:
        yield Path(directory)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    with running() as one:
        yield one


@pytest.fixture
def world(place: Path, loop: asyncio.AbstractEventLoop) -> World:
    return World(place, loop)


def live(world: World, hours: float, step: float = 1.0) -> None:
    for _ in range(int(hours / step)):
        world.tlsa()
        world.check()
        world.pass_time(hours=step)


def begun(world: World) -> World:
    """The first certificate is served, its record and the next key's are ripe."""
    world.certificate()
    live(world, 8.4, 2.1)
    return world


def test_the_very_first_is_served_at_once_and_the_next_key_is_there(world: World) -> None:
    assert world.action(dry_run=True) == "order"
    assert world.keys.hosts() == (), "a dry run makes nothing"
    outcome = world.certificate()
    assert (outcome.issued, outcome.switched) == (True, True)
    assert world.served
    assert world.served.names == NAMES
    upcoming = world.keys.next(HOST)
    assert upcoming
    assert upcoming.chain is None
    assert world.zone.challenges() == []
    live(world, 6)
    assert len(world.published()) == 2, "the next key is announced all the time"
    assert world.action() == "none"


def test_the_first_is_served_whatever_key_another_server_had_and_that_is_told(world: World) -> None:
    world.dns.put(OWNER, "TLSA", "3 1 1 " + "ab" * 32)
    outcome = world.certificate()
    assert outcome.switched
    assert any("a key that is not ours" in finding.what for finding in outcome.findings)


def test_a_renewal_is_for_the_announced_key_and_replaces_the_old(world: World) -> None:
    begun(world)
    announced, first = world.keys.next(HOST), world.served
    assert announced
    assert first
    world.pass_time(days=61)
    outcome = world.certificate()
    assert outcome.issued
    assert world.issuer.orders[-1].replaces == first.certificates[0]
    assert world.served
    assert world.served.spki == announced.spki, "its record was ripe for two months"
    live(world, 8)
    assert len(world.published()) == 2
    assert world.action() == "none"


def test_keys_of_years_ago_do_not_stay_on_the_disk(world: World) -> None:
    begun(world)
    for _ in range(4):
        world.pass_time(days=61)
        assert world.certificate().switched
        live(world, 8)
    assert world.action() == "none"
    assert [path.name for path in sorted((world.keys.directory / HOST).glob("0*"))] == ["0004", "0005", "0006"]


def test_a_key_whose_record_is_not_ripe_waits_and_the_job_of_tlsa_switches(world: World) -> None:
    begun(world)
    world.dns.silence("192.0.2.2")
    world.pass_time(days=61)
    first = world.served
    assert world.action() == "order"
    assert world.action() == "wait"
    assert world.served == first
    live(world, 10)
    assert world.served == first, "a name server is silent: nobody can know what it shows"
    world.dns.speak("192.0.2.2")
    live(world, 4)
    assert world.served != first
    assert len(world.issuer.orders) == 2


def test_when_its_turn_does_not_come_the_key_in_use_is_certified_again(world: World) -> None:
    begun(world)
    first = world.served
    assert first
    world.dns.silence("192.0.2.2")
    for _ in range(60):
        world.certificate()
        world.tlsa()
        world.pass_time(days=2)
    assert world.served
    assert world.served.spki == first.spki
    assert world.served.not_after > first.not_after
    assert world.keys.next(HOST), "and the next one still waits"
    world.dns.speak("192.0.2.2")
    live(world, 8)
    assert world.served.spki != first.spki


def test_where_no_tlsa_records_are_the_turn_is_at_once(place: Path) -> None:
    for security in (Security.SECURE, Security.INSECURE):
        world = World(place / security.name, tlsa_on=False)
        world.dns.zones["example.org"] = security
        world.certificate()
        world.pass_time(days=61)
        first = world.served
        outcome = world.certificate()
        assert (outcome.issued, outcome.switched, world.served != first) == (True, True, True)
        assert world.published() == set(), "nobody asked for TLSA records"


@pytest.mark.parametrize("security", [Security.BOGUS, Security.FAILED])
def test_no_answer_that_can_be_trusted_means_no_switch(world: World, security: Security) -> None:
    begun(world)
    world.pass_time(days=61)
    world.dns.verdict(OWNER, security)
    first = world.served
    outcome = world.certificate()
    assert (outcome.issued, outcome.switched, world.served) == (True, False, first)
    assert any("not served yet" in finding.what for finding in outcome.findings)


def test_the_authority_is_down_for_a_fortnight(world: World) -> None:
    begun(world)
    world.pass_time(days=61)
    world.issuer.down = LATER
    first, tries, alarms = world.served, 0, set()
    for _ in range(14 * 12):
        outcome = world.certificate()
        assert report.status([outcome], False) in (Exit.LATER, Exit.FINDINGS)
        alarms |= (
            {finding.what for finding in outcome.decision.findings if finding.trouble} if outcome.decision else set()
        )
        tries = max(tries, world.journal.failures)
        world.pass_time(hours=2)
    assert world.served == first
    assert 35 < tries < 70, "about one in six hours"
    assert alarms == set(), "there are two weeks left, and nobody is woken"
    world.pass_time(days=3)
    told = world.certificate()
    assert "less than 14 days left" in str(report.document([told], False, world.now.wall))
    world.issuer.down = None
    world.pass_time(hours=8)
    mended = world.certificate()
    assert mended.switched
    assert report.document([mended], False, world.now.wall)["alarm"] == ""
    assert report.status([mended], False) is Exit.OK, "what was wrong is no longer so"
    assert world.journal.failures == 0


def test_the_authoritys_advice_is_asked_for_sparingly_and_followed(world: World) -> None:
    asked = []

    def advice(certificate: object) -> Window:
        asked.append(certificate)
        return Window(world.now.wall + timedelta(days=2), world.now.wall + timedelta(days=3), retry_after=7200)

    begun(world)
    world.issuer.advice = advice
    for _ in range(24):
        assert world.action() == "none"
        world.pass_time(hours=1)
    assert len(asked) <= 12
    fixed = Window(world.now.wall, world.now.wall + timedelta(hours=2), retry_after=60)
    world.issuer.advice = lambda certificate: fixed
    world.pass_time(hours=3)
    outcome = world.certificate()
    assert outcome.issued
    assert outcome.decision
    assert "authority" in outcome.decision.why


def test_names_that_we_may_not_write_are_left_out_and_told(world: World) -> None:
    world.target = replace(world.target, names=(*NAMES, "mail.elsewhere.net"))
    outcome = world.certificate()
    assert outcome.issued
    assert world.served
    assert world.served.names == NAMES
    assert any("mail.elsewhere.net: no zone here" in finding.what for finding in outcome.findings)
    assert report.status([outcome], False) is Exit.OK
    assert world.action() == "none", "it is not ordered again and again for the name that is not in it"
    world.dns.put("_acme-challenge.mail.elsewhere.net", "CNAME", "elsewhere.example.org.")
    assert world.action(dry_run=True) == "order", "an alias leads its challenge to us now"


def test_without_dns_only_names_that_lead_to_us(world: World) -> None:
    names = (HOST, "mta-sts.example.org", "autoconfig.example.org", "*.example.org", "mail.example.org")
    world.target = replace(world.target, names=names, challenge="http-01")
    world.dns.put("mta-sts.example.org", "A", "192.0.2.25")
    world.dns.put("mail.example.org", "A", "198.51.100.1")
    outcome = world.certificate()
    assert world.issuer.orders[-1].names == (HOST, "mta-sts.example.org")
    told = " ".join(finding.what for finding in outcome.findings)
    assert all(why in told for why in ("no address", "proven by DNS", "leads elsewhere, to 198.51.100.1"))


def test_more_names_than_a_certificate_may_have(world: World) -> None:
    world.target = replace(world.target, names=(HOST, *(f"n{number}.example.org" for number in range(120))))
    outcome = world.certificate()
    assert len(world.issuer.orders[-1].names) == 100
    assert any("21 are left out" in finding.what for finding in outcome.findings)
    assert world.action() == "none"


def test_the_server_is_told_until_it_hears(world: World) -> None:
    world.target = replace(world.target, install=("systemctl", "reload", "postfix"))
    world.trouble = "exit status 1 (no such unit)"
    outcome = world.certificate()
    assert not outcome.installed
    assert any("no such unit" in finding.what and finding.trouble for finding in outcome.findings)
    world.trouble = ""
    assert world.certificate().installed
    assert not world.certificate().installed
    assert world.commands == [("systemctl", "reload", "postfix")] * 2


def test_the_switch_itself_tells_the_server_and_it_is_not_told_again(world: World) -> None:
    world.target = replace(world.target, install=("reload",))
    begun(world)
    assert world.commands == [("reload",)]
    world.pass_time(days=61)
    outcome = world.certificate()
    assert (outcome.switched, outcome.installed) == (True, True)
    assert world.commands == [("reload",)] * 2
    assert not world.certificate().installed
    assert world.commands == [("reload",)] * 2


def test_a_port_that_nobody_named_holds_the_switch(place: Path, loop: asyncio.AbstractEventLoop) -> None:
    world = World(place, loop)
    begun(world)
    other = replace(world.ports[0], port=465)
    world.more_ports = [other]
    world.dns.put(HOST, "A", "192.0.2.25")
    live(world, 8.4, 2.1)
    world.more_ports = []
    world.pass_time(days=61)
    first = world.served
    outcome = world.certificate()
    assert (outcome.issued, outcome.switched, world.served == first) == (True, False, True)
    assert any("_465._tcp.mx1.example.org" in finding.what for finding in outcome.findings)


FAULTS = [(Killed, False), (Killed, True), (lambda: Later("weather"), True), (lambda: ForUser("a wall"), True)]


@pytest.mark.parametrize("fault,renewing", FAULTS, ids=["kill-first", "kill", "later", "user"])
def test_a_fault_at_any_step_leaves_everything_safe_and_the_next_runs_mend_it(
    place: Path, loop: asyncio.AbstractEventLoop, fault: Callable[[], BaseException], renewing: bool
) -> None:
    number = 0
    while True:
        number += 1
        world = World(place / str(number), loop)
        if renewing:
            begun(world)
            world.pass_time(days=61)
        before, orders, start = world.served, len(world.issuer.orders), len(world.steps)
        world.fail_at(number, fault())
        with suppress(Killed, Later, ForUser):
            world.certificate()
        world.check()
        struck = len(world.steps) - start
        world.strike = lambda where: None
        for _ in range(3):
            world.pass_time(minutes=30)
            world.certificate()
            world.tlsa()
            world.check()
        assert world.served
        assert world.served != before, (number, world.steps[start:])
        assert world.zone.challenges() == [], (number, world.steps[start:])
        assert len(world.issuer.orders) - orders <= 2
        live(world, 12.6, 2.1)
        assert len(world.published()) == 2
        if struck < number:
            break
    assert number > 10


def test_a_disaster_of_names(world: World) -> None:
    """Whatever happens to other names, every run ends with the document that the schema describes."""
    outcomes = [world.certificate(dry_run=True), world.certificate(), world.certificate()]
    world.issuer.down = ForUser("CAA of mta-sts.example.org forbids it", "the order", "add our authority")
    world.pass_time(days=61)
    outcomes += [world.certificate(), world.certificate()]
    for outcome in outcomes:
        for dry in (False, True):
            jsonschema.validate(report.document([outcome], dry, world.now.wall), report.SCHEMA)
            assert report.sentence(outcome, dry)
    assert report.status(outcomes[-1:], False) is Exit.FINDINGS, "a person is needed, and stays needed"


def test_the_names_of_a_configuration() -> None:
    from dnsops.base.settings import Settings

    base = {"hostname": "mx1.example.org", "domains": ["example.org"]}
    every = wanted(Settings.model_validate(base))
    labels = ("mta-sts", "autoconfig", "autodiscover", "mail", "ua-auto-config")
    assert every == ("mx1.example.org", *(f"{label}.example.org" for label in labels))
    few = {"mta_sts": {"mode": "none"}, "client_setup": False, "client_name": False}
    assert wanted(Settings.model_validate(base | {"records": few})) == ("mx1.example.org",)
    wild = wanted(Settings.model_validate(base | {"acme": {"names": ["*.example.org", "example.net"]}}))
    assert wild == ("mx1.example.org", "*.example.org", "example.net")
    assert ordered(["Mx1.Example.org", "a.example.org.", "A.example.org"]) == ("mx1.example.org", "a.example.org")
