"""The octets of a message as it comes in, block by block: line ends, NULs, long lines. Pure.

Standards: RFC 5321 2.3.8 (only CR LF ends a line; a bare CR or LF must not occur), 4.5.2 (dots), RFC 3030 (no dots with BDAT).
What a lenient server makes of a bare line feed is how one message becomes two (CVE-2023-51764 and its kin), so none is mended here.
Blocks must not part a CR from its LF. Fails by: a `Reply`, the first that applies.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailsrv.smtp.replies import BROKEN_ENDS, LINE_TOO_LONG_IN_DATA, Reply

END = b"\r\n.\r\n"


@dataclass(slots=True)
class Octets:
    """What was seen of a message so far."""

    longest_line: int
    run: int = 0  # octets since the last line end
    problem: Reply | None = None

    def look(self, block: bytes) -> None:
        """One pass in C that takes the line ends away; what is left of them was bare. No object for each line."""
        rest = block.replace(b"\r\n", b"..")
        if b"\n" in rest or b"\r" in rest:
            self.problem = self.problem or BROKEN_ENDS
        if self.run + len(block) > self.longest_line and self._longest(block) > self.longest_line:
            self.problem = self.problem or LINE_TOO_LONG_IN_DATA
        end = max(block.rfind(b"\n"), block.rfind(b"\r", -1))
        self.run = len(block) - end - 1 if end >= 0 else self.run + len(block)

    def _longest(self, block: bytes) -> int:
        """Octets of the longest line so far; only a block that is larger than a line may be is parted for that."""
        lengths = list(map(len, block.splitlines())) or [0]
        lengths[0] += self.run
        return max(lengths)


def unstuffed(block: bytes, first: bool) -> bytes:
    """Without the dots that the sender put before lines that begin with one. `first`: the block begins with a line."""
    if first and block.startswith(b"."):
        block = block[1:]
    return block.replace(b"\r\n.", b"\r\n")
