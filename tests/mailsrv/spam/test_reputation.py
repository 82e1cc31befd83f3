"""Who a sender is to an account."""

from __future__ import annotations

import pytest

from mailsrv.spam.hints import Says
from mailsrv.spam.reputation import Mark, Record, hint, names


@pytest.mark.parametrize(
    "record, aligned, says, why",
    [
        (Record(), True, Says.NOTHING, "first contact"),
        (Record(), False, Says.NOTHING, "first contact"),
        (Record(neighbours=7), True, Says.NOTHING, "first contact; 7 mails from the domain before"),
        (Record(received=3), True, Says.NOTHING, "seen before"),
        (Record(sent=1), True, Says.ACCEPT, "known correspondent"),
        (Record(received=9, sent=1), True, Says.ACCEPT, "known correspondent"),
        (Record(sent=1), False, Says.NOTHING, "first contact"),  # a borrowed name gains nothing
        (Record(received=2, sent=1), False, Says.NOTHING, "seen before; a known correspondent's address, but nothing proves that it is theirs"),
        (Record(sent=5, mark=Mark.JUNK), True, Says.JUNK, "user marked as junk"),
        (Record(received=1, mark=Mark.JUNK), False, Says.JUNK, "user marked as junk"),
        (Record(received=1, mark=Mark.NOT_JUNK), True, Says.ACCEPT, "user took it out of junk"),
        (Record(received=1, mark=Mark.NOT_JUNK), False, Says.NOTHING, "seen before"),
    ],
)  # fmt: skip
def test_what_they_are_to_each_other(record: Record, aligned: bool, says: Says, why: str) -> None:
    given = hint(record, aligned)
    assert (given.source, given.says, given.why, given.score) == ("reputation", says, why, float(record.received))


def test_spelling_is_no_other_person() -> None:
    assert names("Bob@Remote.Example") == names('"bob"@remote.example.')
    assert names("nobody") is None
    assert names("") is None
