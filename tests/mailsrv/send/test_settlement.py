"""What an attempt means for the queue."""

from datetime import timedelta

import pytest

from mailsrv.send.schedule import DAY, Schedule
from mailsrv.send.settlement import Kind, settle
from mailsrv.send.verdict import Verdict
from mailsrv.store.door import Hop, Queued
from tests.mailsrv.send.world import NO, NOON, RELAYED, TAKEN, WAIT

RULES = Schedule()


def queued(number: int = 1, sender: str = "a@us.org", planned: timedelta = timedelta(0), *options: str) -> Queued:
    return Queued(number, 7, 100, sender, Hop(f"x{number}@example.net", options), ("ENVID=1",), NOON, 2, NOON + planned)


@pytest.mark.parametrize(
    "verdict,sender,at,done,kinds",
    [
        (TAKEN, "a@us.org", timedelta(0), True, []),
        (RELAYED, "a@us.org", timedelta(0), True, []),
        (NO, "a@us.org", timedelta(0), True, [Kind.FAILED]),
        (NO, "", timedelta(0), True, []),  # P-07
        (WAIT, "a@us.org", timedelta(hours=3), False, []),
        (WAIT, "a@us.org", timedelta(hours=4), False, [Kind.DELAYED]),
        (WAIT, "", timedelta(hours=4), False, []),
        (WAIT, "a@us.org", 5 * DAY, True, [Kind.FAILED]),
        (WAIT, "", 2 * DAY, True, []),
    ],
)
def test_one_recipient(verdict: Verdict, sender: str, at: timedelta, done: bool, kinds: list[Kind]) -> None:
    found = settle([queued(1, sender, at)], {1: verdict}, RULES, NOON + at, lambda: 0.5)
    assert (found.done, [later[0] for later in found.later]) == (([1], []) if done else ([], [1]))
    assert [notice.kind for notice in found.notices] == kinds


def test_recipients_share_a_notice_and_it_knows_the_message() -> None:
    found = settle([queued(n) for n in (1, 2, 3)], {1: NO, 2: TAKEN, 3: NO}, RULES, NOON, lambda: 0.5)
    (notice,) = found.notices
    assert [told.recipient for told in notice.told] == ["x1@example.net", "x3@example.net"]
    assert (notice.sender, notice.blob, notice.options, notice.received) == ("a@us.org", 7, ("ENVID=1",), NOON)
    assert found.done == [1, 2, 3]
