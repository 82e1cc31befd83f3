"""A queue of ours on memory, sending for real to wherever a little DNS says, and what its log told of it.

found = sent(sink, dns_of("example.net"))
found.events, found.bounces
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from dnsops.resolve.answer import Security
from dnsops.resolve.memory import MemoryDns
from mailsrv.send.carrier import Carrier
from mailsrv.send.client import Patience
from mailsrv.send.connections import Connections
from mailsrv.send.encrypting import Contexts, contexts
from mailsrv.send.route import Ours, Router
from mailsrv.transport.noting import Notes
from mailsrv.transport.outcome import Outcome
from mailsrv.transport.policy import Policies
from tests.mailsrv.send.sink import Sink
from tests.mailsrv.send.test_story import actions
from tests.mailsrv.send.world import CONTENT, World

TO = "x@example.net"
HOST = "mx0.example.net"
PATIENCE = Patience(connect=5, handshake=5, greeting=5, command=5, data=5, block=5, final=5, goodbye=1)


@dataclass
class Found:
    """events: (event, code, trust) of each line about a recipient.  bounces: (recipient, action, status) told to the sender."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    bounces: list[tuple[str, str, str]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)  # of the TLS report
    waiting: int = 0

    @property
    def events(self) -> list[tuple[str, str, str]]:
        return [(line["event"].removeprefix("send."), line["code"], line["trust"]) for line in self.lines]


class Heard(list[Outcome]):
    def note(self, outcome: Outcome) -> None:
        self.append(outcome)


def dns_of(domain: str = "example.net", *addresses: str) -> MemoryDns:
    """One MX, by default on this machine."""
    dns = MemoryDns({domain: Security.SECURE})
    dns.put(domain, "MX", f"10 mx0.{domain}.")
    dns.put(f"mx0.{domain}", "A", *(addresses or ("127.0.0.1",)))
    return dns


def sent(
    sink: Sink,
    dns: MemoryDns,
    recipients: Sequence[str] = (TO,),
    content: bytes = CONTENT,
    policies: Policies | None = None,
    ours: Ours = Ours(loopback=False),  # the sink's address is somebody else's here
    trusting: Contexts | None = None,
    time: timedelta = timedelta(0),
) -> Found:
    """A message to each recipient, one after the other, and what came of it within this time (by a clock of the test's own)."""

    async def story() -> Found:
        async with sink:
            heard = Heard()
            notes = Notes(lambda: datetime.now(UTC), heard, "mx.us.org")
            connections = Connections("mx.us.org", PATIENCE, trusting or contexts())
            carrier = Carrier(Router(ours, port=sink.port), dns, connections, policies, notes)
            world = World(carrier=carrier)
            await world.store.account("a")
            for recipient in recipients:
                await world.send(recipient, content=content)
                await world.outbound.once()
            await world.after(time)
            await world.outbound.stop()
            lines = [
                line for line in map(json.loads, world.said.getvalue().splitlines()) if line.get("to") in recipients
            ]
            bounces = [action for notice in await world.inbox() for action in actions(notice)]
            troubles = [one.trouble.value for one in heard if one.trouble]
            return Found(lines, bounces, troubles, len(await world.queue()))

    async def bounded() -> Found:
        async with asyncio.timeout(30):
            return await story()

    return asyncio.run(bounded())
