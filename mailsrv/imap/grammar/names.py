"""Mailbox names: modified UTF-7 on the wire of rev1 (RFC 3501 5.1.3), UTF-8 where enabled (RFC 6855, RFC 9051 5.1). Pure.

Inside they are text, NFC, levels divided by `/`. INBOX is the same in any case. What cannot be a name is refused, so that no
name ever looks like a path: no empty level, no `.`, nothing with `..`, no control characters, no wildcards, bounded in length and depth.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata

from mailsrv.imap.grammar.cursor import Cursor, Unreadable, decoded
from mailsrv.imap.limits import NAME_DEPTH, NAME_LENGTH

SEPARATOR = "/"
SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")
UNPRINTABLE = re.compile(r"[^\x20-\x7e]+|&")


def read_name(cursor: Cursor) -> str:
    """The mailbox that an astring names."""
    return mailbox_name(wire_text(cursor.astring(), cursor.utf8))


def wire_text(octets: bytes, utf8: bool) -> str:
    """What the bytes say, in the encoding that is in force."""
    if len(octets) > 4 * NAME_LENGTH:
        raise Unreadable("the mailbox name is too long")
    text = decoded(octets)
    return text if utf8 or not text.isascii() else from_utf7(text)


def mailbox_name(text: str) -> str:
    """The name as we keep it, or `Unreadable`."""
    name = unicodedata.normalize("NFC", text)
    levels = name.split(SEPARATOR)
    if levels[0].upper() == "INBOX":
        levels[0] = "INBOX"
    if len(name.encode("utf-8", "surrogatepass")) > NAME_LENGTH or len(levels) > NAME_DEPTH:
        raise Unreadable("the mailbox name is too long or too deep")
    if not all(map(fit, levels)):
        raise Unreadable("this cannot be the name of a mailbox")
    return SEPARATOR.join(levels)


def fit(level: str) -> bool:
    """Whether this may stand between two separators."""
    if not level or level == "." or ".." in level or level != level.strip():
        return False
    return not any(c in "%*\\" or unicodedata.category(c) in ("Cc", "Cs", "Cn", "Zl", "Zp") for c in level)


def from_utf7(text: str) -> str:
    """Modified UTF-7 to text; what is not well formed is refused, so that a name has one spelling."""
    if "&" not in text:
        return text
    plain = SHIFTED.sub(unshifted, text)
    if to_utf7(plain) != text:
        raise Unreadable("not modified UTF-7")
    return plain


def unshifted(found: re.Match[str]) -> str:
    if not found[1]:
        return "&"
    padded = found[1].replace(",", "/") + "=" * (-len(found[1]) % 4)
    try:
        return base64.b64decode(padded, validate=True).decode("utf-16-be")
    except (binascii.Error, UnicodeDecodeError):
        raise Unreadable("not modified UTF-7") from None


def to_utf7(name: str) -> str:
    return UNPRINTABLE.sub(shifted, name)


def shifted(found: re.Match[str]) -> str:
    if found[0] == "&":
        return "&-"
    coded = base64.b64encode(found[0].encode("utf-16-be", "surrogatepass")).decode("ascii")
    return f"&{coded.rstrip('=').replace('/', ',')}-"
