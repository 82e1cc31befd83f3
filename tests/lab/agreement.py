"""How often others' verdicts were ours, for the end of a test run."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator

AGREED: Counter[str] = Counter()  # by method
DIFFERED: Counter[tuple[str, str]] = Counter()  # by method and what the messages have in common
WIDTH = 118


def lines() -> Iterator[str]:
    """The counts, the frequent reasons first; nothing when nothing was compared."""
    for method, many in AGREED.items():
        reasons = Counter({about: count for (of, about), count in DIFFERED.items() if of == method})
        told = ", ".join(f"{about} {count}" for about, count in reasons.most_common())
        yield from textwrap.wrap(
            f"{method:9} {many} alike, {reasons.total()} explained: {told}", WIDTH, subsequent_indent=" " * 10
        )
