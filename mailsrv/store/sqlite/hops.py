"""The queue: who is due, and what became of an attempt.

Fails by: nothing; what is not in the queue any more is left out.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import apsw

from mailsrv.store.door import NEVER, Hop, Placed, Queued
from mailsrv.store.sqlite import delivery, ledger
from mailsrv.store.sqlite.work import Work, moment

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

_QUEUED = """SELECT hop.id, hop.blob, blob.size, hop.sender, recipient, recipient_options, options, received, attempts, next,
    reason FROM hop JOIN blob ON blob.id = hop.blob """
_DUE = """WHERE next <= ? AND next < ? AND hop.id NOT IN carray(?) ORDER BY next, hop.id LIMIT ?"""


def due(db: apsw.Connection, now: datetime, limit: int, besides: Collection[int]) -> tuple[Queued, ...]:
    """Those whose moment has come, the longest due first."""
    busy = ledger.numbers(list(besides) or [0])
    return _queued(db.execute(_QUEUED + _DUE, (micros(now), micros(NEVER), busy, limit)))


def queue(db: apsw.Connection) -> tuple[Queued, ...]:
    """All of it, in order of arrival."""
    return _queued(db.execute(_QUEUED + "ORDER BY hop.id"))


def settle(
    work: Work,
    done: Sequence[int],
    later: Sequence[tuple[int, datetime, str]],
    notices: Sequence[delivery.Incoming],
) -> tuple[Placed, ...]:
    """What became of attempts, and the notices about them."""
    for hop in done:
        for (blob,) in work.all("DELETE FROM hop WHERE id = ? RETURNING blob", hop):
            ledger.release(work, [blob])
    sql = "UPDATE hop SET attempts = attempts + 1, next = ?, reason = ? WHERE id = ?"
    work.each(sql, [(micros(when), reason, hop) for hop, when, reason in later])
    if later:
        work.happened("", 0, "queue")
    return delivery.accept(work, notices)


def reschedule(work: Work, hops: Sequence[int], when: datetime) -> None:
    """Another moment for the next attempt."""
    work.each("UPDATE hop SET next = ? WHERE id = ?", [(micros(when), hop) for hop in hops])
    work.happened("", 0, "queue")


def micros(when: datetime) -> int:
    return ((when if when.tzinfo else when.replace(tzinfo=UTC)) - EPOCH) // MICROSECOND


def _queued(rows: Any) -> tuple[Queued, ...]:
    return tuple(
        Queued(
            id=number,
            blob=blob,
            size=size,
            sender=sender,
            hop=Hop(recipient, tuple(json.loads(recipient_options))),
            options=tuple(json.loads(options)),
            received=moment(received),
            attempts=attempts,
            next=EPOCH + after * MICROSECOND,
            reason=reason,
        )
        for number, blob, size, sender, recipient, recipient_options, options, received, attempts, after, reason in rows
    )
