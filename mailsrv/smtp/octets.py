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
        """One pass in C that parts the block at CR LF, bare CR and bare LF alike: when all ends are two octets, none was bare."""
        lengths = list(map(len, block.splitlines()))
        whole = block.endswith((b"\r", b"\n"))  # the last line has its end
        ends = len(lengths) - (not whole and bool(block))
        if len(block) - sum(lengths) != 2 * ends:
            self.problem = self.problem or BROKEN_ENDS
        if lengths:
            lengths[0] += self.run
            self.run = 0 if whole else lengths[-1]
            if max(lengths) > self.longest_line:
                self.problem = self.problem or LINE_TOO_LONG_IN_DATA


def unstuffed(block: bytes, first: bool) -> bytes:
    """Without the dots that the sender put before lines that begin with one. `first`: the block begins with a line."""
    if first and block.startswith(b"."):
        block = block[1:]
    return block.replace(b"\r\n.", b"\r\n")
