"""What ClamAV's clamd is asked, and what its answer means: INSTREAM. Pure.

    zINSTREAM NUL, then each piece behind its length (4 octets, big endian), then a length of 0
    stream: OK NUL                                   no opinion: a file without a virus is not yet wanted mail
    stream: Win.Test.EICAR_HDB-1 FOUND NUL           REFUSE
    stream: Heuristics.Phishing.Email FOUND NUL      JUNK: a guess, or a program that some do not want (PUA.)
    INSTREAM size limit exceeded. ERROR NUL          no opinion: larger than its StreamMaxLength, now and ever

Standard: clamd(8). Limits: an answer of 4 KiB. Fails by: `Later`.
"""

from __future__ import annotations

from collections.abc import Iterator

from dnsops.base.errors import Later
from mailsrv.spam.hints import Hint, Says, plain
from mailsrv.spam.mail import Mail
from mailsrv.spam.place import Manners

SOURCE = "clamav"
PIECE = 64 << 10
GUESSES = ("Heuristics.", "PUA.")
LONGEST_NAME = 100


def _whole(answer: bytes) -> bool:
    return answer.endswith(b"\0")


MANNERS = Manners(SOURCE, longest=4 << 10, whole=_whole)


def question(mail: Mail) -> Iterator[bytes]:
    """The request, piece by piece."""
    yield b"zINSTREAM\0"
    for start in range(0, len(mail.content), PIECE):
        piece = mail.content[start : start + PIECE]
        yield len(piece).to_bytes(4, "big") + piece
    yield bytes(4)


def hint(answer: bytes) -> Hint:
    """The adviser's word."""
    said = answer.partition(b"\0")[0].strip()
    if said == b"stream: OK":
        return Hint(SOURCE, Says.NOTHING, "no virus found")
    if said.startswith(b"stream: ") and said.endswith(b" FOUND"):
        name = plain(said.removeprefix(b"stream: ").removesuffix(b" FOUND"), LONGEST_NAME) or "without a name"
        says = Says.JUNK if name.startswith(GUESSES) else Says.REFUSE
        return Hint(SOURCE, says, f"the message holds the virus {name}")
    if b"size limit exceeded" in said:
        return Hint(SOURCE, Says.NOTHING, "the message is larger than clamd looks at")
    raise Later(f"clamd answers: {plain(said, 80)}")
