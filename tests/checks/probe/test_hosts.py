"""Which name servers a name has by the site's rule, and whose addresses are tried."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from checks.facts import Lookup, Question, Reached
from checks.probe import hosts
from checks.probe.book import MOST, Book

RECORDS = {
    ("example.org", "NS"): ("ns2.example.org.", "ns1.example.org."),
    ("org", "NS"): ("a.nic.org.",),
    ("ns1.example.org", "A"): ("192.0.2.1",),
    ("ns1.example.org", "AAAA"): ("2001:db8::1", "::ffff:192.0.2.1"),
    ("ns2.example.org", "A"): ("192.0.2.2",),
}


class Memory:
    """Answers from a table, and counts."""

    by = "memory"

    def __init__(self, records: Mapping[tuple[str, str], tuple[str, ...]]) -> None:
        self.records, self.asked = records, list[Question]()

    async def look(self, question: Question) -> Lookup:
        self.asked.append(question)
        await asyncio.sleep(0)
        return Lookup(question.name, question.type, records=self.records.get((question.name, question.type), ()))


@pytest.mark.parametrize(
    "name, rooted, names",
    [
        ("a.b.example.org", False, ["a.b.example.org", "b.example.org", "example.org"]),
        ("a.example.org", True, ["a.example.org", "example.org", "org"]),
        ("org", False, ["org"]),
    ],
)
def test_labels_are_taken_from_the_left(name: str, rooted: bool, names: list[str]) -> None:
    assert list(hosts.ascent(name, rooted)) == names


@pytest.mark.parametrize(
    "name, rooted, found",
    [
        ("example.org", False, ["ns1.example.org", "ns2.example.org"]),
        ("deep.in.example.org", False, ["ns1.example.org", "ns2.example.org"]),
        ("other.org", False, []),
        ("other.org", True, ["a.nic.org"]),
    ],
)
def test_the_first_name_above_with_servers_is_it(name: str, rooted: bool, found: list[str]) -> None:
    async def story() -> list[str]:
        async with Book(Memory(RECORDS)) as book:
            return await hosts.serving(book, name, rooted)

    assert asyncio.run(story()) == found


def test_each_address_is_tried_but_for_mapped_ones() -> None:
    tried = []

    async def reach(address: str) -> Reached:
        tried.append(address)
        return Reached(address, ":" not in address)

    async def story() -> None:
        async with Book(Memory(RECORDS)) as book:
            first, second = await hosts.name_servers(book, "example.org", reach)
        assert (first.v4, first.v6) == (("192.0.2.1",), ("2001:db8::1",))
        assert [one.ok for one in first.reached] == [False, True]
        assert (second.v6, len(second.reached)) == ((), 1)

    asyncio.run(story())
    assert sorted(tried) == ["192.0.2.1", "192.0.2.2", "2001:db8::1"]


def test_the_book_asks_once_and_not_for_ever() -> None:
    memory = Memory({})

    async def story() -> None:
        async with Book(memory) as book:
            await asyncio.gather(*(book.look("example.org", "A") for _ in range(5)))
            assert len(memory.asked) == 1
            found = [await book.look(f"{number}.example.org", "A") for number in range(MOST)]
            assert (found[-2].answered, found[-1].answered) == (True, False)

    asyncio.run(story())
