"""Patience: short pauses, bounded in number and sum."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dnsops.base.errors import Later
from dnsops.providers.patience import GAPS, LONGEST_PAUSE, LONGEST_SUM, Patience


def spent(asked: list[float | None]) -> tuple[list[float], timedelta | None]:
    naps: list[float] = []
    patience = Patience(naps.append)
    try:
        for one in asked:
            patience.rest("busy", one)
    except Later as later:
        return naps, later.after
    return naps, None


@pytest.mark.parametrize(
    "asked, naps, after",
    [
        ([None] * 5, list(GAPS), None),
        ([None] * 6, list(GAPS), 60),
        ([0.0, 0.0], [0.5, 1.0], None),
        ([30.0, 30.0], [30.0, 30.0], None),
        ([30.0, 30.0, 0.1], [30.0, 30.0], 2),
        ([31.0], [], 31),
        ([29.0, 300.0], [29.0], 300),
    ],
)
def test_what_is_slept_and_when_it_ends(asked: list[float | None], naps: list[float], after: int | None) -> None:
    assert spent(asked) == (naps, None if after is None else timedelta(seconds=after))
    assert sum(naps) <= LONGEST_SUM
    assert all(nap <= LONGEST_PAUSE for nap in naps)
