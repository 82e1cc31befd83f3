"""An answer is kept for its TTL and not a second longer; a failure never."""

from __future__ import annotations

import asyncio

import pytest

from dnsops.records import rdata
from dnsops.resolve.answer import Answer, Security, failed
from dnsops.resolve.memory import MemoryDns
from dnsops.resolve.remembered import Remembered


class World:
    """A little DNS, a clock that is told, and the memory between them."""

    def __init__(self, most: int = 100) -> None:
        self.now = 0.0
        self.dns = MemoryDns({"example.org": Security.SECURE})
        self.dns.put("example.org", "MX", "10 mx1.example.org.", ttl=60)
        self.remembered = Remembered(self.dns, lambda: self.now, most)

    def ask(self, name: str = "example.org", type_name: str = "MX") -> Answer:
        return asyncio.run(self.remembered.ask(name, type_name))

    @property
    def asked(self) -> int:
        return len(self.dns.asked)


@pytest.mark.parametrize("seconds, asked", [(0, 1), (59.9, 1), (60, 2), (3600, 2)])
def test_an_answer_is_kept_for_its_ttl(seconds: float, asked: int) -> None:
    world = World()
    first = world.ask()
    world.now = seconds
    assert world.ask() == first
    assert world.asked == asked


def test_no_answer_is_kept_longer_than_an_hour() -> None:
    world = World()
    world.dns.put("example.org", "MX", "10 mx1.example.org.", ttl=86400)
    world.ask()
    world.now = 3600
    world.ask()
    assert world.asked == 2


@pytest.mark.parametrize("security", [Security.BOGUS, Security.FAILED])
def test_trouble_is_never_kept(security: Security) -> None:
    world = World()
    world.dns.verdict("example.org", security)
    assert world.ask().security is security
    world.dns.verdict("example.org", Security.SECURE)
    assert world.ask().security is Security.SECURE


def test_an_answer_with_ttl_0_is_for_one_time() -> None:
    world = World()
    world.dns.put("example.org", "MX", "10 mx1.example.org.", ttl=0)
    world.ask()
    world.ask()
    assert world.asked == 2


def test_the_oldest_go_when_there_are_too_many() -> None:
    world = World(most=2)
    for name in ("a", "b", "c"):
        world.dns.put(f"{name}.example.org", "A", "192.0.2.1", ttl=60)
        world.ask(f"{name}.example.org", "A")
    before = world.asked
    world.ask("c.example.org", "A")
    world.ask("b.example.org", "A")
    assert world.asked == before
    world.ask("a.example.org", "A")
    assert world.asked == before + 1


class Slow:
    """Answers when told to."""

    def __init__(self) -> None:
        self.asked, self.go = 0, asyncio.Event()

    async def ask(self, name: str, type_name: str) -> Answer:
        self.asked += 1
        await self.go.wait()
        return failed(name, type_name, "silent")


def test_many_who_ask_at_a_time_ask_once_and_one_who_leaves_takes_nothing_along() -> None:
    async def story() -> tuple[int, list[Answer]]:
        slow = Slow()
        remembered = Remembered(slow, lambda: 0.0)
        tasks = [asyncio.create_task(remembered.ask("example.org", "MX")) for _ in range(5)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.sleep(0)
        slow.go.set()
        answers = await asyncio.gather(*tasks[1:])
        return slow.asked, answers

    asked, answers = asyncio.run(story())
    assert asked == 1
    assert [answer.why for answer in answers] == ["silent"] * 4


@pytest.mark.parametrize("text", ["x" * 200, "x" * 60_000])
def test_s_dns_05_what_strangers_write_into_their_zones_does_not_fill_our_memory(text: str) -> None:
    """The oldest make room; what is a large part of all by itself is not kept."""
    world = World(most=10_000)
    world.remembered = Remembered(world.dns, lambda: world.now, room=100_000)
    world.ask()
    for number in range(400):
        name = f"n{number}.example.org"
        world.dns.hold(name, "TXT", frozenset({rdata.txt(text)}))
        assert len(world.ask(name, "TXT").items) == 1
    assert world.remembered.weight <= 100_000
    before = world.asked
    world.ask()
    assert world.asked - before == (len(text) < 60_000)


def test_s_dns_05_many_small_records_weigh_too() -> None:
    world = World()
    world.remembered = Remembered(world.dns, lambda: world.now, room=100_000)
    world.dns.put("example.org", "A", *(f"192.0.2.{number}" for number in range(250)))
    for kind in ("A", "A", "MX", "MX"):
        world.ask(type_name=kind)
    assert world.asked == 3
