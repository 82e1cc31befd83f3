"""A queue to watch: the store in memory, a clock that is turned by hand, attempts that end as the test says."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from dnsops.base.log import Log
from mailsrv.directory.accounts import Delivery, Forward, Outcome, Route
from mailsrv.message.digest import digest
from mailsrv.send.carrier import Carried, Load
from mailsrv.send.homeward import Homeward
from mailsrv.send.letter import Recipient
from mailsrv.send.story import Limits, Outbound
from mailsrv.send.verdict import Fate, Verdict
from mailsrv.store.door import Hop, Message, Queued, Store
from mailsrv.store.memory import MemoryStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CONTENT = b"From: a@us.org\r\nSubject: hello\r\nMessage-ID: <1@us.org>\r\n\r\nhello\r\n"
TAKEN = Verdict(Fate.DELIVERED, "2.0.0", "taken", "mx.example.net", "250 2.0.0 ok")
RELAYED = Verdict(Fate.RELAYED, "2.0.0", "taken", "mx.example.net", "250 2.0.0 ok")
NO = Verdict(Fate.FAILED, "5.1.1", "refused at RCPT", "mx.example.net", "550 5.1.1 nobody")
WAIT = Verdict(Fate.LATER, "4.2.0", "refused at RCPT", "mx.example.net", "450 4.2.0 wait")
DARK = Verdict(Fate.LATER, "4.4.1", "no answer")
HERE = Verdict(Fate.HERE, "2.0.0", "here")
REWRITTEN = {"SRS0=far@us.org": "far@example.com"}  # senders of what an alias sent on

Weather = Callable[[Recipient], Verdict]


@dataclass
class Clock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Fake:
    """`Carries`: every attempt ends as the weather has it; DARK is nobody reached."""

    weather: Weather = lambda recipient: TAKEN
    attempts: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    closed: bool = False

    def lane(self, domain: str) -> str:
        return domain.lower()

    async def carry(self, domain: str, load: Load, recipients: Sequence[Recipient]) -> Carried:
        self.attempts.append((domain, tuple(recipient.address for recipient in recipients)))
        verdicts = {recipient.id: self.weather(recipient) for recipient in recipients}
        reached = any(verdict != DARK for verdict in verdicts.values())
        if reached:
            letter = await load()
            assert letter.body.endswith(b"\r\n.\r\n")
        return Carried(verdicts, None if reached else DARK)

    async def close(self) -> None:
        self.closed = True


class Directory:
    """Everyone at us.org is the account of that name; alias@us.org goes elsewhere; nobody@us.org is nobody."""

    def resolve(self, address: str) -> Route:
        local, _, domain = address.rpartition("@")
        if domain != "us.org":
            return Route(Outcome.ELSEWHERE, address)
        if local in ("nobody", "SRS0=far"):
            return Route(Outcome.UNKNOWN, address)
        if local == "alias":
            return Route(Outcome.KNOWN, address, forwards=(Forward("out@example.net", address),))
        return Route(Outcome.KNOWN, address, (Delivery(local, address),))


class World:
    """The queue and all around it. Use inside a running loop."""

    def __init__(
        self, weather: Weather | None = None, store: Store | None = None, carrier: Any = None, **limits: Any
    ) -> None:
        self.clock, self.numbers = Clock(), iter(range(10**9))
        self.carrier = carrier or Fake(weather or (lambda recipient: TAKEN))
        self.store = store or MemoryStore(self.clock)
        self.said = io.StringIO()
        self.settings = Limits(**{"poll": 0.05, "patience": 0.01, **limits})
        self.outbound = self.built()

    def built(self) -> Outbound:
        names = lambda: f"t{next(self.numbers)}"  # noqa: E731 - a name for one line
        back = lambda address, now: REWRITTEN.get(address)  # noqa: E731
        inside = Homeward("mx.us.org", Directory(), self.store, names, back=back)
        log = Log(self.said, json_lines=True)
        return Outbound(self.store, self.carrier, inside, log, self.clock, limits=self.settings, chance=lambda: 0.5)

    async def send(
        self, *recipients: str | Hop, sender: str = "a@us.org", options: tuple[str, ...] = (), content: bytes = CONTENT
    ) -> None:
        hops = tuple(hop if isinstance(hop, Hop) else Hop(hop) for hop in recipients)
        await self.store.accept(Message(content, digest(content), self.clock.now, (), hops, sender, options))

    async def after(self, time: timedelta) -> None:
        """Time goes by, and what is due is tried when it is due."""
        end = self.clock.now + time
        while True:
            await self.outbound.once()
            due = [one.next for one in await self.store.queue() if one.next <= end]
            if not due:
                break
            self.clock.now = max(self.clock.now, min(due))
        self.clock.now = end

    async def queue(self) -> tuple[Queued, ...]:
        return await self.store.queue()

    async def inbox(self, account: str = "a") -> list[bytes]:
        """The contents of everything in an account's INBOX."""
        boxes = [box for box in await self.store.mailboxes(account) if box.name == "INBOX"]
        return [await self.store.content(row.blob) for box in boxes for row in await self.store.rows(box.id)]
