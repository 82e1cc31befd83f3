"""All of it together: the queue on SQLite, real connections to hosts that misbehave, notices in the sender's mailbox."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from dnsops.resolve.answer import Security
from dnsops.resolve.memory import MemoryDns
from mailsrv.send.carrier import Carrier
from mailsrv.send.client import Patience
from mailsrv.send.connections import Connections
from mailsrv.send.route import Ours, Router
from mailsrv.send.schedule import DAY
from mailsrv.store.sqlite import SqliteStore
from tests.mailsrv.send.sink import DROP, Sink
from tests.mailsrv.send.test_story import actions
from tests.mailsrv.send.world import World

PATIENCE = Patience(connect=5, handshake=5, greeting=5, command=5, data=5, block=5, final=5, goodbye=1)


def run(story: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await story

    asyncio.run(bounded())


def carrier(dns: MemoryDns, port: int) -> Carrier:
    return Carrier(Router(Ours(loopback=False), port=port), dns, Connections("mx.us.org", PATIENCE))


def one_mx(address: str = "127.0.0.1") -> MemoryDns:
    dns = MemoryDns({"example.net": Security.SECURE})
    dns.put("example.net", "MX", "10 mx.example.net.")
    dns.put("mx.example.net", "A", address)
    return dns


def test_a_queue_of_many_flows_over_few_connections(tmp_path: Path) -> None:
    async def story() -> None:
        async with Sink() as sink:
            world = World(store=SqliteStore(tmp_path / "store"), carrier=carrier(one_mx(), sink.port))
            for number in range(150):
                await world.send(f"x{number}@example.net")
            running = asyncio.create_task(world.outbound.run())
            while await world.queue():
                await asyncio.sleep(0.02)
            await world.outbound.stop()
            await running
            assert len(sink.messages) == 150
            assert sink.most_at_once <= 5
            assert sink.connections <= 7  # a session carries a hundred
            await world.store.close()

    run(story())


def test_bad_weather_at_every_stage(tmp_path: Path) -> None:
    """Each recipient once at the peer, or in a notice; twice only where the final 250 was lost (P-03)."""

    async def story() -> None:
        rng = random.Random(3)
        says = {
            stage: [rng.choice(bad + [good] * 3) for _ in range(60)] + [good]
            for stage, good, bad in (
                ("greeting", "220 sink", ["421 busy", DROP]),
                ("MAIL", "250 2.1.0 ok", ["450 4.7.1 wait", DROP]),
                ("RCPT", "250 2.1.5 ok", ["450 4.2.0 wait", "550 5.1.1 no", DROP]),
                ("DATA", "354 go", ["451 4.3.0 wait", DROP]),
                (".", "250 2.0.0 taken", ["451 4.7.1 wait", "554 5.7.1 spam"]),
            )
        }
        async with Sink(says) as sink:
            world = World(store=SqliteStore(tmp_path / "store"), carrier=carrier(one_mx(), sink.port), workers=2)
            await world.store.account("a")
            sent = [f"x{number}@example.net" for number in range(40)]
            for recipient in sent:
                await world.send(recipient)
            await world.after(6 * DAY)
            assert await world.queue() == ()
            taken = Counter(line[9:-1].partition(">")[0] for message in sink.messages for line in message.rcpts)
            notices = [action for notice in await world.inbox() for action in actions(notice)]
            failed = Counter(recipient for recipient, action, _ in notices if action == "failed")
            assert taken + failed == Counter(sent)
            assert taken
            assert failed
            await world.outbound.stop()
            await world.store.close()

    run(story())


def test_a_lost_final_answer_is_the_only_way_to_a_duplicate(tmp_path: Path) -> None:
    async def story() -> None:
        async with Sink({".": [DROP, "250 2.0.0 taken"]}) as sink:
            world = World(store=SqliteStore(tmp_path / "store"), carrier=carrier(one_mx(), sink.port))
            await world.send("x@example.net")
            await world.after(DAY)
            assert await world.queue() == ()
            assert len(sink.messages) == 2  # the sink drops after it has taken it
            await world.outbound.stop()
            await world.store.close()

    run(story())
