"""The Store in memory, for tests: the same promises but durability, and the plainest code that keeps them.

Every change works on a copy of the state, at once and without waiting; what is refused is a copy thrown away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import TypeVar

from mailsrv.store.door import (
    NEVER,
    Absent,
    Cannot,
    Change,
    Copied,
    Digest,
    Exists,
    Flagged,
    Full,
    Mailbox,
    Message,
    Op,
    Place,
    Placed,
    Queued,
    Row,
    Usage,
)
from mailsrv.store.flags import DELETED, SYSTEM, combine
from mailsrv.store.flags import proper as proper_flags
from mailsrv.store.memory.state import Account, Box, State, whole_seconds
from mailsrv.store.names import (
    HIGHEST_UID,
    INBOX,
    LARGEST_ENTRY,
    MOST_ENTRIES,
    MOST_MAILBOXES,
    SPECIAL,
    above,
    adoptable,
    below,
    moved,
    proper,
)
from mailsrv.store.news import Watchers, coalesce
from mailsrv.store.words import FIELDS, found, wanted

T = TypeVar("T")
COLUMNS = {each.name for each in fields(Digest)} - {"text"}


class MemoryStore:
    """`now`: the clock for SAVEDATE and UIDVALIDITY."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now, self._state = now, State(now())
        self._watchers = Watchers()

    # mail comes in

    async def accept(self, message: Message, *more: Message) -> tuple[Placed, ...]:
        return await self._whole(lambda: self._accept((message, *more)))

    def _accept(self, arrived: Sequence[Message]) -> tuple[Placed, ...]:
        placed: list[Placed] = []
        for message in arrived:
            blob = self._state.number()
            if message.places or message.hops:
                self._state.bodies[blob] = message
            placed += [self._place(message, place, blob) for place in message.places]
            self._queue(message, blob)
            if message.replaces:
                mailbox, uid = message.replaces
                self._state.remove(self._state.box(mailbox), [uid])
        return tuple(placed)

    def _place(self, message: Message, place: Place, blob: int) -> Placed:
        name = proper(place.mailbox)
        box = self._state.named(place.account, name)
        if box is None and place.create:
            box = self._create(place.account, name)
        if box is None:
            raise Absent(f"{place.account} has no mailbox {name}")
        flags, size = box.spelled(place.flags), len(message.content)
        if 0 < place.uid <= HIGHEST_UID:
            box.uidnext = max(box.uidnext, place.uid)
        row = Row(0, 0, flags, size, whole_seconds(message.received), blob)
        self._state.add(box, [row], self._state.modseq(place.account))
        self._state.within(place.account)
        return Placed(box.id, box.uidvalidity, box.uidnext - 1)

    def _queue(self, message: Message, blob: int) -> None:
        received = whole_seconds(message.received)
        for hop in message.hops:
            number, size = self._state.number(), len(message.content)
            self._state.hops[number] = Queued(
                number, blob, size, message.sender, hop, message.options, received, 0, received
            )
            self._state.changes.append(Change("", 0, kind="queue"))

    # mailboxes

    async def account(self, name: str, size_limit: int | None = None, message_limit: int | None = None) -> None:
        def act() -> None:
            if name not in self._state.accounts:
                self._state.accounts[name] = Account()
                for mailbox, special in {INBOX: "", **SPECIAL}.items():
                    self._create(name, mailbox, special)
                    self._state.accounts[name].subscriptions.add(mailbox)
            account = self._state.account(name)
            account.size_limit, account.message_limit = size_limit, message_limit

        await self._whole(act)

    async def forget(self, account: str) -> None:
        def act() -> None:
            for box in self._state.boxes_of(account):
                self._state.remove(box, list(box.rows))
                del self._state.boxes[box.id]
                self._state.changes.append(Change(account, box.id, kind="deleted"))
            self._state.accounts.pop(account, None)

        await self._whole(act)

    async def mailboxes(self, account: str) -> tuple[Mailbox, ...]:
        self._state.account(account)
        boxes = (box for box in self._state.boxes.values() if box.account == account)
        return tuple(self._state.shown(box) for box in sorted(boxes, key=lambda box: box.name.encode()))

    async def mailbox(self, account: str, name: str) -> Mailbox:
        return self._state.shown(self._state.there(account, proper(name)))

    async def create(self, account: str, name: str, special: str = "") -> Mailbox:
        return self._state.shown(await self._whole(lambda: self._create(account, proper(name), special)))

    def _create(self, account: str, name: str, special: str = "", selectable: bool = True) -> Box:
        self._state.account(account)
        known = self._state.named(account, name)
        if known and known.selectable:
            raise Exists(f"there is a mailbox {name} already")
        if known:
            del self._state.boxes[known.id]
        missing = [upper for upper in above(name) if not self._state.named(account, upper)]
        if sum(box.account == account for box in self._state.boxes.values()) + len(missing) >= MOST_MAILBOXES:
            raise Full(f"an account has {MOST_MAILBOXES} mailboxes at most", account)
        for upper in missing:
            self._insert(account, upper, selectable=False)
        return self._insert(account, name, special, selectable)

    def _insert(self, account: str, name: str, special: str = "", selectable: bool = True) -> Box:
        self._state.uidvalidity = max(self._state.uidvalidity + 1, int(self._now().timestamp()))
        box = Box(self._state.number(), account, name, self._state.uidvalidity, special, selectable)
        self._state.boxes[box.id] = box
        self._state.changes.append(Change(account, box.id, kind="created"))
        return box

    async def adopt(self, account: str, name: str, uidvalidity: int, uidnext: int = 1) -> Mailbox:
        def act() -> Box:
            adoptable(name, uidvalidity, uidnext)
            return self._state.adopt(self._state.there(account, proper(name)), uidvalidity, uidnext)

        return self._state.shown(await self._whole(act))

    async def rename(self, account: str, old: str, new: str) -> None:
        await self._whole(lambda: self._rename(account, proper(old), proper(new)))

    def _rename(self, account: str, old: str, new: str) -> None:
        source = self._state.there(account, old)
        if self._state.named(account, new):
            raise Exists(f"there is a mailbox {new} already")
        if new == INBOX or (old != INBOX and below(new, old)):
            raise Cannot("a mailbox cannot be moved there")
        if old == INBOX:
            target = self._create(account, new)
            self._state.move(source, list(source.rows), target)
            return
        for upper in above(new):
            if not self._state.named(account, upper):
                self._insert(account, upper, selectable=False)
        inside = [box for box in self._state.boxes_of(account) if box.name == old or below(box.name, old)]
        if {box.name for box in self._state.boxes_of(account)} & {moved(box.name, old, new) for box in inside}:
            raise Exists(f"there are mailboxes below {new} already")
        for box in inside:
            self._renamed(box, moved(box.name, old, new))
        self._prune(account, old)

    def _renamed(self, box: Box, name: str) -> None:
        subscriptions = self._state.account(box.account).subscriptions
        if box.name in subscriptions:
            subscriptions ^= {box.name}
            subscriptions |= {name}
        box.name = name
        self._state.changes.append(Change(box.account, box.id, kind="renamed"))

    async def delete(self, account: str, name: str) -> None:
        await self._whole(lambda: self._delete(account, proper(name)))

    def _delete(self, account: str, name: str) -> None:
        box = self._state.there(account, name)
        if name == INBOX:
            raise Cannot("the INBOX cannot be deleted")
        parent = any(below(other.name, name) for other in self._state.boxes_of(account))
        if parent and not box.selectable:
            raise Cannot(f"there are mailboxes below {name}")
        self._state.remove(box, list(box.rows))
        metadata = self._state.account(account).metadata
        for key in [key for key in metadata if key[0] == box.id]:
            del metadata[key]
        del self._state.boxes[box.id]
        if parent:
            self._insert(account, name, selectable=False)
        self._state.changes.append(Change(account, box.id, kind="deleted"))
        self._prune(account, name)

    def _prune(self, account: str, name: str) -> None:
        """Names above one that is gone, which were there for its sake only, go too."""
        for upper in reversed(above(name)):
            box = self._state.named(account, upper)
            if box is None or box.selectable or any(below(o.name, upper) for o in self._state.boxes_of(account)):
                return
            del self._state.boxes[box.id]
            self._state.changes.append(Change(account, box.id, kind="deleted"))

    async def subscribe(self, account: str, name: str, subscribed: bool) -> None:
        def act() -> None:
            known, wanted_name = self._state.account(account), proper(name)
            (known.subscriptions.add if subscribed else known.subscriptions.discard)(wanted_name)
            if len(known.subscriptions) > MOST_MAILBOXES:
                raise Full(f"an account has {MOST_MAILBOXES} subscriptions at most", account)
            box = self._state.named(account, wanted_name)
            self._state.changes.append(Change(account, box.id if box else 0, kind="subscribed"))

        await self._whole(act)

    async def subscriptions(self, account: str) -> frozenset[str]:
        return frozenset(self._state.account(account).subscriptions)

    async def metadata(self, account: str, name: str, changes: dict[str, bytes | None]) -> dict[str, bytes]:
        return await self._whole(lambda: self._metadata(account, name, changes))

    def _metadata(self, account: str, name: str, changes: dict[str, bytes | None]) -> dict[str, bytes]:
        known, mailbox = self._state.account(account), self._state.there(account, proper(name)).id if name else 0
        for entry, value in changes.items():
            if len(entry) + len(value or b"") > LARGEST_ENTRY:
                raise Full(f"an entry of metadata has {LARGEST_ENTRY} bytes at most")
            known.metadata.pop((mailbox, entry.lower()), None)
            if value is not None:
                known.metadata[mailbox, entry.lower()] = value
        if len(known.metadata) > MOST_ENTRIES:
            raise Full(f"an account has {MOST_ENTRIES} entries of metadata at most", account)
        if changes:
            self._state.changes.append(Change(account, mailbox, kind="metadata"))
        return {entry: value for (number, entry), value in known.metadata.items() if number == mailbox}

    # messages

    async def rows(self, mailbox: int, since: int = 0) -> tuple[Row, ...]:
        return tuple(row for row in self._state.box(mailbox).rows.values() if row.modseq > since)

    async def vanished(self, mailbox: int, since: int) -> tuple[int, ...]:
        return tuple(sorted(uid for uid, modseq in self._state.box(mailbox).gone.items() if modseq > since))

    async def digests(self, mailbox: int, uids: Sequence[int], fields: Collection[str]) -> list[tuple[object, ...]]:
        rows = self._state.box(mailbox).rows
        if not COLUMNS.issuperset(fields):
            raise KeyError(*set(fields) - COLUMNS)
        return [
            (uid, *(getattr(self._state.bodies[rows[uid].blob].digest, name) for name in fields))
            for uid in uids
            if uid in rows
        ]

    async def content(self, blob: int, start: int = 0, length: int | None = None) -> bytes:
        if blob not in self._state.bodies:
            raise Absent("this message is gone")
        return self._state.bodies[blob].content[start : None if length is None else start + length]

    async def contents(self, blobs: Sequence[int]) -> list[bytes]:
        return [await self.content(blob) for blob in blobs]

    async def flag(
        self, mailbox: int, uids: Sequence[int], op: Op, flags: frozenset[str], unchanged_since: int | None = None
    ) -> Flagged:
        return await self._whole(lambda: self._flag(self._state.box(mailbox), uids, op, flags, unchanged_since))

    def _flag(self, box: Box, uids: Sequence[int], op: Op, flags: frozenset[str], since: int | None) -> Flagged:
        there = [box.rows[uid] for uid in sorted(set(uids)) if uid in box.rows]
        ours = [row for row in there if since is None or row.modseq <= since]
        modified = tuple(row.uid for row in there if row not in ours) if len(ours) < len(there) else ()
        known = {name for lower, name in box.keywords.items() if lower in {flag.lower() for flag in flags}}
        flags = box.spelled(flags) if op is not Op.REMOVE and ours else (proper_flags(flags) & set(SYSTEM)) | known
        now = {row.uid: combine(row.flags, op, flags) for row in ours}
        changed = [row for row in ours if now[row.uid] != row.flags]
        if changed:
            box.modseq = self._state.modseq(box.account)
            new = [row._replace(flags=now[row.uid], modseq=box.modseq) for row in changed]
            box.rows |= {row.uid: row for row in new}
            self._state.changes.append(Change(box.account, box.id, tuple(new)))
        return Flagged(tuple(box.rows[row.uid] for row in ours), modified)

    async def copy(self, mailbox: int, uids: Sequence[int], target: int) -> Copied:
        return await self._whole(lambda: self._copy(mailbox, uids, target))

    async def move(self, mailbox: int, uids: Sequence[int], target: int) -> Copied:
        return await self._whole(lambda: self._state.move(self._state.box(mailbox), uids, self._state.box(target)))

    async def expunge(self, mailbox: int, uids: Sequence[int]) -> tuple[int, ...]:
        def act() -> tuple[int, ...]:
            box = self._state.box(mailbox)
            return self._state.remove(box, [uid for uid in uids if uid in box.rows and DELETED in box.rows[uid].flags])

        return await self._whole(act)

    async def search(self, mailbox: int, words: str, field: str = "") -> frozenset[int]:
        rows, phrase = self._state.box(mailbox).rows, wanted(words)
        if not phrase:
            return frozenset(rows)
        if field and field not in FIELDS:
            raise KeyError(field)
        names = (field,) if field else FIELDS
        digests = {uid: self._state.bodies[row.blob].digest for uid, row in rows.items()}
        return frozenset(
            uid for uid, digest in digests.items() if any(found(phrase, getattr(digest, name)) for name in names)
        )

    async def usage(self, account: str) -> Usage:
        known, rows = self._state.account(account), self._state.rows_of(account)
        return Usage(sum(row.size for row in rows), len(rows), known.size_limit, known.message_limit)

    # the queue

    async def due(self, now: datetime, limit: int, besides: Collection[int] = ()) -> tuple[Queued, ...]:
        ripe = (
            hop for hop in self._state.hops.values() if hop.next <= now and hop.next < NEVER and hop.id not in besides
        )
        return tuple(sorted(ripe, key=lambda hop: (hop.next, hop.id))[:limit])

    async def queue(self) -> tuple[Queued, ...]:
        return tuple(self._state.hops.values())

    async def settle(
        self, done: Sequence[int], later: Sequence[tuple[int, datetime, str]], notices: Sequence[Message] = ()
    ) -> None:
        def act() -> None:
            for number in done:
                if hop := self._state.hops.pop(number, None):
                    self._state.release([hop.blob])
            for number, when, reason in later:
                if hop := self._state.hops.get(number):
                    self._state.hops[number] = replace(hop, attempts=hop.attempts + 1, next=when, reason=reason)
            if later:
                self._state.changes.append(Change("", 0, kind="queue"))
            self._accept(notices)

        await self._whole(act)

    async def reschedule(self, hops: Sequence[int], when: datetime) -> None:
        def act() -> None:
            for number in self._state.hops.keys() & set(hops):
                self._state.hops[number] = replace(self._state.hops[number], next=when)
            self._state.changes.append(Change("", 0, kind="queue"))

        await self._whole(act)

    # news

    def watch(self, account: str, tell: Callable[[Change], None]) -> Callable[[], None]:
        return self._watchers.add(account, tell)

    async def close(self) -> None:
        return None

    # the working of it

    def _copy(self, mailbox: int, uids: Sequence[int], target: int) -> Copied:
        into = self._state.box(target)
        copied = self._state.copies(self._state.box(mailbox), uids, into)
        if copied.target:
            self._state.within(into.account)
        return copied

    async def _whole(self, act: Callable[[], T]) -> T:
        """All of it or nothing, then the news."""
        before, self._state = self._state, self._state.copy(self._now())
        try:
            value = act()
        except BaseException:
            self._state = before
            raise
        self._watchers.tell(coalesce(self._state.changes))
        await asyncio.sleep(0)  # the watchers are told before the caller goes on
        return value
