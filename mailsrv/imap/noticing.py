"""What NOTIFY watches (RFC 5465 5 and 6): changes of the account, gathered by mailbox until the client may hear of them. Pure.

At most one entry for each mailbox waits, so that a client that does not listen costs no more than it has mailboxes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from dnsops.base.errors import Later
from mailsrv.imap.grammar.fetch import Item, Octets
from mailsrv.imap.grammar.names import SEPARATOR
from mailsrv.imap.session import Session
from mailsrv.store.door import Change, Mailbox

EVENTS = ("MESSAGENEW", "MESSAGEEXPUNGE", "FLAGCHANGE", "MAILBOXNAME", "SUBSCRIPTIONCHANGE")
MESSAGES = frozenset({"MESSAGENEW", "MESSAGEEXPUNGE", "FLAGCHANGE"})


class Scope(Enum):
    """Of which mailboxes (RFC 5465 6)."""

    SELECTED = "SELECTED"
    DELAYED = "SELECTED-DELAYED"
    INBOXES = "INBOXES"
    PERSONAL = "PERSONAL"
    SUBSCRIBED = "SUBSCRIBED"
    SUBTREE = "SUBTREE"
    MAILBOXES = "MAILBOXES"


@dataclass(frozen=True, slots=True)
class Group:
    """Mailboxes, and what of them is told; `items` to fetch of new messages."""

    scope: Scope
    names: tuple[str, ...]
    events: frozenset[str]
    items: tuple[Item | Octets, ...] = ()

    def holds(self, name: str, subscribed: frozenset[str]) -> bool:
        match self.scope:
            case Scope.PERSONAL:
                return True
            case Scope.INBOXES:
                return name == "INBOX"
            case Scope.SUBSCRIBED:
                return name in subscribed
            case Scope.SUBTREE:
                return any(name == top or name.startswith(top + SEPARATOR) for top in self.names)
            case Scope.MAILBOXES:
                return name in self.names
        return False


Show = Callable[[Session, tuple[Item | Octets, ...], list[int]], Awaitable[None]]


class Notices:
    """One NOTIFY in force."""

    def __init__(self, groups: tuple[Group, ...], show: Show) -> None:
        own = [group for group in groups if group.scope in (Scope.SELECTED, Scope.DELAYED)]
        self._others = [group for group in groups if group not in own]
        self._items = own[0].items if own else ()
        self._show = show
        self.selected = bool(own and own[0].events)
        self.immediate = bool(own) and own[0].scope is Scope.SELECTED
        self._names: dict[int, str] = {}
        self._subscribed: frozenset[str] = frozenset()
        self._touched: dict[int, set[str]] = {}
        self._stop: Callable[[], None] = lambda: None

    async def start(self, session: Session) -> None:
        def learn(change: Change) -> None:
            self._learn(change)
            session.wake()

        self._stop = session.house.store.watch(session.account, learn)
        await self._look(session)

    def stop(self) -> None:
        self._stop()

    def _learn(self, change: Change) -> None:
        """What happened, by mailbox: new messages are told apart from changed ones by what we knew."""
        kinds = self._touched.setdefault(change.mailbox, set())
        if change.rows:
            kinds.update(("MESSAGENEW", "FLAGCHANGE"))
        if change.gone:
            kinds.add("MESSAGEEXPUNGE")
        if change.kind == "subscribed":
            kinds.add("SUBSCRIPTIONCHANGE")
        elif change.kind in ("created", "renamed", "deleted"):
            kinds.add("MAILBOXNAME")

    async def _look(self, session: Session) -> list[Mailbox]:
        boxes = await session.house.store.mailboxes(session.account)
        self._subscribed = await session.house.store.subscriptions(session.account)
        self._names = {box.id: box.name for box in boxes}
        return list(boxes)

    async def introduce(self, session: Session) -> None:
        """NOTIFY SET STATUS: how everything stands at the beginning (RFC 5465 3.1)."""
        for box in await self._look(session):
            if box.selectable and self._events(box.name) & MESSAGES and not is_selected(session, box.id):
                session.send(standing(session, box))

    def _events(self, name: str) -> frozenset[str]:
        """The first group that holds the mailbox decides (RFC 5465 6)."""
        for group in self._others:
            if group.holds(name, self._subscribed):
                return group.events
        return frozenset()

    async def arrived(self, session: Session, uids: Sequence[int]) -> None:
        if self._items:
            with suppress(Later):
                await self._show(session, self._items, list(uids))

    async def tell(self, session: Session) -> None:
        if not self._touched:
            return
        touched, self._touched = self._touched, {}
        try:
            await self._tell(session, touched)
        except Later:  # the disk fails: with the next change all will be told
            self._touched = touched | self._touched

    async def _tell(self, session: Session, touched: dict[int, set[str]]) -> None:
        names, subscribed = self._names, self._subscribed
        boxes = {box.id: box for box in await self._look(session)}
        for number, kinds in touched.items():
            box = boxes.get(number)
            if kinds & {"MAILBOXNAME"}:
                self._tell_name(session, names.get(number), box)
            if box is not None and kinds & MESSAGES & self._events(box.name) and not is_selected(session, number):
                session.send(standing(session, box))
        self._tell_subscriptions(session, subscribed)

    def _tell_name(self, session: Session, old: str | None, box: Mailbox | None) -> None:
        name = box.name if box else old
        if name is None or "MAILBOXNAME" not in self._events(name):
            return
        attributes = b"" if box and box.selectable else b"\\Noselect" if box else b"\\NonExistent"
        renamed = b' ("OLDNAME" (%b))' % session.name(old) if old and box and old != box.name else b""
        session.send(b'* LIST (%b) "/" %b%b\r\n' % (attributes, session.name(name), renamed))

    def _tell_subscriptions(self, session: Session, before: frozenset[str]) -> None:
        for name in sorted(before ^ self._subscribed):
            if "SUBSCRIPTIONCHANGE" in self._events(name):
                attribute = b"\\Subscribed" if name in self._subscribed else b""
                session.send(b'* LIST (%b) "/" %b\r\n' % (attribute, session.name(name)))


async def begin(session: Session, groups: tuple[Group, ...], show: Show) -> Notices:
    notices = Notices(groups, show)
    await notices.start(session)
    return notices


def is_selected(session: Session, number: int) -> bool:
    return session.view is not None and session.view.mailbox.id == number


def standing(session: Session, box: Mailbox) -> bytes:
    """RFC 5465 5.1: what lets the client see that something happened."""
    modseq = b" HIGHESTMODSEQ %d" % box.highestmodseq if session.condstore else b""
    counts = b"MESSAGES %d UIDNEXT %d UIDVALIDITY %d UNSEEN %d" % (
        box.messages,
        box.uidnext,
        box.uidvalidity,
        box.unseen,
    )
    return b"* STATUS %b (%b%b)\r\n" % (session.name(box.name), counts, modseq)
