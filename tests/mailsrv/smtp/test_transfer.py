"""Messages octet by octet: whatever the pieces they come in, the same comes out, and nothing that has bare line ends."""

from __future__ import annotations

import asyncio
import random
import re
from pathlib import Path

import pytest

from mailsrv.smtp.inbox import Gone, Inbox, Overflow
from mailsrv.smtp.limits import Limits
from mailsrv.smtp.octets import Octets
from mailsrv.smtp.replies import BROKEN_ENDS, LINE_TOO_LONG_IN_DATA, Refused
from mailsrv.smtp.spool import Memory, Spool
from mailsrv.smtp.transfer import Transfer

BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


class Wire:
    """A transport that only counts how often it was told to wait."""

    paused = 0

    def pause_reading(self) -> None:
        self.paused += 1

    def resume_reading(self) -> None:
        pass


async def pour(inbox: Inbox, octets: bytes, rng: random.Random) -> None:
    """Feed the octets in pieces of random sizes."""
    while octets:
        count = rng.choice((1, 2, 3, 5, 100, 5000, 200_000))
        inbox.feed_data(octets[:count])
        octets = octets[count:]
        await asyncio.sleep(0)


def stuffed(message: bytes) -> bytes:
    lines = message.split(b"\r\n")
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines) + b".\r\n"


def some_message(rng: random.Random) -> bytes:
    """Lines of dots, of nothing, short ones and very long ones."""
    lines = rng.choices(
        [b"", b".", b"..", b".x", b"x.", b"y" * 70, b"z" * 300_000], [3, 3, 3, 3, 3, 30, 1], k=rng.randrange(60)
    )
    return b"".join(line + b"\r\n" for line in lines)


async def received(octets: bytes, rng: random.Random, limits: Limits) -> tuple[bytes, bytes]:
    """The message, and what is left unread."""
    inbox, memory = Inbox(asyncio.get_running_loop()), Memory(limits.room)
    transfer = Transfer(inbox, Spool(memory, limits.in_memory), limits, 0.0)
    feeding = asyncio.create_task(pour(inbox, octets, rng))
    try:
        await transfer.data()
        await feeding
        content = await transfer.content()
        return content, await inbox.some(100)
    finally:
        transfer.close()
        assert memory.used == 0


@pytest.mark.parametrize("seed", range(40))
def test_what_was_sent_is_what_arrives(seed: int) -> None:
    rng = random.Random(seed)
    message = some_message(rng)
    limits = Limits(in_memory=rng.choice((100, 1 << 20)))
    content, rest = asyncio.run(received(stuffed(message) + b"QUIT\r\n", rng, limits))
    assert content == message
    assert rest == b"QUIT\r\n"


@pytest.mark.parametrize("seed", range(60))
def test_bare_line_ends_are_always_found_and_what_follows_is_still_read_in_step(seed: int) -> None:
    rng = random.Random(seed)
    message = some_message(rng) + b"end\r\n"
    place = rng.randrange(len(message))
    broken = stuffed(message[:place] + rng.choice((b"\r", b"\n", b"\r\r\n", b"\n\n", b"\n.\n")) + message[place:])
    ends = broken.find(b"\r\n.\r\n")  # the insertion may have made or hidden an end
    first = b"" if broken.startswith(b".\r\n") else broken[: ends + 2]
    dotless = re.sub(rb"(^|\r\n)\.", rb"\1", first)
    if BARE.search(dotless):
        with pytest.raises(Refused) as refused:
            asyncio.run(received(broken + b"QUIT\r\n", rng, Limits()))
        assert refused.value.reply is BROKEN_ENDS
    else:
        content, _ = asyncio.run(received(broken + b"QUIT\r\n", rng, Limits()))
        assert content == dotless


@pytest.mark.parametrize("seed", range(200))
def test_octets_find_what_a_pattern_finds(seed: int) -> None:
    rng = random.Random(seed)
    text = b"".join(
        rng.choices([b"\r\n", b"\r", b"\n", b"a", b"."], [8, rng.random(), rng.random(), 8, 2], k=rng.randrange(80))
    )
    octets, start = Octets(10_000), 0
    while start < len(text):
        end = min(len(text), start + rng.randrange(1, 20))
        if text[end - 1 : end + 1] == b"\r\n":  # a block never parts them
            end += 1
        octets.look(text[start:end])
        start = end
    assert (octets.problem is BROKEN_ENDS) == bool(BARE.search(text))


@pytest.mark.parametrize(
    "blocks", [[b"x" * 6, b"x" * 5], [b"ab\r\n" + b"x" * 11], [b"x" * 11 + b"\r\nab"], [b"x" * 6, b"xxxxx\r\n"]]
)
def test_lines_longer_than_ten(blocks: list[bytes]) -> None:
    octets = Octets(10)
    for block in blocks:
        octets.look(block)
    assert octets.problem is LINE_TOO_LONG_IN_DATA


@pytest.mark.parametrize("blocks", [[b"x" * 10 + b"\r\n" + b"y" * 10], [b"x" * 5, b"x" * 5 + b"\r\n", b"y" * 10]])
def test_lines_of_ten(blocks: list[bytes]) -> None:
    octets = Octets(10)
    for block in blocks:
        octets.look(block)
    assert octets.problem is None


def test_the_peer_is_held_back_and_memory_stays_bounded() -> None:
    async def flood() -> tuple[int, int]:
        inbox, wire = Inbox(asyncio.get_running_loop()), Wire()
        inbox.set_transport(wire)  # type: ignore[arg-type]
        for _ in range(4):
            inbox.feed_data(b"A" * 100_000)
        held = inbox.count
        with pytest.raises(Overflow):
            await inbox.line(1000, 100_000)
        return wire.paused, held

    paused, held = asyncio.run(flood())
    assert paused == 1
    assert held <= 400_000


def test_a_peer_that_hangs_up_within_a_message() -> None:
    async def cut() -> None:
        inbox = Inbox(asyncio.get_running_loop())
        inbox.feed_data(b"Subject: x\r\n")
        inbox.feed_eof()
        with pytest.raises(Gone):
            await inbox.until_dot(1000, True)

    asyncio.run(cut())


def test_a_disk_that_fails_is_told_as_trouble_and_nothing_else(tmp_path: Path) -> None:
    async def fill() -> None:
        memory = Memory(1000)
        spool = Spool(memory, 10, tmp_path / "absent")
        with pytest.raises(Refused) as refused:
            await spool.add(b"x" * 100)
        assert refused.value.reply.code == 451
        assert "absent" not in refused.value.reply.text
        spool.close()
        assert memory.used == 0

    asyncio.run(fill())


def test_memory_goes_to_those_who_wait_in_turn() -> None:
    async def share() -> list[str]:
        memory, served = Memory(10), []

        async def want(name: str, count: int) -> None:
            await memory.take(count)
            served.append(name)

        await want("first", 8)
        waiting = [asyncio.create_task(want("large", 10)), asyncio.create_task(want("small", 2))]
        await asyncio.sleep(0)
        assert not memory.has(1)
        memory.give(8)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        memory.give(10)
        await asyncio.gather(*waiting)
        return served

    assert asyncio.run(share()) == ["first", "large", "small"]
