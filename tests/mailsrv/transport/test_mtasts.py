"""A domain's policy over time: S-STS-05..07, RFC 8461 3.3, 5.1, 10.2."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from dnsops.base.errors import Later
from dnsops.records.txt.mtasts import Mode, Sts
from dnsops.resolve.answer import Security
from dnsops.resolve.memory import MemoryDns
from mailsrv.transport.caching import Cache, Kept
from mailsrv.transport.found import Fault, Found
from mailsrv.transport.mtasts import StsPolicies
from mailsrv.transport.outcome import Trouble

T = TypeVar("T")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TXT = "_mta-sts.example.org"
ENFORCE = Sts(Mode.ENFORCE, ("mx1.example.org",), 7 * 86400)
OTHER = Sts(Mode.ENFORCE, ("mx2.example.org",), 7 * 86400)
NONE = Sts(Mode.NONE, (), 86400)
DOWN = Fault(Trouble.STS_POLICY_FETCH_ERROR, "the web server is down")


@dataclass
class Web:
    """What a fetch brings; who was asked for."""

    now: Sts | Fault = ENFORCE
    asked: list[str] = field(default_factory=list)

    async def fetch(self, domain: str) -> Sts | Fault:
        self.asked.append(domain)
        await asyncio.sleep(0)
        return self.now


class World:
    def __init__(self, directory: Path | None = None, number: str = "1", most: int = 100) -> None:
        self.dns, self.web, self.now = MemoryDns({"example.org": Security.INSECURE}), Web(), NOON
        self.directory, self.most = directory, most
        self.announce(number)
        self.restart()

    def restart(self) -> None:
        self.sts = StsPolicies(self.dns, self.web, Cache(self.directory, self.most), lambda: self.now)

    def announce(self, number: str | None) -> None:
        self.dns.put(TXT, "TXT", *([f'"v=STSv1; id={number};"'] if number else []))

    async def find(self, domain: str = "example.org") -> Found:
        return await self.sts.find(domain)


def run(story: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(story)


def test_announced_is_fetched_once_and_kept() -> None:
    async def story() -> None:
        world = World()
        found = await asyncio.gather(*(world.find() for _ in range(10)))
        assert {one.sts for one in found} == {ENFORCE}
        assert (await world.find("EXAMPLE.org.")).sts == ENFORCE
        assert world.web.asked == ["example.org"]

    run(story())


@pytest.mark.parametrize(
    "records", [[], ['"v=STSv1; id=;"'], ['"v=STSv1; id=1;"', '"v=STSv1; id=2;"'], ['"v=spf1 -all"']]
)
def test_what_is_not_announced_is_not_fetched(records: list[str]) -> None:
    async def story() -> None:
        world = World()
        world.dns.put(TXT, "TXT", *records)
        assert (await world.find()).sts is None
        assert world.web.asked == []

    run(story())


def test_a_record_in_pieces_is_one() -> None:
    """RFC 8461 3.1: strings are joined without blanks."""

    async def story() -> None:
        world = World()
        world.dns.put(TXT, "TXT", '"v=STSv1; i" "d=7;"')
        assert (await world.find()).sts == ENFORCE

    run(story())


@pytest.mark.parametrize("security", [Security.BOGUS, Security.FAILED])
def test_s_dns_01_unknown_is_later_and_not_none(security: Security) -> None:
    async def story() -> None:
        world = World()
        world.dns.verdict(TXT, security, "an attacker")
        with pytest.raises(Later, match=r"cannot be known now: an attacker"):
            await world.find()
        assert world.web.asked == []

    run(story())


@pytest.mark.parametrize(
    "loss",
    [
        lambda world: world.announce(None),
        lambda world: world.dns.put(TXT, "TXT", '"v=STSv1"'),
        lambda world: world.dns.verdict(TXT, Security.BOGUS),
        lambda world: world.dns.verdict(TXT, Security.FAILED),
    ],
)
def test_s_sts_07_what_is_kept_survives_the_loss_of_the_dns(loss: Callable[[World], None], tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path)
        await world.find()
        loss(world)
        world.restart()
        world.now += DAY * 6
        found = await world.find()
        assert found.sts == ENFORCE
        assert found.why.startswith("kept; ")
        world.now += DAY
        if world.dns._verdicts:
            with pytest.raises(Later):
                await world.find()
        else:
            assert (await world.find()).sts is None

    run(story())


def test_s_sts_05_a_new_id_brings_the_new_policy() -> None:
    async def story() -> None:
        world = World()
        await world.find()
        world.web.now = NONE
        world.announce("2")
        assert (await world.find()).sts == NONE
        assert (await world.find()).sts == NONE
        assert len(world.web.asked) == 2

    run(story())


def test_s_sts_05_a_new_id_without_its_policy_leaves_the_old_until_its_end() -> None:
    """Else whoever can answer for the TXT record and break HTTPS could switch it off."""

    async def story() -> None:
        world = World()
        await world.find()
        world.web.now = DOWN
        world.announce("2")
        found = await world.find()
        assert (found.sts, found.fault) == (ENFORCE, DOWN)
        world.now += DAY * 7
        assert (await world.find()).sts is None

    run(story())


def test_s_sts_05_the_same_id_with_another_body_is_the_same_until_refreshed() -> None:
    async def story() -> None:
        world = World()
        await world.find()
        world.web.now = OTHER
        assert (await world.find()).sts == ENFORCE
        assert await world.sts.refresh() == 0
        world.now += DAY
        assert await world.sts.refresh() == 1
        assert (await world.find()).sts == OTHER

    run(story())


def test_s_sts_06_the_domain_of_the_address_is_asked_and_no_other() -> None:
    """Not the host's, not a parent's (what mox got wrong once)."""

    async def story() -> None:
        world = World()
        assert (await world.find("mx1.example.org")).sts is None
        assert (await world.find("sub.example.org")).sts is None
        assert world.web.asked == []
        assert {name for name, _ in world.dns.asked} == {"_mta-sts.mx1.example.org", "_mta-sts.sub.example.org"}

    run(story())


def test_a_failed_fetch_is_not_tried_again_for_five_minutes() -> None:
    async def story() -> None:
        world = World()
        world.web.now = DOWN
        for _ in range(5):
            found = await world.find()
            assert (found.sts, found.fault) == (None, DOWN)
        assert len(world.web.asked) == 1
        world.announce("2")  # another id is another policy
        await world.find()
        assert len(world.web.asked) == 2
        world.web.now = ENFORCE
        world.now += timedelta(minutes=5)
        assert (await world.find()).sts == ENFORCE

    run(story())


def test_refreshing_keeps_a_policy_beyond_its_end() -> None:
    """RFC 8461 10.2: else an attacker would only have to wait."""

    async def story() -> None:
        world = World()
        await world.find()
        for _ in range(20):
            world.now += DAY
            await world.sts.refresh()
        world.announce(None)
        assert (await world.find()).sts == ENFORCE
        assert len(world.web.asked) == 21

    run(story())


def test_a_refresh_that_fails_changes_nothing() -> None:
    async def story() -> None:
        world = World()
        await world.find()
        world.now += DAY
        for loss in (lambda: setattr(world.web, "now", DOWN), lambda: world.announce(None)):
            loss()
            assert await world.sts.refresh() == 0
            assert (await world.find()).sts == ENFORCE

    run(story())


def test_a_policy_that_nobody_needs_is_forgotten() -> None:
    async def story() -> None:
        world = World()
        await world.find()
        for _ in range(60):
            world.now += DAY
            await world.sts.refresh()
        assert len(world.web.asked) == 1 + 29

    run(story())


def test_it_survives_a_restart(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path)
        await world.find()
        world.restart()
        assert (await world.find()).sts == ENFORCE
        assert len(world.web.asked) == 1

    run(story())


@pytest.mark.parametrize("spoil", [b"", b"{}", b"[]", b"\xff", b'{"domain": "example.org", "id": 1}', b"x" * 2_000_000])
def test_a_spoilt_file_is_no_policy_and_no_accident(spoil: bytes, tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path)
        await world.find()
        (tmp_path / "example.org.json").write_bytes(spoil)
        world.restart()
        assert (await world.find()).sts == ENFORCE
        assert len(world.web.asked) == 2

    run(story())


def test_a_file_of_another_name_is_nobodys(tmp_path: Path) -> None:
    kept = Kept("example.org", "1", ENFORCE, NOON, NOON)
    assert Kept.parse(str(kept).encode()) == kept
    (tmp_path / "example.com.json").write_text(str(kept))
    assert Cache(tmp_path).get("example.org", NOON) is None


def test_a_full_cache_drops_what_ends_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, most=3)
    for number, age in enumerate((3000, 1000, 2000, 4000)):
        kept = Kept(f"d{number}.example.org", "1", Sts(Mode.NONE, (), age), NOON, NOON)
        cache.put(kept)
        cache.save(kept)
    assert sorted(kept.domain for kept in cache) == ["d0.example.org", "d2.example.org", "d3.example.org"]
    assert sorted(kept.domain for kept in Cache(tmp_path)) == ["d0.example.org", "d2.example.org", "d3.example.org"]


def test_the_longest_name_has_a_file_too(tmp_path: Path) -> None:
    domain = ".".join(["a" * 61] * 4)
    cache = Cache(tmp_path)
    kept = Kept(domain, "1", ENFORCE, NOON, NOON)
    cache.put(kept)
    cache.save(kept)
    assert Cache(tmp_path).get(domain, NOON) == kept


def test_a_disk_that_fails_costs_durability_only(tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "file").write_text("")
        world = World(tmp_path / "file" / "below")
        assert (await world.find()).sts == ENFORCE
        assert (await world.find()).sts == ENFORCE
        assert len(world.web.asked) == 1

    run(story())


def test_a_policy_for_no_time_at_all_is_not_fetched_for_each_message() -> None:
    async def story() -> None:
        world = World()
        world.web.now = Sts(Mode.ENFORCE, ("mx1.example.org",), 0)
        for _ in range(5):
            assert (await world.find()).sts is not None
        assert len(world.web.asked) == 1
        world.now += timedelta(minutes=5)
        await world.find()
        assert len(world.web.asked) == 2

    run(story())


def test_a_domain_has_one_policy_in_every_spelling() -> None:
    async def story() -> None:
        world = World()
        world.dns.put("_mta-sts.xn--bcher-kva.example", "TXT", '"v=STSv1; id=1;"')
        for spelling in ("bücher.example", "BÜCHER.example.", "xn--bcher-kva.example"):
            assert (await world.find(spelling)).sts == ENFORCE
        assert world.web.asked == ["xn--bcher-kva.example"]
        assert (await world.find("no such..name")).sts is None

    run(story())
