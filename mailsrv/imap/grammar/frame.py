"""Where does a command end? Lines and literals (RFC 9051 4.3, RFC 7888) are put together, under limits. A pure machine.

    bytes -> feed() ... next() -> More      nothing complete yet
                                  Continue  a literal is announced: ask for it
                                  Frame     a whole command, literals still in place
                                  TooMuch   a limit was passed: the tag, and what to answer
                                  Fatal     no way to stay in step with this client: say goodbye

A synchronising literal that is too large costs nothing: it is refused before it is sent. One that comes unasked ({n+}) is read
and dropped up to `discard`, so that the next command is found. Before login nothing is dropped: the connection ends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailsrv.imap.limits import TAG, Limits

LITERAL = re.compile(rb"(~?)\{([0-9]{1,20})([+-]?)\}\Z")
BRINGS_MESSAGES = re.compile(rb"[^ ]{1,128} +(?:UID +)?(?:APPEND|REPLACE) ", re.IGNORECASE)
FIRST_WORD = re.compile(rb"[!#$&',-9:;<-\[\]^-z|}~.]+(?=[ \r\n]|\Z)")
LITERAL_TAIL = 32  # no literal's announcement is longer


@dataclass(frozen=True, slots=True)
class More:
    """Nothing complete yet."""


@dataclass(frozen=True, slots=True)
class Continue:
    """The client waits for our `+`."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One command with its literals, without the last line end."""

    data: bytes


@dataclass(frozen=True, slots=True)
class TooMuch:
    """Answer `tag` with BAD or NO, and go on."""

    tag: bytes
    text: str
    too_big: bool = False


@dataclass(frozen=True, slots=True)
class Fatal:
    """Say BYE and close."""

    text: str


Found = More | Continue | Frame | TooMuch | Fatal
MORE, CONTINUE = More(), Continue()


class Framer:
    """The bytes of one connection, until they are commands."""

    __slots__ = (
        "_buffer",
        "_doomed",
        "_dropped",
        "_end",
        "_limits",
        "_messages",
        "_scanned",
        "_start",
        "_tag",
        "trusted",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.trusted = False  # logged in
        self._buffer = bytearray()
        self._begin()

    def _begin(self) -> None:
        self._start = 0  # of the present line
        self._scanned = 0  # no line end before
        self._end = 0  # of the present literal, 0 when in a line
        self._messages = 0  # bytes of message literals so far
        self._doomed: TooMuch | None = None
        self._dropped = 0
        self._tag = b""

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def forget(self) -> None:
        """Drop what came before TLS began (CVE-2011-0411)."""
        self._buffer.clear()
        self._begin()

    def rest(self) -> bytes:
        """What came behind the last command and is to be read otherwise (compressed)."""
        rest = bytes(self._buffer)
        self.forget()
        return rest

    @property
    def waiting(self) -> int:
        """Bytes not yet taken."""
        return len(self._buffer)

    @property
    def announced(self) -> int:
        """Bytes of messages in the present command, come or announced."""
        return self._messages

    @property
    def inside(self) -> bool:
        """Whether a command has begun and not ended."""
        return bool(self._start or self._end or self._doomed)

    @property
    def behind_literal(self) -> bool:
        """Whether a literal has come whole, and the rest of its line has not."""
        return bool(self._start) and not self._end

    def line(self, longest: int) -> bytes | Fatal | None:
        """One line for those who asked for it (IDLE, AUTHENTICATE), None when it is not complete."""
        end = self._buffer.find(b"\n", 0, longest + 2)
        if end < 0:
            return Fatal("line too long") if len(self._buffer) > longest + 2 else None
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        del self._buffer[: end + 1]
        self._begin()
        return line

    def next(self) -> Found:
        """The next thing to do."""
        while True:
            if self._end and not self._literal_arrived():
                return self._overrun() or MORE
            found = self._next_line()
            if found is not None:
                return found

    def _literal_arrived(self) -> bool:
        if self._doomed:
            self._drop(min(self._end - self._start, len(self._buffer) - self._start))
        if len(self._buffer) < self._end:
            return False
        self._start = self._scanned = self._end
        self._end = 0
        return True

    def _drop(self, count: int) -> None:
        """Forget bytes of a command that is refused anyway."""
        del self._buffer[self._start : self._start + count]
        self._dropped += count
        self._end = max(self._start, self._end - count) if self._end else 0

    def _overrun(self) -> Fatal | None:
        return Fatal("more than we are ready to drop") if self._dropped > self._limits.discard else None

    def _next_line(self) -> Found | None:
        """Look at one line; None: it announced a literal that comes by itself, look again."""
        newline = self._buffer.find(b"\n", self._scanned)
        if newline < 0:
            return self._unfinished()
        line = bytes(self._buffer[max(self._start, newline - LITERAL_TAIL) : newline]).removesuffix(b"\r")
        if not self._tag:
            self._tag = first_word(self._buffer)
        if newline - self._start > self._longest_line:
            self._doom("the line is too long")
        announced = LITERAL.search(line)
        if announced is None:
            return self._complete(newline)
        return self._literal(int(announced[2]), bool(announced[3]), announced[3] == b"-", newline + 1)

    @property
    def _longest_line(self) -> int:
        return self._limits.line if self.trusted else self._limits.line_before_login

    def _unfinished(self) -> Found:
        self._scanned = len(self._buffer)
        if self._scanned - self._start <= self._longest_line:
            return MORE
        if not self.trusted:
            return Fatal("line too long")
        self._tag = self._tag or first_word(self._buffer)
        self._doom("the line is too long")
        self._drop(len(self._buffer) - self._start - LITERAL_TAIL)
        self._scanned = len(self._buffer)
        return self._overrun() or MORE

    def _doom(self, text: str, too_big: bool = False) -> None:
        self._doomed = self._doomed or TooMuch(self._tag, text, too_big)

    def _complete(self, newline: int) -> Found:
        data = b"" if self._doomed else bytes(self._buffer[:newline]).removesuffix(b"\r")
        doomed = self._doomed
        del self._buffer[: newline + 1]
        self._begin()
        return doomed or Frame(data)

    def _literal(self, size: int, unasked: bool, small: bool, start: int) -> Found | None:
        """A literal of `size` bytes from `start` on: ask, take or refuse it."""
        brings = self.trusted and BRINGS_MESSAGES.match(self._buffer) is not None
        text = self._refusal(size, brings, small, start)
        if text and not self.trusted and unasked:
            return Fatal(text)
        if text:
            self._doom(text, too_big=brings)
        if self._doomed and not unasked:
            return self._complete(start - 1)  # nothing follows: the client waits for our answer
        if size > self._limits.discard:
            return Fatal(self._doomed.text if self._doomed else "too large")
        self._messages += size if brings else 0
        self._start = self._scanned = start
        self._end = start + size
        if self._end == start:  # {0}: the line goes on at once
            self._end = 0
        return None if unasked else CONTINUE

    def _refusal(self, size: int, brings: bool, small: bool, start: int) -> str:
        limits = self._limits
        most = limits.message if brings else limits.literal if self.trusted else limits.literal_before_login
        if size > most or (small and size > 4096):
            return f"the literal is too large: {most} octets at most"
        if brings and self._messages + size > limits.messages:
            return f"the messages are too large together: {limits.messages} octets at most"
        arguments = start - self._messages + (0 if brings else size)
        room = limits.arguments if self.trusted else limits.line_before_login + 2 * limits.literal_before_login
        return "the command is too long" if arguments > room else ""


def first_word(data: bytes | bytearray) -> bytes:
    """The tag to answer, or `*` when there is none that we would repeat."""
    word = FIRST_WORD.match(data, 0, TAG + 1)
    return word[0] if word and len(word[0]) <= TAG else b"*"
