"""Passwords as they are compared: SASLprep. Names are not mapped: two spellings must not meet in one account.

Standards: RFC 4013 on stringprep (RFC 3454), as RFC 4616 and RFC 5802 ask for; unassigned code points pass (queries).
Limits: 1 KiB of UTF-8, before anything else looks at it. Fails by: None.
"""

from __future__ import annotations

import stringprep
import unicodedata
from collections.abc import Callable

LONGEST = 1024  # octets: no hash is fed with more

_PROHIBITED: tuple[Callable[[str], bool], ...] = (  # RFC 4013 2.3
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def prepared(text: str) -> str | None:
    """A password in its one spelling; None when no password may be like that."""
    if len(text) > LONGEST:
        return None
    if text.isascii():
        return text if text.isprintable() and text else None
    mapped = "".join(" " if stringprep.in_table_c12(c) else c for c in text if not stringprep.in_table_b1(c))
    composed = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    odd = any(wrong(char) for char in composed for wrong in _PROHIBITED)
    return None if odd or not composed or not _one_direction(composed) else composed


def spellings(password: bytes) -> tuple[bytes, ...]:
    """What to try for a password that arrived: as it came, and prepared where that differs. Empty: refused unread."""
    if not password or len(password) > LONGEST or b"\0" in password:
        return ()
    try:
        text = prepared(password.decode())
    except UnicodeDecodeError:
        return (password,)  # a hash made elsewhere may well be of Latin-1
    return (password,) if text is None or text.encode() == password else (password, text.encode())


def _one_direction(text: str) -> bool:
    """RFC 3454 6."""
    right = [stringprep.in_table_d1(char) for char in text]
    if not any(right):
        return True
    return right[0] and right[-1] and not any(map(stringprep.in_table_d2, text))
