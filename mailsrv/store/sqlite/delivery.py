"""A message comes in: one body, its copies, its hops.

Fails by: `Absent`, `Full`, `Cannot` for one of the places, and then for all.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from mailsrv.store.door import Absent, Message, Place, Placed
from mailsrv.store.names import HIGHEST_UID, proper
from mailsrv.store.sqlite import ledger, mailboxes
from mailsrv.store.sqlite.keywords import encode
from mailsrv.store.sqlite.ledger import Box, Entry
from mailsrv.store.sqlite.messages import replaced
from mailsrv.store.sqlite.work import Work, seconds


class Incoming(NamedTuple):
    """A message, and the file of its body when it is a large one."""

    message: Message
    file: str | None = None


def accept(work: Work, incoming: Sequence[Incoming]) -> tuple[Placed, ...]:
    """All of it, inside one savepoint."""
    return tuple(placed for each in incoming for placed in _accept(work, *each))


def _accept(work: Work, message: Message, file: str | None) -> list[Placed]:
    copies = len(message.places) + len(message.hops)
    if not copies:
        return []
    blob = _keep(work, message, file, copies)
    _queue(work, message, blob)
    placed = [_place(work, message, place, blob) for place in message.places]
    if message.replaces:
        replaced(work, *message.replaces)
    return placed


def _keep(work: Work, message: Message, file: str | None, copies: int) -> int:
    """The body and what was found in it."""
    digest, size = message.digest, len(message.content)
    sql = "INSERT INTO blob VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    found = (digest.sent and digest.sent.isoformat(), digest.message_id, "\n".join(digest.references))
    words = (digest.subject, digest.base, digest.sender, digest.to, digest.cc, digest.preview)
    structure = (digest.envelope, digest.body, digest.bodystructure, digest.parts)
    work.run(sql, copies, size, file, *found, *words, *structure)
    blob = work.db.last_insert_rowid()
    if file is None:
        work.run("INSERT INTO body VALUES (?, ?)", blob, message.content)
    if message.places:  # what only travels through is not searched
        work.run("INSERT INTO unindexed VALUES (?, ?)", blob, digest.text)
        work.unindexed += 1
    return blob


def _place(work: Work, message: Message, place: Place, blob: int) -> Placed:
    target = _target(work, place)
    size = len(message.content)
    modseq = ledger.weigh(work, target, size, 1)
    flags = encode(work, target.id, place.flags) if place.flags else 0
    if 0 < place.uid <= HIGHEST_UID:
        work.run("UPDATE mailbox SET uidnext = max(uidnext, ?) WHERE id = ?", place.uid, target.id)
    [new] = ledger.add(work, target, [Entry(flags, size, seconds(message.received), blob)], modseq)
    return Placed(target.id, target.uidvalidity, new.uid)


def _target(work: Work, place: Place) -> Box:
    target = ledger.named(work, place.account, place.mailbox)
    if target is not None:
        return target
    name = proper(place.mailbox)
    target = ledger.named(work, place.account, name)
    if target is None and place.create:
        mailboxes.create(work, place.account, name)
        target = ledger.named(work, place.account, name)
    if target is None:
        raise Absent(f"{place.account} has no mailbox {name}")
    return target


def _queue(work: Work, message: Message, blob: int) -> None:
    if not message.hops:
        return
    received, options = seconds(message.received), json.dumps(message.options)
    sql = "INSERT INTO hop VALUES (NULL, ?, ?, ?, ?, ?, ?, 0, ?, '')"
    rows = [
        (blob, message.sender, options, hop.recipient, json.dumps(hop.options), received, received * 1_000_000)
        for hop in message.hops
    ]
    work.each(sql, rows)
    work.happened("", 0, "queue")
