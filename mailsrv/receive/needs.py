"""What receiving asks of the other rooms, as small as the need. Pure types.

The directory tells where an address leads and who may send as whom; the store keeps; `Accounts` logs in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from mailsrv.directory.accounts import Route
from mailsrv.smtp.door import Client, Login
from mailsrv.store.door import Message, Placed, Usage

if TYPE_CHECKING:
    from mailsrv.auth.verdicts import Arc
    from mailsrv.reports.seen import Seen


class Right(Protocol):
    """Whether one may, and why not."""

    @property
    def allowed(self) -> bool: ...

    @property
    def why(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Said:
    """A header field that names a writer, and the addresses in it; None when they cannot be read."""

    name: str
    addresses: Sequence[str] | None


class Directory(Protocol):
    """Where addresses lead. Fails by `Later`."""

    def resolve(self, address: str) -> Route: ...

    def exact(self, address: str) -> bool:
        """Whether someone has just this address: no tag taken off, no catch-all."""
        ...


class Rights(Protocol):
    """Who may send as whom. `account`: the name that `Login` gave."""

    def envelope(self, account: str, sender: str) -> Right:
        """MAIL FROM; "" is the null sender."""
        ...

    def header(self, account: str, fields: Sequence[Said]) -> Right:
        """From, Sender, Resent-From and Resent-Sender, each as often as it stands there."""
        ...


class Accounts(Protocol):
    """Logging in."""

    def mechanisms(self, client: Client) -> tuple[str, ...]: ...

    def login(self, client: Client, mechanism: str) -> Login | None: ...


class Keeping(Protocol):
    """Of the Store (mailsrv.store.door)."""

    async def accept(self, message: Message, *more: Message) -> tuple[Placed, ...]: ...

    async def usage(self, account: str) -> Usage: ...


class Noting(Protocol):
    """Where what is seen is counted for reports; never waits, never fails."""

    def saw(self, seen: Seen | None) -> None: ...


class Leaving(Protocol):
    """What is put to mail of ours, and to mail that an alias sends on (mailsrv.receive.outgoing)."""

    def signed(self, content: bytes, now: datetime) -> bytes: ...

    def back(self, address: str, now: datetime) -> str | None:
        """Whose address it was before we rewrote it; None for what is no rewritten address of ours."""
        ...

    def forward(self, sender: str, via: str, now: datetime) -> str:
        """The sender under which mail goes on by the alias `via`."""
        ...

    def seal(self, content: bytes, found: Arc, results: str, via: str, now: datetime) -> bytes: ...


class Unsigned:
    """`Leaving` of a server without keys."""

    def signed(self, content: bytes, now: datetime) -> bytes:
        return content

    def forward(self, sender: str, via: str, now: datetime) -> str:
        return sender

    def seal(self, content: bytes, found: Arc, results: str, via: str, now: datetime) -> bytes:
        return b""

    def back(self, address: str, now: datetime) -> str | None:
        return None


class Nobody:
    """`Accounts` of a port where nobody logs in."""

    def mechanisms(self, client: Client) -> tuple[str, ...]:
        return ()

    def login(self, client: Client, mechanism: str) -> Login | None:
        return None
