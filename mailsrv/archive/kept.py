"""A message as an archive keeps it, and how far a form of archive keeps it: values, line ends, folder names. Pure.

    crlf(content)            as mailboxes here hold it; lf(content) as archives do
    escaped("a.b/c")         "a\\2eb.c": a folder's name where a full stop parts the levels (Maildir++, Dovecot's listescape)

Fails by: `Unfit` values, never by an exception.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from mailsrv.imap.grammar.names import from_utf7, to_utf7

LARGEST = 256 << 20  # octets of a message
_BARE = re.compile(rb"(?<!\r)\n")
_ESCAPED = re.compile(r"\\([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Kept:
    """One message. `content` has CRLF; `where`: the file, and the octet it begins at; `uid`: that it had there, if it is known."""

    mailbox: str
    content: bytes = field(repr=False)
    received: datetime
    flags: frozenset[str] = frozenset()
    where: str = ""
    uid: int = 0


@dataclass(frozen=True, slots=True)
class Numbers:
    """How a mailbox counted elsewhere: its UIDVALIDITY, and a UID that none of its messages has reached."""

    uidvalidity: int
    uidnext: int


@dataclass(frozen=True, slots=True)
class Unfit:
    """What could not be taken over, and why."""

    where: str
    why: str
    mailbox: str = ""


def crlf(content: bytes) -> bytes:
    """A file's lines as mail has them. One whose first line ends in CRLF is taken for mail already."""
    end = content.find(b"\n")
    if end > 0 and content[end - 1] == 0x0D:
        return content
    return _BARE.sub(b"\r\n", content)


def lf(content: bytes) -> bytes | None:
    """The other way; None when `crlf` would not give it back."""
    short = content.replace(b"\r\n", b"\n")
    return short if crlf(short) == content else None


def escaped(mailbox: str) -> str:
    """A folder's name as one word, levels parted by full stops."""
    return ".".join(to_utf7(level).replace("\\", "\\5c").replace(".", "\\2e") for level in mailbox.split("/"))


def unescaped(name: str) -> str:
    """And back; raises `Unreadable` for what is no modified UTF-7."""
    levels = [_ESCAPED.sub(lambda found: chr(int(found[1], 16)), level) for level in name.split(".")]
    return "/".join(map(from_utf7, levels))
