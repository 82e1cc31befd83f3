"""How often another server's verdicts were ours, for the end of a test run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

AGREED: Counter[str] = Counter()  # by method
DIFFERED: Counter[tuple[str, str, str]] = Counter()  # by method, what the messages have in common, what was said


def lines() -> Iterator[str]:
    """The counts, the frequent ones first; nothing when nothing was compared."""
    for method, many in AGREED.items():
        others = sum(count for (of, *_), count in DIFFERED.items() if of == method)
        yield f"{method:7} {many} alike, {others} not"
    for (method, about, said), many in sorted(DIFFERED.items(), key=lambda item: (item[0][0], -item[1])):
        yield f"{many:5}  {method:7} {about}: {said}"
