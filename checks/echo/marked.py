"""The marked mail, and what an answer to it tells. Pure.

    made = message(...);  is_answer(content, mark)  bounced(content)  saw(content) -> {"spf": "pass for ...", ...}

An answer is known by our token: in References, In-Reply-To, the subject, or the text. Our own echo answers in lines (`SPF  pass for
...`); others quote the header as it arrived, with an Authentication-Results that is read, too.
Standards: RFC 5322 3.6.4, 3834 3.1, 8601 2.2, 3464. Limits: TEXT octets of an answer are read. Never fails.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from checks.deliverability.letter import Letter
from mailsrv.message import compose

TEXT = 64 << 10
LONGEST = 200
METHODS = ("spf", "dkim", "dmarc")
_LINE = re.compile(r"^[ >\t]{0,8}(SPF|DKIM|DMARC|TLS)(?:[ \t]{1,20}|:[ \t]{0,20})([^\r\n]{1,400})", re.MULTILINE)
_RESULT = re.compile(r"(?<![A-Za-z-])(spf|dkim|dmarc)[ \t]{0,4}=[ \t]{0,4}([a-z]{3,12})", re.IGNORECASE)
_QUOTED = re.compile(r"^[ >\t]{0,8}Authentication-Results:([^\r\n]{0,2000}(?:\r?\n[ >\t]{1,8}[ \t][^\r\n]{0,2000}){0,30})", re.MULTILINE | re.IGNORECASE)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """token: in the subject and the Message-ID.  identifier: the Message-ID with its angle brackets."""

    token: str
    identifier: str


def mark(token: str, sender: str) -> Mark:
    return Mark(token, compose.message_id(token, sender.rpartition("@")[2]))


def message(of: Mark, sender: str, echo: str, now: datetime) -> bytes:
    """What is sent."""
    fields = [
        ("From", compose.mailbox("", sender)),
        ("To", compose.mailbox("", echo)),
        ("Subject", f"Round trip {of.token}"),
    ]
    text = f"This mail was sent by `mailsrv check echo` to see whether an answer comes back.\n\n{of.token}\n"
    return compose.message(fields, now, of.identifier, compose.text_part(text))


def is_answer(content: bytes, of: Mark) -> bool:
    """Whether it is about our mail, and not our mail itself."""
    own = of.identifier.encode()
    letter = Letter(content[:TEXT])
    return own not in letter.head.every(b"message-id") and of.token.encode() in letter.content


def bounced(content: bytes) -> bool:
    """Whether it tells that the mail could not be delivered (RFC 3464)."""
    kind = (Letter(content[:TEXT]).head.first(b"content-type") or b"").lower()
    return kind.startswith(b"multipart/report") and b"delivery-status" in kind


def saw(content: bytes) -> Mapping[str, str]:
    """spf, dkim, dmarc, tls -> the far side's words, those that it has."""
    text = Letter(content[:TEXT]).words
    found: dict[str, str] = {}
    for line in _LINE.finditer(text):
        found.setdefault(line[1].lower(), " ".join(line[2].split())[:LONGEST])
    for field in _QUOTED.finditer(text):
        for method, result in _RESULT.findall(field[1]):
            found.setdefault(method.lower(), result.lower())
    return found
