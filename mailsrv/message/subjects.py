"""The base subject: what stays of a subject when everything that answering and forwarding added is gone. Pure.

Standard: RFC 5256 2.1, on the decoded subject; each character is looked at a fixed number of times.
Limits: `limits.SUBJECT` characters. Never fails.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mailsrv.message import limits

_TRAILER = re.compile(r"(?:\(fwd\)|\s)\Z", re.IGNORECASE)
_BLOB = re.compile(r"\[[^\[\]]*+\]\s*+")
_REFWD = re.compile(r"(?:re|fwd?)\s*+(?:\[[^\[\]]*+\]\s*+)?:", re.IGNORECASE)
_BLANK = re.compile(r"\s*+")


class Subject(NamedTuple):
    """`base` in lower case; `answers`: it was a reply or a forward."""

    base: str
    answers: bool


def base_subject(decoded: str) -> Subject:
    """Steps 1 to 6 of RFC 5256 2.1."""
    text = " ".join(decoded[: limits.SUBJECT].split())
    answers = False
    while True:
        text, trailed = _without_trailers(text)
        text, led = _without_leaders(text)
        answers = answers or trailed or led
        inner = _forwarded(text)
        if inner is None:
            return Subject(text.lower(), answers)
        text, answers = inner, True


def _without_trailers(text: str) -> tuple[str, bool]:
    """Step 2."""
    found = False
    while _TRAILER.search(text, max(len(text) - 5, 0)):
        forwarded = text.endswith(")")
        text = text[:-5] if forwarded else text[:-1]
        found = found or forwarded
    return text, found


def _without_leaders(text: str) -> tuple[str, bool]:
    """Steps 3 to 5: blobs before "Re:" go with it; others go unless nothing would be left."""
    position, answers = 0, False
    while True:
        position = _end(_BLANK, text, position)
        after, last = _blobs(text, position)
        refwd = _REFWD.match(text, after)
        if refwd:
            position, answers = refwd.end(), True
        else:
            return text[after if after < len(text) else last :], answers


def _blobs(text: str, position: int) -> tuple[int, int]:
    """Where a row of blobs ends, and where its last one begins."""
    last = position
    while blob := _BLOB.match(text, position):
        last, position = position, blob.end()
    return position, last


def _forwarded(text: str) -> str | None:
    """Step 6: what "[fwd: ... ]" holds."""
    if text[:5].lower() == "[fwd:" and text.endswith("]"):
        return text[5:-1]
    return None


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return found.end() if found else position
