"""Addresses that are a program and no mailbox: what comes there is worked on while its sender waits for 250.

    stations = Stations({"echo@example.org": Echoing(...), "dmarc-reports@example.org": Reports(...)})

A station answers with messages, which are accepted in the commit of the mail itself; or with None, and the mail is a
person's to read: it goes to postmaster. Fails by: `Later` becomes 451.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mailsrv.receive.letters import Envelope
from mailsrv.store.door import Message

if TYPE_CHECKING:
    from mailsrv.receive.judging import Judged


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came. judged: None for mail of our own users."""

    envelope: Envelope
    recipient: str
    content: bytes
    judged: Judged | None


class Station(Protocol):
    """A program at an address."""

    async def take(self, arrived: Arrived) -> Sequence[Message] | None:
        """Messages to be accepted with it; None: it is to be kept as mail."""
        ...


@dataclass(frozen=True)
class Stations:
    """By address, in lower case."""

    by_address: Mapping[str, Station]

    def at(self, address: str) -> Station | None:
        return self.by_address.get(address.lower())
