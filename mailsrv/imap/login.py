"""What IMAP needs from the directory: who is this? Types only.

Fails by: None and `Denied` are verdicts, the same for a wrong password and a user who is not there. `Later` when nobody can tell now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dnsops.base.secrets import Secret


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end: the address, whether TLS protects the words, and what binds SASL to it (RFC 9266, 5929)."""

    address: str
    secure: bool = False
    exporter: bytes = b""  # tls-exporter
    end_point: bytes = b""  # tls-server-end-point


@dataclass(frozen=True, slots=True)
class Challenge:
    """The server's next words in the dialogue."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Granted:
    """It is this account; `data` is said with the success, where the mechanism has more to say."""

    account: str
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Denied:
    """No."""


Answer = Challenge | Granted | Denied


class Dialogue(Protocol):
    """One SASL exchange; the first step gets b"" when there is no initial response."""

    async def step(self, data: bytes) -> Answer: ...


class Login(Protocol):
    """The directory, as far as we need it. Passwords are checked off the event loop, and guessing is slowed there."""

    def mechanisms(self, peer: Peer) -> tuple[str, ...]:
        """The SASL mechanisms to offer to this peer."""
        ...

    def begin(self, mechanism: str, peer: Peer) -> Dialogue | None: ...

    async def password(self, name: str, password: Secret, peer: Peer) -> str | None:
        """The account that these open; None when they do not."""
        ...
