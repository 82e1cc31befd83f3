"""Changes of one commit become one a mailbox."""

from __future__ import annotations

from mailsrv.store.door import Change, Row
from mailsrv.store.news import coalesce
from tests.mailsrv.store.letters import NOON


def row(uid: int, modseq: int) -> Row:
    return Row(uid, modseq, frozenset(), 1, NOON, 1)


def test_one_change_a_mailbox_with_what_is_left_at_the_end() -> None:
    changes = [
        Change("a", 1, (row(2, 5),)),
        Change("a", 2, kind="created"),
        Change("a", 2, (row(1, 6),)),
        Change("a", 1, (row(1, 7), row(2, 7))),
        Change("b", 3, gone=(4,)),
        Change("a", 1, gone=(1,)),
    ]
    assert coalesce(changes) == [
        Change("a", 1, (row(2, 7),), (1,)),
        Change("a", 2, kind="created"),
        Change("a", 2, (row(1, 6),)),
        Change("b", 3, gone=(4,)),
    ]
