"""What one adviser thinks of a message: a hint. The decision room weighs hints; none of them decides alone. Pure.

A hint that nobody could give (the scanner is down, the list refused to answer) says NOTHING, and `why` tells the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

LONGEST = 200  # characters of a stranger's words in one hint


class Says(Enum):
    """What an adviser would do; the value is for people."""

    ACCEPT = "deliver it"
    JUNK = "put it into Junk"
    REFUSE = "refuse it"
    LATER = "let the sender try again later"
    NOTHING = "no opinion"

    __hash__ = object.__hash__  # it stands in keys; Enum would hash its name, in Python


@dataclass(frozen=True, slots=True)
class Hint:
    """source: who says it (`rspamd`, `dnsbl zen.spamhaus.org`, `reputation`).  why: one sentence of printable ASCII.

    score: the adviser's own points, where it has any; two advisers' points do not compare.
    """

    source: str
    says: Says
    why: str = ""
    score: float | None = None


def plain(text: str | bytes, longest: int = LONGEST) -> str:
    """A stranger's words, fit for a reply, a header field or a log line: printable ASCII on one line, bounded."""
    known = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    if len(known) <= longest and known.isascii() and known.isprintable() and "  " not in known:
        return known.strip()
    shown = "".join(c if " " <= c <= "~" else "?" if c.isprintable() else " " for c in known[: 4 * longest])
    return " ".join(shown.split())[:longest].rstrip()
