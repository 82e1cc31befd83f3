"""Where a session meets those who decide: the values and protocols of an SMTP listener. Pure types.

    Service       what a listener is for: who may log in, which mail may begin
    Transaction   one mail under way: its recipients, then the message
    Login         a SASL exchange (RFC 4422), one step at a time

They answer by raising `Refused`; `Later` becomes 451 (454 for a login).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mailsrv.smtp.grammar import Address
from mailsrv.smtp.parameters import MailOptions, RcptOptions
from mailsrv.smtp.replies import Reply

if TYPE_CHECKING:
    from mailsrv.auth.verdicts import Authentication


@dataclass(frozen=True, slots=True)
class Tls:
    """How the line is encrypted. The bindings are for SCRAM-…-PLUS: tls-exporter (RFC 9266), tls-server-end-point (RFC 5929)."""

    version: str
    cipher: str
    bits: int = 0
    bindings: tuple[tuple[str, bytes], ...] = ()


@dataclass(slots=True)
class Client:
    """Who speaks to us. `address` is the peer's IP address, or what a trusted proxy says it is.

    found: what its last message's origin was found to be, and the HELO that it was found with.
    """

    address: str
    port: int = 0
    helo: str = ""
    esmtp: bool = False
    tls: Tls | None = None
    account: str = ""  # who has logged in
    via: str = ""  # the proxy, when there is one
    found: tuple[str, Authentication] | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """The server's turn: octets for the client."""

    data: bytes


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """It is this account."""

    account: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """It is nobody, or not with these words. Nothing is told but `reply`, 535 unless given."""

    reply: Reply | None = None


class Login(Protocol):
    """One SASL exchange."""

    async def step(self, response: bytes | None) -> Challenge | LoggedIn | Rejected:
        """`response`: what the client sent; None at the start, when it sent no initial response."""
        ...


class Transaction(Protocol):
    """One mail under way."""

    async def recipient(self, address: Address, options: RcptOptions) -> None:
        """Take this recipient, or raise `Refused`."""
        ...

    async def message(self, content: bytes) -> Reply:
        """Take the message: only after it is safe comes 250. `content` ends its lines in CR LF and in nothing else."""
        ...


class Service(Protocol):
    """What a listener is for."""

    def mechanisms(self, client: Client) -> tuple[str, ...]:
        """The SASL mechanisms to offer now; none where nobody logs in."""
        ...

    def login(self, client: Client, mechanism: str) -> Login | None:
        """An exchange by that mechanism, in upper case; None when it is not offered."""
        ...

    async def mail(self, client: Client, sender: Address | None, options: MailOptions) -> Transaction:
        """Begin a mail from `sender` (None: the null sender), or raise `Refused`."""
        ...
