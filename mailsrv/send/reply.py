"""Replies of SMTP servers, read from bytes as they come. Pure.

Standards: RFC 5321 4.2 (form), RFC 2034 and 3463 (enhanced codes). Read with tolerance: a bare LF ends a line, "250" may stand
alone, the last line's code counts. Limits: 2048 bytes a line, 100 lines and 32 KiB a reply, 300 replies waiting.
Fails by: `Garbage`, with what is wrong; nothing that follows can be trusted then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from dnsops.base.errors import Deliberate

LONGEST_LINE = 2048  # RFC 5321 4.5.3.1.5 says 512
MOST_LINES = 100
LARGEST = 32768
MOST_WAITING = 300
_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?= |$)")


class Garbage(Deliberate):
    """This is no SMTP."""


@dataclass(frozen=True, slots=True)
class Reply:
    """code: 200-599. lines: the text without codes. enhanced: X.Y.Z of the first line, or ""."""

    code: int
    lines: tuple[str, ...] = ("",)

    @property
    def enhanced(self) -> str:
        found = _ENHANCED.match(self.lines[0])
        return found[1] if found else ""

    @property
    def good(self) -> bool:
        return 200 <= self.code < 300

    def __str__(self) -> str:
        return f"{self.code} {' '.join(line.strip() for line in self.lines)}".strip()


@dataclass(slots=True)
class Replies:
    """A reader: bytes in, replies out."""

    _rest: bytes = b""
    _lines: list[str] = field(default_factory=list)
    _size: int = 0

    @property
    def midway(self) -> bool:
        """Whether a reply has begun and not ended."""
        return bool(self._rest or self._lines)

    def feed(self, data: bytes) -> Iterator[Reply]:
        """What is whole now; garbage is raised after the replies before it."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if reply := self._line(line.removesuffix(b"\r")):
                yield reply
        if len(self._rest) > LONGEST_LINE:
            raise Garbage(f"a line of more than {LONGEST_LINE} bytes")

    def _line(self, line: bytes) -> Reply | None:
        parts = _LINE.fullmatch(line) if len(line) <= LONGEST_LINE else None
        if parts is None:
            raise Garbage(f"not a reply: {line[:80].decode('ascii', 'replace')!r}")
        self._lines.append((parts[3] or b"").decode("utf-8", "replace"))
        self._size += len(line)
        if len(self._lines) > MOST_LINES or self._size > LARGEST:
            raise Garbage("a reply without end")
        if parts[2] == b"-":
            return None
        reply = Reply(int(parts[1]), tuple(self._lines))
        self._lines, self._size = [], 0
        return reply
