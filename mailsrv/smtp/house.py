"""What all sessions of one listener share. Made once, handed in; nothing here is looked up from the air.

Fails by: nothing.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from dnsops.base.log import Value
from mailsrv.smtp.door import Client, Service
from mailsrv.smtp.limits import Gate, Limits, Network
from mailsrv.smtp.replies import Reply
from mailsrv.smtp.spool import Memory


class Events(Protocol):
    """Where log lines go: `dnsops.base.log.Log`."""

    def __call__(self, event: str, **fields: Value) -> None: ...


class Talker(Protocol):
    """A session, as much of it as closing the house needs."""

    @property
    def idle(self) -> bool: ...

    @property
    def account(self) -> str: ...

    def hang_up(self, reply: Reply) -> None: ...


@dataclass(eq=False)
class House:
    """A listener's rules and its common rooms. Listeners of one process share `gate` and `memory`."""

    hostname: str
    service: Service
    log: Events
    limits: Limits = field(default_factory=Limits)
    tls: Callable[[], ssl.SSLContext] | None = None  # asked at each handshake: contexts swap while sessions live
    implicit_tls: bool = False
    require_tls: bool = False  # no mail before STARTTLS
    plain_login: bool = False  # whether passwords may come in the clear
    proxies: tuple[Network, ...] = ()  # those who must begin with a PROXY header
    bindings: Callable[[ssl.SSLObject], tuple[tuple[str, bytes], ...]] | None = None  # for SCRAM-…-PLUS
    folder: Path | None = None  # of large messages while they come in
    gate: Gate | None = None
    memory: Memory | None = None
    sessions: set[Talker] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.door = self.gate or Gate(self.limits)
        self.room = self.memory or Memory(self.limits.room)
        self.greeting = Reply(220, "", f"{self.hostname} ESMTP")

    def mechanisms(self, client: Client) -> tuple[str, ...]:
        """The SASL mechanisms to offer this client now (RFC 4954 4: none in the clear unless allowed)."""
        if client.account or (client.tls is None and not self.plain_login):
            return ()
        return self.service.mechanisms(client)
