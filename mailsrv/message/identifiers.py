"""Message-IDs: a message's own, and those of the messages it answers, for THREAD. Pure.

Standards: RFC 5322 3.6.4; RFC 5256 3 (REFERENCES step 1): a quoted left side equals the same without quotes; In-Reply-To
counts only when References has none. Limits: `limits.IDENTIFIER` bytes of each, `limits.REFERENCES` of them.
"""

from __future__ import annotations

import re

from mailsrv.message import charsets, limits
from mailsrv.message.header import Header

_ID = re.compile(rb'<([^<>@"\s]++|"[^"<>]*+")@([^<>\s]++)>')
_DOT_ATOM = re.compile(rb"[^\s\"(),:;<>@\[\\\].]+(?:\.[^\s\"(),:;<>@\[\\\].]+)*\Z")
_LOOSE = re.compile(rb"<([^<>\s]++)>")


def message_id(header: Header) -> str:
    """Without its angle brackets; empty when there is none."""
    value = header.first(b"message-id")
    found = identifiers(value) if value else []
    return found[0] if found else ""


def references(header: Header) -> tuple[str, ...]:
    """The ancestors, oldest first, each once."""
    value = header.first(b"references")
    found = identifiers(value) if value else []
    if not found:
        answered = header.first(b"in-reply-to")
        found = identifiers(answered)[:1] if answered else []
    unique = list(dict.fromkeys(found))
    return tuple(unique if len(unique) <= limits.REFERENCES else unique[:1] + unique[1 - limits.REFERENCES :])


def identifiers(value: bytes) -> list[str]:
    """All Message-IDs of a field, normalised; one that lacks its @ only when there is no better one."""
    found = [_normal(match[1], match[2]) for match in _ID.finditer(value)]
    if not found:
        found = [charsets.text(match[1]) for match in _LOOSE.finditer(value)]
    return [one for one in found if len(one) <= limits.IDENTIFIER]


def _normal(left: bytes, right: bytes) -> str:
    if left.startswith(b'"') and _DOT_ATOM.match(left[1:-1]):
        left = left[1:-1]
    return charsets.text(left + b"@" + right)
