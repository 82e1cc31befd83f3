"""What was seen, as evidence for a person: few short lines in which nothing of a stranger's can act. Pure.

Limits: MOST_LINES of LONGEST characters; what is cut off is said. Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import islice

from checks.facts.looked import Evidence
from dnsops.base.printable import printable

MOST_LINES = 24
LONGEST = 300


def evidence(lines: Iterable[str], at: datetime | None = None) -> Evidence:
    """The lines, made harmless."""
    kept = list(islice(lines, MOST_LINES + 1))
    shown = [_short(line) for line in kept[:MOST_LINES]]
    return Evidence((*shown, "...") if len(kept) > MOST_LINES else tuple(shown), at)


def _short(line: str) -> str:
    return printable(line if len(line) <= LONGEST else line[:LONGEST] + "...")
