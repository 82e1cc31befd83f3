"""One client's session: its state (RFC 9051 3), what it enabled, its selected mailbox. Pure; the world is handed in as `House` and `Wire`.

STRANGER --login--> KNOWN <--close, unselect / select--> SELECTED          LOGOUT, BYE --> GONE, from everywhere
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Protocol, TypeVar

from mailsrv.imap import writers
from mailsrv.imap.index import Index
from mailsrv.imap.limits import Limits
from mailsrv.imap.login import Login, Peer
from mailsrv.imap.replies import Goodbye, Refused, bad
from mailsrv.imap.view import View
from mailsrv.store.door import Digest, Mailbox, Store

if TYPE_CHECKING:
    from dnsops.base.secrets import Secret

T = TypeVar("T")


class State(Enum):
    STRANGER = "nobody has logged in"
    KNOWN = "no mailbox is selected"
    SELECTED = "a mailbox is selected"
    GONE = "the session is over"


class Wire(Protocol):
    """The connection, as far as commands need it."""

    @property
    def peer(self) -> Peer: ...

    @property
    def compressed(self) -> bool: ...

    @property
    def can_start_tls(self) -> bool: ...

    def send(self, data: bytes) -> None:
        """Queue bytes; they leave in large pieces."""
        ...

    async def drained(self) -> None:
        """All on its way and room for more; others get their turn."""
        ...

    async def line(self, longest: int) -> bytes:
        """The client's next line, for IDLE and AUTHENTICATE."""
        ...

    async def away(self, work: Callable[[], T]) -> T:
        """Run in a thread."""
        ...

    def admit(self, account: str) -> bool:
        """Whether this account may have one more session; from now on it has."""
        ...

    def start_tls(self) -> None:
        """After the answer."""
        ...

    def start_deflate(self) -> None:
        """After the answer."""
        ...


class Noticing(Protocol):
    """What NOTIFY asked for (RFC 5465)."""

    selected: bool  # news of the selected mailbox between commands
    immediate: bool  # EXPUNGE as well

    async def arrived(self, session: Session, uids: Sequence[int]) -> None:
        """New messages in the selected mailbox, which the client knows by now."""
        ...

    async def tell(self, session: Session) -> None:
        """What happened in other mailboxes."""
        ...

    def stop(self) -> None: ...


class Indexes(Protocol):
    """Where the rows of mailboxes are kept in memory."""

    async def open(self, mailbox: Mailbox) -> Index: ...


@dataclass(frozen=True, slots=True)
class House:
    """What all sessions share."""

    store: Store
    indexes: Indexes
    login: Login
    digest: Callable[[bytes], Digest]
    now: Callable[[], datetime]
    hide: Callable[[str], Secret]  # makes a password a secret
    limits: Limits = field(default_factory=Limits)
    plaintext: bool = False  # passwords without TLS
    judged: Callable[[str, list[int], bool], None] = lambda account, blobs, junk: None  # a user's word on some mail


class Session:
    """What is known of one client."""

    __slots__ = (
        "account", "enabled", "house", "idling", "noticing", "state", "tag", "view", "wake", "wire",
    )  # fmt: skip

    def __init__(self, house: House, wire: Wire, wake: Callable[[], None]) -> None:
        self.house, self.wire, self.wake = house, wire, wake
        self.state = State.STRANGER
        self.account = ""
        self.enabled: set[str] = set()
        self.view: View | None = None
        self.idling = False  # news may be told at once
        self.noticing: Noticing | None = None  # NOTIFY
        self.tag = b"*"  # of the command under way

    # who

    def admitted(self, account: str) -> None:
        self.account, self.state = account, State.KNOWN

    @property
    def may_say_passwords(self) -> bool:
        return self.wire.peer.secure or self.house.plaintext

    # what was enabled

    @property
    def rev2(self) -> bool:
        return "IMAP4REV2" in self.enabled

    @property
    def utf8(self) -> bool:
        return "UTF8=ACCEPT" in self.enabled or self.rev2

    @property
    def condstore(self) -> bool:
        return "CONDSTORE" in self.enabled

    def enable(self, *names: str) -> None:
        self.enabled.update(names)
        self.dress()

    def dress(self) -> None:
        """The view answers as the client asked for."""
        if self.view is not None:
            self.view.condstore = self.condstore
            self.view.qresync = "QRESYNC" in self.enabled
            self.view.rev1 = not self.rev2

    # the selected mailbox

    def select(self, view: View) -> None:
        self.view, self.state = view, State.SELECTED
        self.dress()

    def unselect(self) -> None:
        if self.view is not None:
            self.view.close()
            self.view, self.state = None, State.KNOWN

    @property
    def selected(self) -> View:
        if self.view is None:
            raise bad("no mailbox is selected")
        return self.view

    @property
    def writable(self) -> View:
        view = self.selected
        if view.read_only:
            raise Refused("the mailbox is selected read-only", b"NOPERM")
        return view

    # words

    def name(self, mailbox: str) -> bytes:
        return writers.mailbox(mailbox, self.utf8)

    def send(self, data: bytes) -> None:
        self.wire.send(data)

    def notice(self, noticing: Noticing | None) -> None:
        """NOTIFY begins, changes or ends."""
        if self.noticing is not None:
            self.noticing.stop()
        self.noticing = noticing

    def close(self) -> None:
        """Nothing is watched any more."""
        self.unselect()
        self.notice(None)
        self.state = State.GONE

    # news

    async def tell(self, expunge: bool = True) -> None:
        """Bring the client up to date; `Goodbye` when the selected mailbox is gone."""
        self._require_mailbox()
        if self.view is not None and self.view.has_news:
            before = len(self.view.uids)
            self.send(self.view.news(expunge))
            if self.noticing is not None and len(self.view.uids) > before:
                await self.noticing.arrived(self, self.view.uids[before:])
        if self.noticing is not None:
            await self.noticing.tell(self)

    def _require_mailbox(self) -> None:
        if self.view is not None and self.view.deleted:
            raise Goodbye("the selected mailbox was deleted", b"UNAVAILABLE")

    async def tell_unasked(self) -> None:
        """Between commands: only for those who asked for it (IDLE, NOTIFY)."""
        self._require_mailbox()
        if self.idling:
            await self.tell()
        elif self.noticing is not None:
            await self.tell(expunge=self.noticing.immediate) if self.noticing.selected else await self.noticing.tell(
                self
            )
