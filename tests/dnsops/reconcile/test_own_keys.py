"""Our own keys rolled in the small world: announced, certified, served after two TTLs, whatever fails on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dnsops.base.errors import ForUser, Later
from dnsops.base.moment import Moment
from dnsops.certs.chain import Chain
from dnsops.certs.generations import Generations
from dnsops.certs.sources.mailsrv import Ours
from dnsops.resolve.answer import Security
from tests.dnsops import certificates
from tests.dnsops.certificates import chain
from tests.dnsops.reconcile.test_tlsa import FAULTS, said, steps
from tests.dnsops.reconcile.world import ADDRESSES, HOST, NOON, FixedSource, Killed, World, record

OLD = chain("old")


class Own:
    """Our own generations in the small world: a key store on disk, and a server that shows `current` after a reload."""

    def __init__(self, world: World, directory: Path, ports: Sequence[int] = (25,)) -> None:
        self.world = world
        self.keys = Generations(directory / "certs", now=lambda: NOON)
        self.keys.make_next(HOST)
        self.certify()
        self.keys.promote(HOST)
        world.on_command = self.reload
        source = FixedSource(OLD)
        source.read = self.read  # type: ignore[method-assign]
        world.targets = [
            world.target(port=port, sources=(source,), keys=self.keys, reload=("reload",)) for port in ports
        ]
        world.ports = {(address, port): self.read(HOST) for address in ADDRESSES for port in ports}
        self.reload(())

    def read(self, host: str) -> Chain:
        return Ours(self.keys).find(host)

    def reload(self, command: Sequence[str]) -> str:
        self.world.serve(self.read(HOST))
        return ""

    def certify(self) -> None:
        upcoming = self.keys.next(HOST)
        assert upcoming
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        public = load_der_public_key(upcoming.spki)
        self.keys.install_chain(HOST, certificates.pem(*certificates.issue(public, HOST)))  # type: ignore[arg-type]


def live(world: World, hours: int) -> None:
    for _ in range(hours * 2):
        world.run()
        world.check()
        world.pass_time(minutes=30)
        world.check()


def test_our_own_key_rolls_with_no_moment_of_refusal(tmp_path: Path) -> None:
    world = World(tmp_path, OLD)
    own = Own(world, tmp_path)
    live(world, 8)
    first = own.keys.current(HOST)
    assert first
    assert len(world.published()) == 2, "the next key is announced all year"
    own.certify()
    live(world, 8)
    second = own.keys.current(HOST)
    assert second
    assert second.spki != first.spki
    assert world.commands == [("reload",)]
    live(world, 8)
    assert len(world.published()) == 2
    assert str(record(world.ports[ADDRESSES[0], 25] or OLD)) in world.published()


def test_a_key_is_not_served_before_its_record_had_two_ttls(tmp_path: Path) -> None:
    world = World(tmp_path, OLD)
    own = Own(world, tmp_path)
    own.certify() if own.keys.next(HOST) else own.keys.make_next(HOST)
    first = own.keys.current(HOST)
    own.certify()
    for _ in range(3):
        world.run()
        world.pass_time(minutes=39)
    assert own.keys.current(HOST) == first
    live(world, 6)
    assert own.keys.current(HOST) != first


def test_all_ports_of_a_host_switch_together(tmp_path: Path) -> None:
    world = World(tmp_path, OLD)
    own = Own(world, tmp_path, ports=(25, 465))
    live(world, 8)
    own.certify()
    first = own.keys.current(HOST)
    late = "_465._tcp.mx1.example.org"
    world.dns.verdict(late, Security.BOGUS)
    live(world, 8)
    assert own.keys.current(HOST) == first, "one port's records are not proven, so no port switches"
    world.dns.verdict(late, Security.SECURE)
    live(world, 12)
    assert own.keys.current(HOST) != first


def test_a_reload_that_fails_keeps_both_records_and_says_so(tmp_path: Path) -> None:
    world = World(tmp_path, OLD)
    own = Own(world, tmp_path)
    live(world, 8)
    own.certify()
    before = world.published()
    world.on_command = lambda command: "exit status 1 (unknown unit)"
    tlsa_wait(world)
    text = said(world)
    assert "reload: exit status 1 (unknown unit)" in text
    world.on_command = own.reload
    live(world, 12)
    assert len(world.published()) == 2
    assert not before <= world.published()


def tlsa_wait(world: World) -> None:
    """Until the switch was tried."""
    for _ in range(40):
        world.run()
        world.check()
        if world.commands:
            return
        world.pass_time(minutes=30)
    raise AssertionError("no switch was tried")


@pytest.mark.parametrize("fault", FAULTS[:2])
def test_a_fault_at_any_step_of_a_roll_leaves_everything_safe(tmp_path: Path, fault: object) -> None:
    for number in steps(fault):
        world = World(tmp_path / str(number), OLD)
        own = Own(world, tmp_path / str(number))
        first = own.keys.current(HOST)
        world.fail_at(number, fault())  # type: ignore[operator]
        hit = False
        for tick in range(26):
            try:
                hit = any(outcome.error for outcome in world.run()) or hit
            except (Killed, Later, ForUser):
                hit = True
            if tick == 8 and own.keys.next(HOST):
                own.certify()
            world.check()
            world.pass_time(minutes=30)
            world.check()
        shown = world.ports[ADDRESSES[0], 25]
        current = own.keys.current(HOST)
        assert current
        assert first
        assert (current.spki != first.spki, shown and shown.spki) == (True, current.spki), (number, world.steps)
        if not hit:
            break
    assert number > 8


def test_a_reboot_and_a_wild_clock_only_lengthen_the_wait(tmp_path: Path) -> None:
    world = World(tmp_path, OLD)
    own = Own(world, tmp_path)
    world.run()
    own.certify()
    for number in range(12):
        world.run()
        world.check()
        world.pass_time(minutes=59)
        # a boot in 1970, a boot in 2036, and back
        world.now = Moment(NOON + timedelta(days=3650 * (number % 3 - 1)), f"boot {number}", 10.0)
        world.cached = []
    assert not world.commands
    world.now = replace(world.now, wall=NOON)
    live(world, 8)
    assert world.commands
