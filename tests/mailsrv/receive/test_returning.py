"""Which senders are rewritten, and whose addresses come back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailsrv.receive.returning import Rewritten
from tests.mailsrv.receive.judges import NOON

OLD, NEW = b"old-old-old-old-old", b"new-new-new-new-new"
OURS = {"ours.test", "mx.ours.test"}


def paths(domain: str = "", *secrets: bytes) -> Rewritten:
    return Rewritten(secrets or (NEW, OLD), domain, OURS)


@pytest.mark.parametrize(
    ("domain", "via", "at"),
    [
        ("", "info@ours.test", "ours.test"),
        ("bounces.test", "info@ours.test", "bounces.test"),
        ("bounces.test", "", "bounces.test"),
    ],
)
def test_there_and_back(domain: str, via: str, at: str) -> None:
    sender = paths(domain).forward("ann@remote.test", via, NOON)
    assert sender.endswith(f"=remote.test=ann@{at}")
    assert paths(domain).back(sender, NOON + timedelta(days=3)) == "ann@remote.test"


@pytest.mark.parametrize("sender", ["user1@ours.test", "x@mx.ours.test", ""])
def test_our_own_senders_stay(sender: str) -> None:
    assert paths().forward(sender, "info@ours.test", NOON) == sender


def test_without_a_domain_the_sender_stays() -> None:
    assert paths().forward("ann@remote.test", "", NOON) == "ann@remote.test"


def test_an_earlier_secret_still_opens_and_no_longer_closes() -> None:
    before = paths("", OLD).forward("ann@remote.test", "info@ours.test", NOON)
    assert paths().back(before, NOON) == "ann@remote.test"
    assert paths("", NEW).back(before, NOON) is None
    assert paths("", OLD).back(paths().forward("ann@remote.test", "info@ours.test", NOON), NOON) is None


@pytest.mark.parametrize(
    "address", ["user1@ours.test", "srs0@ours.test", "SRS0=AAAAAA=AA=remote.test=ann@ours.test", "", "@", "SRS0="]
)
def test_what_is_none_of_ours(address: str) -> None:
    assert paths().back(address, NOON) is None


def test_at_a_domain_that_is_not_ours_it_means_nothing() -> None:
    sender = paths("bounces.test").forward("ann@remote.test", "info@ours.test", NOON)
    assert paths().back(sender, NOON) is None
