"""The door to mailboxes, messages and the queue: the Store protocol and its values. Pure types.

Promises, kept by every engine and tested by one suite:
- What `accept`, `flag`, `copy`, `move`, `expunge` return for is on disk and survives a power cut; several callers share one commit.
- Local copies and queued copies of one message are committed together or not at all; one body for any number of copies.
- UIDs only grow and are never used twice (RFC 9051 2.3.1.1); every change of a message raises its modseq (RFC 7162 3.1).
- After a commit each watcher is called with one `Change` for each mailbox that was touched, in commit order.
- Nothing here parses mail: the `Digest` is made by the caller (mailsrv.message), once.
- Moments are kept in whole seconds, UTC; only the queue's `next` is finer.
Fails by: `Absent` (no such mailbox or message), `Exists`, `Full` (a quota or a limit), `Cannot` (RFC 5530 CANNOT); `Later` when
the disk fails. Whenever a call fails, nothing of it has happened.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import NamedTuple, Protocol

from dnsops.base.errors import Deliberate


class Absent(Deliberate):
    """There is no such mailbox, message or account."""


class Exists(Deliberate):
    """There is one of that name already."""


class Full(Deliberate):
    """A quota would be exceeded, and whose; accept the message again without that account."""

    def __init__(self, sentence: str, account: str = "") -> None:
        super().__init__(sentence)
        self.account = account


class Cannot(Deliberate):
    """This can never be done: a name that is none, a mailbox moved below itself, the INBOX deleted."""


NEVER = datetime.max.replace(tzinfo=UTC, microsecond=0)  # the `next` of what is held


def email_id(blob: int) -> str:
    """OBJECTID's EMAILID (RFC 8474): the same for every copy, never used again."""
    return f"M{blob}"


@dataclass(frozen=True, slots=True)
class Digest:
    """What delivery's one bounded scan found (mailsrv.message.digest), kept so that nobody parses the message again.

    envelope, bodystructure: ready IMAP text (RFC 9051 7.5.2), the latter with extension data; body: without.
    parts: part number -> byte offsets of its MIME header, its body and its end, as JSON text.
    subject, sender, to, cc: decoded, lower case, for SORT and SEARCH.  base: base subject (RFC 5256 2.1).
    text: what full-text search indexes, bounded; indexed, not kept.  references: Message-IDs, oldest first, for THREAD.
    sent: the Date field with its own offset (SENTON looks at the sender's day).
    """

    envelope: bytes
    bodystructure: bytes
    body: bytes
    parts: str
    preview: str = ""
    text: str = ""
    subject: str = ""
    base: str = ""
    sender: str = ""
    to: str = ""
    cc: str = ""
    sent: datetime | None = None
    message_id: str = ""
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a copy goes: a mailbox of an account, by name (made when absent only if `create`), with these flags.

    uid: the one that it had elsewhere. It has it here too, unless that is below UIDNEXT; then it gets the next one.
    """

    account: str
    mailbox: str = "INBOX"
    flags: frozenset[str] = frozenset()
    create: bool = False
    uid: int = 0


@dataclass(frozen=True, slots=True)
class Hop:
    """One recipient to whom the message must travel on. `options`: NOTIFY, ORCPT and the like, as they came."""

    recipient: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """A message to accept: bytes with CRLF line ends, exactly as they will ever be seen."""

    content: bytes
    digest: Digest
    received: datetime
    places: tuple[Place, ...] = ()
    hops: tuple[Hop, ...] = ()
    sender: str = ""  # the envelope's, "" for the null sender
    options: tuple[str, ...] = ()  # of MAIL FROM: BODY=, SMTPUTF8, RET=, ENVID=, REQUIRETLS
    replaces: tuple[int, int] | None = None  # mailbox and UID that go in the same commit (RFC 8508)


@dataclass(frozen=True, slots=True)
class Placed:
    """A local copy: which mailbox, its UIDVALIDITY, and the UID there."""

    mailbox: int
    uidvalidity: int
    uid: int


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox as STATUS and LIST show it. special: `\\Sent` and its like, "" for none. Sizes in bytes."""

    id: int
    account: str
    name: str
    uidvalidity: int
    uidnext: int
    highestmodseq: int
    messages: int
    unseen: int
    deleted: int
    size: int
    special: str = ""
    subscribed: bool = True
    selectable: bool = True


class Row(NamedTuple):
    """One message of a mailbox, without its content. `blob` names the content for `content`.

    A named tuple, because a mailbox of 50 000 makes 50 000 of them at once.
    """

    uid: int
    modseq: int
    flags: frozenset[str]
    size: int
    received: datetime
    blob: int
    saved: datetime | None = None

    @property
    def email(self) -> str:
        return email_id(self.blob)


class Op(Enum):
    """STORE's three ways."""

    SET = "FLAGS"
    ADD = "+FLAGS"
    REMOVE = "-FLAGS"


@dataclass(frozen=True, slots=True)
class Flagged:
    """What STORE did: the rows as they are now, and the UIDs that UNCHANGEDSINCE kept from changing (RFC 7162 3.1.3)."""

    rows: tuple[Row, ...]
    modified: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Copied:
    """What COPY or MOVE did: the target's UIDVALIDITY, and source and target UIDs in the same order."""

    uidvalidity: int
    source: tuple[int, ...]
    target: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A mailbox changed: rows that are new or whose flags changed, and UIDs that are gone. `kind`: of the mailbox itself.

    In ascending order of UID. Account "" and kind "queue": the queue has something new.
    """

    account: str
    mailbox: int
    rows: tuple[Row, ...] = ()
    gone: tuple[int, ...] = ()
    kind: str = ""  # "", "created", "renamed", "deleted", "subscribed", "metadata", "queue"


@dataclass(frozen=True, slots=True)
class Queued:
    """A recipient in the queue. `attempts` so far, the `reason` of the last, the moment of the `next` one (NEVER: held)."""

    id: int
    blob: int
    size: int
    sender: str
    hop: Hop
    options: tuple[str, ...]
    received: datetime
    attempts: int
    next: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes and messages of an account, and their limits (None: unlimited)."""

    size: int
    messages: int
    size_limit: int | None = None
    message_limit: int | None = None


class Store(Protocol):
    """All of it may be awaited from many tasks at once; readers never wait for writers."""

    # mail comes in

    async def accept(self, message: Message, *more: Message) -> tuple[Placed, ...]:
        """Make all copies and queue all hops, in one commit with whatever else waits; the copies in order of `places`.

        Several messages (MULTIAPPEND) are accepted together or not at all.
        """
        ...

    # mailboxes

    async def account(self, name: str, size_limit: int | None = None, message_limit: int | None = None) -> None:
        """That this account has its INBOX and its special-use mailboxes; once made, only its limits are set."""
        ...

    async def forget(self, account: str) -> None:
        """The account and all its mail go for good; one that is not there is gone already."""
        ...

    async def mailboxes(self, account: str) -> tuple[Mailbox, ...]: ...

    async def mailbox(self, account: str, name: str) -> Mailbox: ...

    async def create(self, account: str, name: str, special: str = "") -> Mailbox:
        """With all above it that is not there yet. "/" parts the levels, INBOX is INBOX in any case."""
        ...

    async def adopt(self, account: str, name: str, uidvalidity: int, uidnext: int = 1) -> Mailbox:
        """The mailbox goes on counting as it did elsewhere: its UIDs are below `uidnext` (RFC 9051 2.3.1.1).

        One that never held a message takes that UIDVALIDITY, and is another mailbox to whoever has it open; one that has
        it already has its UIDNEXT raised. Any other: `Cannot`.
        """
        ...

    async def rename(self, account: str, old: str, new: str) -> None:
        """With all below it; renaming INBOX moves its messages (RFC 9051 6.3.6)."""
        ...

    async def delete(self, account: str, name: str) -> None:
        """Its messages go; with mailboxes below it the name stays, not selectable. INBOX: `Cannot`."""
        ...

    async def subscribe(self, account: str, name: str, subscribed: bool) -> None:
        """Names, not mailboxes: a subscription outlives its mailbox (RFC 9051 6.3.7)."""
        ...

    async def subscriptions(self, account: str) -> frozenset[str]: ...

    async def metadata(self, account: str, name: str, changes: dict[str, bytes | None]) -> dict[str, bytes]:
        """Set entries (None: remove) and give all (RFC 5464). `name` "" is the server's for that account."""
        ...

    # messages

    async def rows(self, mailbox: int, since: int = 0) -> tuple[Row, ...]:
        """All rows by UID; with `since` only those with a higher modseq."""
        ...

    async def vanished(self, mailbox: int, since: int) -> tuple[int, ...]:
        """UIDs that went after that modseq, ascending; when it is too long ago to know, all that are not there."""
        ...

    async def digests(self, mailbox: int, uids: Sequence[int], fields: Collection[str]) -> list[tuple[object, ...]]:
        """Digest fields by name (all but `text`) for these UIDs, in their order; those that are gone are left out.

        First column: the UID.
        """
        ...

    async def content(self, blob: int, start: int = 0, length: int | None = None) -> bytes: ...

    async def contents(self, blobs: Sequence[int]) -> list[bytes]:
        """Whole contents in one turn, in order; who asks keeps the sum of their sizes small."""
        ...

    async def flag(
        self, mailbox: int, uids: Sequence[int], op: Op, flags: frozenset[str], unchanged_since: int | None = None
    ) -> Flagged:
        """Rows that have their flags already keep their modseq. UIDs that are not there are left out."""
        ...

    async def copy(self, mailbox: int, uids: Sequence[int], target: int) -> Copied: ...

    async def move(self, mailbox: int, uids: Sequence[int], target: int) -> Copied: ...

    async def expunge(self, mailbox: int, uids: Sequence[int]) -> tuple[int, ...]:
        """Remove those of the UIDs that carry \\Deleted; the UIDs that went, and modseqs rise."""
        ...

    async def search(self, mailbox: int, words: str, field: str = "") -> frozenset[int]:
        """UIDs whose indexed text contains `words` one after the other, the last as the beginning of a word.

        Case and accents do not count. field "" is everything, else subject, sender, to, cc, text.
        """
        ...

    async def usage(self, account: str) -> Usage: ...

    # the queue

    async def due(self, now: datetime, limit: int, besides: Collection[int] = ()) -> tuple[Queued, ...]:
        """The next to be tried, the longest due first; `besides`: those that are being tried already."""
        ...

    async def queue(self) -> tuple[Queued, ...]: ...

    async def settle(
        self, done: Sequence[int], later: Sequence[tuple[int, datetime, str]], notices: Sequence[Message] = ()
    ) -> None:
        """Delivered or given up: gone. Others: the moment of their next attempt and the reason of the last.

        `notices` (delivery status notifications) are accepted in the same commit. What is not in the queue is left out.
        """
        ...

    async def reschedule(self, hops: Sequence[int], when: datetime) -> None:
        """The administrator's hand: try then (NEVER: hold); no attempt is counted."""
        ...

    # news

    def watch(self, account: str, tell: Callable[[Change], None]) -> Callable[[], None]:
        """Call `tell` in the event loop after each commit that touches the account; gives the way to stop.

        A change is told before the call that made it returns. Account "" is told of the queue.
        """
        ...

    async def close(self) -> None: ...
