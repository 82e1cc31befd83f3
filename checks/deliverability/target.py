"""Where a link goes: a URI taken apart as far as a judgement needs it. Pure.

Standard: RFC 3986 appendix B (the pattern), 3.2 (authority), 3.2.2 (address literals). Fails by a value: None for what cannot be read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_URI = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]{0,40}+):)?(?://([^/?#]*+))?", re.DOTALL)
_AUTHORITY = re.compile(r"(?:([^@]*+)@)?(\[[0-9A-Fa-f:.]{2,60}+\]|[^:\[\]@]*+)(?::([0-9]{0,5}))?\Z", re.DOTALL)
MOST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Target:
    """scheme, host: lower case, "" for none; an address literal without its brackets.  user: what stands before @, None for nothing."""

    scheme: str
    host: str
    user: str | None = None

    @property
    def web(self) -> bool:
        return self.scheme in ("http", "https")


def split(text: str) -> Target | None:
    """`https://u@example.org:8/x` -> https, example.org, u."""
    found = _URI.match(text.strip())
    if found is None:
        return None
    authority = _AUTHORITY.match(found[2] or "")
    if authority is None or int(authority[3] or 0) > MOST_PORT:
        return None
    return Target((found[1] or "").lower(), authority[2].strip("[]").lower(), authority[1])
