"""What is done to messages that are there: STORE, COPY, MOVE, EXPUNGE.

Standards: RFC 9051 6.4, RFC 7162 3.1.3 (UNCHANGEDSINCE).
Fails by: `Absent` for a mailbox, `Full`, `Cannot`. A UID that is not there is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from mailsrv.store.door import Copied, Flagged, Op
from mailsrv.store.flags import combine_bits
from mailsrv.store.sqlite import ledger
from mailsrv.store.sqlite.keywords import ALL_SYSTEM, DELETED, SEEN, Decoder, encode
from mailsrv.store.sqlite.ledger import Box, Entry, Kept
from mailsrv.store.sqlite.work import Work


def flag(
    work: Work, mailbox: int, uids: Sequence[int], op: Op, flags: frozenset[str], unchanged_since: int | None
) -> Flagged:
    """STORE."""
    target = ledger.box(work, mailbox)
    messages = ledger.kept(work, mailbox, uids)
    limit = unchanged_since if unchanged_since is not None else 1 << 63
    modified = tuple(message.uid for message in messages if message.modseq > limit)
    ours = [message for message in messages if message.modseq <= limit]
    bits = encode(work, mailbox, flags, new=op is not Op.REMOVE and bool(ours))
    now = _set(work, target, ours, op, bits)
    decoder = Decoder(work.db, mailbox)
    rows = tuple(ledger.row(decoder, message) for message in now)
    changed = [row for row, before in zip(rows, ours, strict=True) if row.modseq != before.modseq]
    if changed:
        work.changed(target.owner, mailbox, changed)
    return Flagged(rows, modified)


def copy(work: Work, mailbox: int, uids: Sequence[int], target: int) -> Copied:
    """COPY: the same bodies again."""
    source, into = ledger.box(work, mailbox), ledger.box(work, target)
    messages = ledger.kept(work, mailbox, uids)
    if not messages:
        return Copied(into.uidvalidity, (), ())
    modseq = ledger.weigh(work, into, sum(message.size for message in messages), len(messages))
    new = _copies(work, source, into, messages, modseq)
    work.each("UPDATE blob SET refs = refs + 1 WHERE id = ?", [(message.blob,) for message in messages])
    return Copied(into.uidvalidity, tuple(message.uid for message in messages), new)


def move(work: Work, mailbox: int, uids: Sequence[int], target: int) -> Copied:
    """MOVE: the copies appear and the originals go in one commit."""
    source, into = ledger.box(work, mailbox), ledger.box(work, target)
    messages = ledger.kept(work, mailbox, uids)
    if not messages:
        return Copied(into.uidvalidity, (), ())
    size, count = sum(message.size for message in messages), len(messages)
    if source.account == into.account:
        modseq = before = ledger.next_modseq(work, into.account)
    else:
        modseq, before = ledger.weigh(work, into, size, count), ledger.weigh(work, source, -size, -count)
    new = _copies(work, source, into, messages, modseq)
    return Copied(into.uidvalidity, ledger.remove(work, source, messages, before), new)


def expunge(work: Work, mailbox: int, uids: Sequence[int]) -> tuple[int, ...]:
    r"""EXPUNGE and UID EXPUNGE: those of the UIDs that carry \Deleted."""
    source = ledger.box(work, mailbox)
    return drop(work, source, [message for message in ledger.kept(work, mailbox, uids) if message.flags & DELETED])


def replaced(work: Work, mailbox: int, uid: int) -> None:
    """REPLACE's old message goes, whatever its flags (RFC 8508)."""
    source = ledger.box(work, mailbox)
    drop(work, source, ledger.kept(work, mailbox, [uid]))


def drop(work: Work, source: Box, messages: Sequence[Kept]) -> tuple[int, ...]:
    """Messages go for good."""
    if not messages:
        return ()
    modseq = ledger.weigh(work, source, -sum(message.size for message in messages), -len(messages))
    gone = ledger.remove(work, source, messages, modseq)
    ledger.release(work, [message.blob for message in messages])
    return gone


def _set(work: Work, target: Box, messages: list[Kept], op: Op, bits: int) -> list[Kept]:
    """The messages with their new flags; those that had them already stay as they are."""
    wanted = [combine_bits(message.flags, op, bits) for message in messages]
    changed = [(new, m) for new, m in zip(wanted, messages, strict=True) if new != m.flags]
    if not changed:
        return messages
    modseq = ledger.next_modseq(work, target.account)
    sql = "UPDATE message SET flags = ?, modseq = ? WHERE mailbox = ? AND uid = ?"
    work.each(sql, [(new, modseq, target.id, message.uid) for new, message in changed])
    unseen = sum(bool(message.flags & SEEN) - bool(new & SEEN) for new, message in changed)
    deleted = sum(bool(new & DELETED) - bool(message.flags & DELETED) for new, message in changed)
    sql = "UPDATE mailbox SET modseq = ?, unseen = unseen + ?, deleted = deleted + ? WHERE id = ?"
    work.run(sql, modseq, unseen, deleted, target.id)
    return [
        message if new == message.flags else message._replace(flags=new, modseq=modseq)
        for new, message in zip(wanted, messages, strict=True)
    ]


def _copies(work: Work, source: Box, into: Box, messages: Sequence[Kept], modseq: int) -> tuple[int, ...]:
    """The messages in another mailbox, their keywords in its numbers; their UIDs there."""
    decoder = Decoder(work.db, source.id)
    bits = {
        flags: flags if flags <= ALL_SYSTEM or source.id == into.id else encode(work, into.id, decoder.flags(flags))
        for flags in {message.flags for message in messages}
    }
    entries = [Entry(bits[m.flags], m.size, m.received, m.blob) for m in messages]
    return tuple(row.uid for row in ledger.add(work, into, entries, modseq))
