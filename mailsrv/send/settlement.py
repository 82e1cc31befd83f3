"""What an attempt means for the queue: who is done, who is tried again and when, who must hear of it. Pure.

Standards: RFC 3461 4.1 and 5.2 (NOTIFY), RFC 5321 4.5.5 and 6.1 (no notice about the null sender's mail), RFC 3464 2.3.3.
Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from mailsrv.send.schedule import Expired, Schedule, Waiting, step
from mailsrv.send.verdict import Fate, Verdict, failed
from mailsrv.store.door import Queued


class Kind(Enum):
    """What a notice tells; the names are RFC 3464's actions."""

    FAILED = "your message could not be delivered"
    DELAYED = "your message has not been delivered yet"
    RELAYED = "your message was handed to a host that reports nothing"


WORDS = {Kind.FAILED: "FAILURE", Kind.DELAYED: "DELAY", Kind.RELAYED: "SUCCESS"}
UNASKED = frozenset({"FAILURE", "DELAY"})  # RFC 3461 4.1: what holds when NOTIFY was not given is ours to choose


@dataclass(frozen=True, slots=True)
class Told:
    """One recipient in a notice; `until`: when we shall give up, for a delay."""

    recipient: str
    options: tuple[str, ...]
    verdict: Verdict
    attempted: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """To `sender`, about one message: its `options` (RET, ENVID, REQUIRETLS, SMTPUTF8), its arrival, and recipients."""

    kind: Kind
    sender: str
    blob: int
    size: int
    options: tuple[str, ...]
    received: datetime
    told: tuple[Told, ...]


@dataclass(slots=True)
class Settlement:
    """done, later: as `Store.settle` takes them. expired: ids of those whose time was over."""

    done: list[int] = field(default_factory=list)
    later: list[tuple[int, datetime, str]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    expired: set[int] = field(default_factory=set)


def settle(
    attempted: Sequence[Queued],
    verdicts: Mapping[int, Verdict],
    schedule: Schedule,
    now: datetime,
    chance: Callable[[], float],
) -> Settlement:
    """The verdicts on recipients of one message, turned into what the store shall do."""
    settlement, told = Settlement(), {kind: list[Told]() for kind in Kind}
    for queued in attempted:
        verdict = verdicts[queued.id]
        kind, until = _file(queued, verdict, schedule, now, chance(), settlement)
        if kind is not None and wants(kind, queued):
            words = verdict if queued.id not in settlement.expired else _over(verdict)
            told[kind].append(Told(queued.hop.recipient, queued.hop.options, words, now, until))
    first = attempted[0]
    settlement.notices = [
        Notice(kind, first.sender, first.blob, first.size, first.options, first.received, tuple(list_))
        for kind, list_ in told.items()
        if list_
    ]
    return settlement


def wants(kind: Kind, queued: Queued) -> bool:
    """Whether the sender is to hear of it. The null sender never is."""
    if not queued.sender:
        return False
    pairs = (option.partition("=") for option in queued.hop.options)
    asked = next((value for key, _, value in pairs if key.upper() == "NOTIFY"), None)
    return WORDS[kind] in (UNASKED if asked is None else {word.strip() for word in asked.upper().split(",")})


def _file(
    queued: Queued, verdict: Verdict, schedule: Schedule, now: datetime, chance: float, settlement: Settlement
) -> tuple[Kind | None, datetime | None]:
    """One recipient put where it belongs; the kind of notice that may be due, and until when we shall try."""
    if verdict.fate is not Fate.LATER:
        settlement.done.append(queued.id)
        return {Fate.FAILED: Kind.FAILED, Fate.RELAYED: Kind.RELAYED}.get(verdict.fate), None
    waiting = Waiting(queued.received, queued.next, queued.attempts + 1, notice=not queued.sender)
    after = step(schedule, waiting, now, chance)
    if isinstance(after, Expired):
        settlement.done.append(queued.id)
        settlement.expired.add(queued.id)
        return Kind.FAILED, None
    settlement.later.append((queued.id, after.when, str(verdict)))
    return (Kind.DELAYED if after.warn else None), after.until


def _over(verdict: Verdict) -> Verdict:
    """The last attempt's words, under the code that says that time ran out (RFC 3463 X.4.7)."""
    over = failed("4.4.7", f"given up after the last attempt: {verdict.code} {verdict.reason}")
    return replace(over, host=verdict.host, reply=verdict.reply)
