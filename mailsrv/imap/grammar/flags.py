"""Flags and keywords (RFC 9051 2.3.2). Pure. \\Recent is ours to give (rev1) and nobody's to set."""

from __future__ import annotations

from mailsrv.imap.grammar.cursor import Cursor, Unreadable
from mailsrv.imap.limits import KEYWORD_LENGTH, KEYWORDS

SYSTEM = {name.upper(): name for name in ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")}
SEEN, DELETED = "\\Seen", "\\Deleted"


def read_flag(cursor: Cursor) -> str:
    """One flag, system flags in their usual spelling."""
    backslash = "\\" if cursor.skip(b"\\") else ""
    name = backslash + cursor.atom().decode("ascii")
    if backslash:
        if name.upper() not in SYSTEM:
            raise Unreadable("there is no such system flag, or it cannot be set")
        return SYSTEM[name.upper()]
    if len(name) > KEYWORD_LENGTH:
        raise Unreadable("the keyword is too long")
    return name


def read_flags(cursor: Cursor) -> frozenset[str]:
    return frozenset(cursor.listed(read_flag, KEYWORDS, empty=True))


def read_flags_bare(cursor: Cursor) -> frozenset[str]:
    """STORE takes them without parentheses, too."""
    if cursor.stands(b"("):
        return read_flags(cursor)
    found = [read_flag(cursor)]
    while cursor.skip(b" "):
        if len(found) >= KEYWORDS:
            raise Unreadable("too many flags")
        found.append(read_flag(cursor))
    return frozenset(found)
