"""What the memory engine holds, and the books it keeps of it. No judgement about protocols here.

Fails by: `Absent`, `Full`, `Cannot`; the store then goes back to the copy it made before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from mailsrv.store.door import Absent, Cannot, Change, Copied, Full, Mailbox, Message, Queued, Row
from mailsrv.store.flags import DELETED, MOST_KEYWORDS, SEEN, SYSTEM
from mailsrv.store.flags import proper as proper_flags


@dataclass(slots=True)
class Box:
    """A mailbox: its rows by UID, the modseq of each UID that went, and keywords as they were spelled first."""

    id: int
    account: str
    name: str
    uidvalidity: int
    special: str = ""
    selectable: bool = True
    uidnext: int = 1
    modseq: int = 1
    rows: dict[int, Row] = field(default_factory=dict)
    gone: dict[int, int] = field(default_factory=dict)
    keywords: dict[str, str] = field(default_factory=dict)

    def spelled(self, flags: frozenset[str]) -> frozenset[str]:
        """Keywords in the spelling that this mailbox knows; new ones are remembered while there is room."""
        result: set[str] = set()
        for flag in sorted(proper_flags(flags)):
            if flag not in SYSTEM:
                self._learn(flag, result)
            result.add(flag if flag in SYSTEM else self.keywords[flag.lower()])
        return frozenset(result)

    def _learn(self, flag: str, besides: set[str]) -> None:
        if flag.lower() not in self.keywords and len(self.keywords) >= MOST_KEYWORDS:
            used = besides.union(*(row.flags for row in self.rows.values()))
            self.keywords = {lower: name for lower, name in self.keywords.items() if name in used}
            if len(self.keywords) >= MOST_KEYWORDS:
                raise Full(f"a mailbox holds {MOST_KEYWORDS} different keywords at most")
        self.keywords.setdefault(flag.lower(), flag)


@dataclass(slots=True)
class Account:
    """An account's books."""

    modseq: int = 1
    size_limit: int | None = None
    message_limit: int | None = None
    subscriptions: set[str] = field(default_factory=set)
    metadata: dict[tuple[int, str], bytes] = field(default_factory=dict)


@dataclass(slots=True)
class State:
    """All there is, and the changes that nobody has been told yet."""

    now: datetime
    accounts: dict[str, Account] = field(default_factory=dict)
    boxes: dict[int, Box] = field(default_factory=dict)
    bodies: dict[int, Message] = field(default_factory=dict)
    hops: dict[int, Queued] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    last: int = 0  # number given to a mailbox, a body or a hop
    uidvalidity: int = 0

    def copy(self, now: datetime) -> State:
        """To work on; thrown away when the call fails."""
        accounts = {
            name: replace(each, subscriptions=set(each.subscriptions), metadata=dict(each.metadata))
            for name, each in self.accounts.items()
        }
        boxes = {
            number: replace(box, rows=dict(box.rows), gone=dict(box.gone), keywords=dict(box.keywords))
            for number, box in self.boxes.items()
        }
        return replace(
            self, now=now, accounts=accounts, boxes=boxes, bodies=dict(self.bodies), hops=dict(self.hops), changes=[]
        )

    def number(self) -> int:
        self.last += 1
        return self.last

    def account(self, name: str) -> Account:
        if name not in self.accounts:
            raise Absent(f"there is no account {name}")
        return self.accounts[name]

    def box(self, mailbox: int) -> Box:
        """The mailbox of this number."""
        if mailbox not in self.boxes or not self.boxes[mailbox].selectable:
            raise Absent("there is no such mailbox")
        return self.boxes[mailbox]

    def boxes_of(self, account: str) -> list[Box]:
        return [box for box in self.boxes.values() if box.account == account]

    def named(self, account: str, name: str) -> Box | None:
        return next((box for box in self.boxes_of(account) if box.name == name), None)

    def there(self, account: str, name: str) -> Box:
        """The mailbox of this name."""
        box = self.named(account, name)
        if box is None:
            self.account(account)
            raise Absent(f"there is no mailbox {name}")
        return box

    def adopt(self, box: Box, uidvalidity: int, uidnext: int) -> Box:
        """The mailbox with another server's numbers. As a new one: whoever had it open would keep the old UIDVALIDITY."""
        if not box.selectable:
            raise Absent(f"there is no mailbox {box.name}")
        if box.uidvalidity == uidvalidity:
            box.uidnext = max(box.uidnext, uidnext)
            return box
        if box.uidnext != 1:
            raise Cannot(f"{box.name} has numbers of its own already")
        self.uidvalidity = max(self.uidvalidity, uidvalidity)
        new = Box(self.number(), box.account, box.name, uidvalidity, box.special, uidnext=uidnext)
        del self.boxes[box.id]
        self.boxes[new.id] = new
        entries = self.account(box.account).metadata
        for key in [key for key in entries if key[0] == box.id]:
            entries[new.id, key[1]] = entries.pop(key)
        self.changes += [Change(box.account, box.id, kind="deleted"), Change(box.account, new.id, kind="created")]
        return new

    def modseq(self, account: str) -> int:
        self.account(account).modseq += 1
        return self.account(account).modseq

    def add(self, box: Box, rows: Iterable[Row], modseq: int) -> tuple[int, ...]:
        """Messages into a mailbox under new UIDs, when the account's limits allow it."""
        if not box.selectable:
            raise Cannot(f"{box.name} holds no messages")
        new = [
            row._replace(uid=uid, modseq=modseq, saved=whole_seconds(self.now))
            for uid, row in enumerate(rows, box.uidnext)
        ]
        box.uidnext, box.modseq = box.uidnext + len(new), modseq
        box.rows |= {row.uid: row for row in new}
        self.changes.append(Change(box.account, box.id, tuple(new)))
        return tuple(row.uid for row in new)

    def within(self, account: str) -> None:
        """That the account's limits are kept."""
        known, rows = self.account(account), self.rows_of(account)
        size = sum(row.size for row in rows)
        large = known.size_limit is not None and size > known.size_limit
        if large or (known.message_limit is not None and len(rows) > known.message_limit):
            raise Full(f"the mailboxes of {account} are full", account)

    def rows_of(self, account: str) -> list[Row]:
        return [row for box in self.boxes_of(account) for row in box.rows.values()]

    def copies(self, source: Box, uids: Sequence[int], target: Box) -> Copied:
        """The same messages again in another mailbox."""
        there = [source.rows[uid] for uid in sorted(set(uids)) if uid in source.rows]
        if not there:
            return Copied(target.uidvalidity, (), ())
        again = [row._replace(flags=target.spelled(row.flags)) for row in there]
        new = self.add(target, again, self.modseq(target.account))
        return Copied(target.uidvalidity, tuple(row.uid for row in there), new)

    def move(self, source: Box, uids: Sequence[int], target: Box) -> Copied:
        """The copies appear and the originals go."""
        copied = self.copies(source, uids, target)
        if source.account != target.account:
            self.within(target.account)
        self.remove(source, copied.source)
        return copied

    def remove(self, box: Box, uids: Sequence[int]) -> tuple[int, ...]:
        """Messages go; their UIDs are remembered."""
        gone = tuple(uid for uid in sorted(set(uids)) if uid in box.rows)
        if not gone:
            return ()
        box.modseq = self.modseq(box.account)
        blobs = [box.rows.pop(uid).blob for uid in gone]
        box.gone |= dict.fromkeys(gone, box.modseq)
        self.changes.append(Change(box.account, box.id, gone=gone))
        self.release(blobs)
        return gone

    def release(self, blobs: Iterable[int]) -> None:
        """Bodies that nobody refers to any more go."""
        used = {row.blob for box in self.boxes.values() for row in box.rows.values()}
        used |= {hop.blob for hop in self.hops.values()}
        for blob in set(blobs) - used:
            self.bodies.pop(blob, None)

    def shown(self, box: Box) -> Mailbox:
        rows = box.rows.values()
        return Mailbox(
            id=box.id,
            account=box.account,
            name=box.name,
            uidvalidity=box.uidvalidity,
            uidnext=box.uidnext,
            highestmodseq=box.modseq,
            messages=len(rows),
            unseen=sum(SEEN not in row.flags for row in rows),
            deleted=sum(DELETED in row.flags for row in rows),
            size=sum(row.size for row in rows),
            special=box.special,
            subscribed=box.name in self.accounts[box.account].subscriptions,
            selectable=box.selectable,
        )


def whole_seconds(moment: datetime) -> datetime:
    """As it is kept; a naive one is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).replace(microsecond=0)
