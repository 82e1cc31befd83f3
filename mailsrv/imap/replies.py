"""How a command ends: OK, NO, BAD (RFC 9051 7.1), with a response code; or the whole session: BYE. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from dnsops.base.errors import Deliberate


@dataclass(frozen=True, slots=True)
class Ok:
    """Done; `code` is a response code without its brackets."""

    text: str
    code: bytes = b""

    def line(self, tag: bytes) -> bytes:
        return written(tag, b"OK", self.code, self.text)


class Refused(Deliberate):
    """An answer, not an accident: NO or BAD, and why."""

    def __init__(self, text: str, code: bytes = b"", word: bytes = b"NO") -> None:
        super().__init__(text)
        self.text, self.code, self.word = text, code, word

    def line(self, tag: bytes) -> bytes:
        return written(tag, self.word, self.code, self.text)


class Goodbye(Deliberate):
    """The session ends here."""

    def __init__(self, text: str, code: bytes = b"") -> None:
        super().__init__(text)
        self.text, self.code = text, code

    def line(self) -> bytes:
        return written(b"*", b"BYE", self.code, self.text)


class CutOff(Deliberate):
    """An answer was begun that cannot be finished: the connection ends without a word."""


def bad(text: str, code: bytes = b"") -> Refused:
    return Refused(text, code, b"BAD")


def written(tag: bytes, word: bytes, code: bytes, text: str) -> bytes:
    bracket = b"[%b] " % code if code else b""
    line = " ".join(text.split()).encode("ascii", "replace")  # one line, whatever the text came from
    return b"%b %b %b%b\r\n" % (tag, word, bracket, line)
