"""What SpamAssassin's spamd is asked, and what its answer means. Pure.

    SYMBOLS SPAMC/1.5            ->      SPAMD/1.1 0 EX_OK
    Content-length: 1234                 Content-length: 20
    User: user1                          Spam: True ; 1000.0 / 5.0

    the message                          GTUBE,NO_RECEIVED

Standard: SpamAssassin's spamd/PROTOCOL, version 1.5; a status other than 0 is of sysexits.h. It waits for the
end of a last line that has none, whatever Content-length says, unless our side of the line is shut.
Limits: an answer of 64 KiB, 20 header lines. Fails by: `Later`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dnsops.base.errors import Later
from mailsrv.spam.hints import Hint, Says, plain
from mailsrv.spam.mail import Mail
from mailsrv.spam.place import Manners

SOURCE = "spamassassin"
MANNERS = Manners(SOURCE, longest=64 << 10, half=True)
PIECE = 64 << 10
MOST_LINES = 20
_STATUS = re.compile(rb"SPAMD/\d{1,2}\.\d{1,2} (\d{1,5}) ?(.{0,500})")
_SPAM = re.compile(rb"spam: *(true|yes|false|no) *; *(-?[\d.]{1,15}) */ *(-?[\d.]{1,15}) *", re.IGNORECASE)
_USER = re.compile(r"[^A-Za-z0-9._@+-]")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which score on: junk (None: where spamd itself says spam), refused (None: never)."""

    junk: float | None = None
    refuse: float | None = None


def question(mail: Mail, user: str = "") -> Iterator[bytes]:
    """The request, piece by piece. `user`: whose preferences count, "" for nobody's."""
    head = f"SYMBOLS SPAMC/1.5\r\nContent-length: {len(mail.content)}\r\n"
    name = _USER.sub("", user)[:64]
    yield (head + (f"User: {name}\r\n" if name else "") + "\r\n").encode()
    for start in range(0, len(mail.content), PIECE):
        yield mail.content[start : start + PIECE]


def hint(answer: bytes, thresholds: Thresholds) -> Hint:
    """The adviser's word."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n", MOST_LINES)
    status = _STATUS.fullmatch(lines[0])
    if status is None:
        raise Later("spamd's answer makes no sense")
    if int(status[1]) != 0:
        raise Later(f"spamd answers {int(status[1])} {plain(status[2], 80)}")
    spam, score = _score(lines[1:])
    symbols = plain(body, 120)
    return Hint(SOURCE, _says(spam, score, thresholds), f"{score:g} points{f' ({symbols})' if symbols else ''}", score)


def _score(lines: list[bytes]) -> tuple[bool, float]:
    for line in lines:
        found = _SPAM.fullmatch(line)
        if found is not None:
            try:
                return found[1].lower() in (b"true", b"yes"), float(found[2])
            except ValueError:
                break
    raise Later("spamd's answer has no score")


def _says(spam: bool, score: float, thresholds: Thresholds) -> Says:
    if thresholds.refuse is not None and score >= thresholds.refuse:
        return Says.REFUSE
    junk = spam if thresholds.junk is None else score >= thresholds.junk
    return Says.JUNK if junk else Says.NOTHING
