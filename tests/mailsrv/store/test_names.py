"""Names of mailboxes: grammar, and what lies above and below."""

from __future__ import annotations

import pytest

from mailsrv.store.door import Cannot
from mailsrv.store.names import above, below, moved, proper


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("inbox", "INBOX"),
        ("Inbox/a", "INBOX/a"),
        ("a/inbox", "a/inbox"),
        ("a/b/", "a/b"),
        ("Entwürfe", "Entwürfe"),
        ("&A-", "&A-"),
    ],
)
def test_a_name_as_it_is_kept(name: str, kept: str) -> None:
    assert proper(name) == kept
    assert proper(kept) == kept


def test_above_and_below() -> None:
    assert above("a/b/c") == ["a", "a/b"]
    assert above("a") == []
    assert [below(name, "a") for name in ("a", "a/b", "ab", "ab/c")] == [False, True, False, False]
    assert moved("a/b/c", "a/b", "x") == "x/c"


def test_moving_never_makes_a_name_that_is_none() -> None:
    with pytest.raises(Cannot):
        moved("a/" + "b" * 900, "a", "c" * 900)
