"""The words of a zone file: which characters make up each record or directive, without knowing what they mean. Pure.

Standard: RFC 1035 5.1 — parentheses join lines, `;` begins a comment, quotes and backslashes take meaning away.
Fails by: `ForUser` with FILE:LINE for a quote or parenthesis that does not close.
Limits: MOST_WORDS words and MOST_LINES lines in one statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dnsops.base.errors import ForUser

MOST_WORDS = 5000
MOST_LINES = 2000
# a quoted string, or a run of anything but blanks, quotes and structure, in which a quoted part may stand (alpn="h2")
_PIECE = re.compile(
    r"""(?P<blank>[ \t\f\v]+) | (?P<newline>\r?\n) | (?P<comment>;[^\n]*) | (?P<open>\() | (?P<close>\))
      | (?P<word>"(?:[^"\\\n]|\\[^\n])*" | (?:[^\s"();\\]|\\[^\n])(?:[^\s"();\\]|\\[^\n]|"(?:[^"\\\n]|\\[^\n])*")*)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Word:
    """Characters `start` to `end` of the text, as they stand there."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One record or directive, with its line end. comment: its last one, without the semicolon. line: where it begins."""

    words: tuple[Word, ...]
    start: int
    end: int
    line: int
    indented: bool
    comment: str


def statements(text: str, where: str) -> Iterator[Statement]:
    """Every statement of a text; blank lines and lines of comment are none."""
    scanner = _Scanner(where)
    position = 0
    while position < len(text):
        piece = _PIECE.match(text, position)
        if piece is None:
            raise ForUser("a quote that does not close, or a stray backslash", f"{where}:{scanner.line}")
        yield from scanner.take(piece.lastgroup or "", piece)
        position = piece.end()
    yield from scanner.finish(position)


class _Scanner:
    """Collects pieces until a line ends outside of parentheses."""

    def __init__(self, where: str) -> None:
        self.where, self.line, self.depth = where, 1, 0
        self.words: list[Word] = []
        self.start, self.first = 0, 1
        self.indented, self.comment = False, ""

    def take(self, kind: str, piece: re.Match[str]) -> Iterator[Statement]:
        match kind:
            case "word":
                self._word(piece)
            case "blank":
                self.indented = self.indented or piece.start() == self.start
            case "comment":
                self.comment = piece.group()[1:].strip()
            case "open":
                self.depth += 1
            case "close":
                self.depth -= 1
                if self.depth < 0:
                    raise ForUser("a closing parenthesis too many", f"{self.where}:{self.line}")
            case "newline":
                yield from self._newline(piece.end())

    def finish(self, end: int) -> Iterator[Statement]:
        if self.depth:
            raise ForUser("a parenthesis opened here does not close", f"{self.where}:{self.first}")
        yield from self._statement(end)

    def _word(self, piece: re.Match[str]) -> None:
        if len(self.words) >= MOST_WORDS:
            raise ForUser(f"more than {MOST_WORDS} words in one record", f"{self.where}:{self.first}")
        self.words.append(Word(piece.group(), piece.start(), piece.end()))

    def _newline(self, end: int) -> Iterator[Statement]:
        self.line += 1
        if self.line - self.first > MOST_LINES:
            raise ForUser(f"a record of more than {MOST_LINES} lines", f"{self.where}:{self.first}")
        if not self.depth:
            yield from self._statement(end)
            self._begin(end)

    def _statement(self, end: int) -> Iterator[Statement]:
        if self.words:
            yield Statement(tuple(self.words), self.start, end, self.first, self.indented, self.comment)

    def _begin(self, start: int) -> None:
        self.words = []
        self.start, self.first = start, self.line
        self.indented, self.comment = False, ""
