"""One message on its way in: by DATA up to the dot, or by BDAT in chunks; checked as it comes, read to its end whatever is wrong.

Standards: RFC 5321 4.1.1.4 and 4.5.2 (DATA, dots), RFC 3030 (BDAT).
Fails by: `problem`, the reply that is due once the sender has finished: only then are both sides in step again.
"""

from __future__ import annotations

from mailsrv.smtp.inbox import Inbox
from mailsrv.smtp.limits import Limits
from mailsrv.smtp.octets import Octets
from mailsrv.smtp.replies import TOO_BIG, Refused, Reply
from mailsrv.smtp.spool import Spool

BLOCK = 128 << 10


class Transfer:
    """What has come of the message. Close it, whatever happens."""

    def __init__(self, inbox: Inbox, spool: Spool, limits: Limits, started: float) -> None:
        self.started = started  # of the loop's clock
        self._inbox, self._spool, self._limits = inbox, spool, limits
        self._octets = Octets(limits.text_line)
        self._problem: Reply | None = None
        self._size = 0
        self._tail = b""

    @property
    def problem(self) -> Reply | None:
        """What is wrong; broken line ends before all else."""
        return self._octets.problem or self._problem

    async def data(self) -> None:
        """All of a message that ends with a dot on a line of its own."""
        first, last = True, False
        while not last:
            block, last = await self._inbox.until_dot(BLOCK, first)
            await self._take(block)
            first = False

    async def chunk(self, count: int) -> None:
        """That many octets of a message that comes by BDAT."""
        while count:
            block = await self._inbox.some(min(count, BLOCK))
            count -= len(block)
            await self._take(self._whole_ends(block))

    async def skip(self, count: int) -> None:
        """That many octets are read and dropped."""
        while count:
            count -= len(await self._inbox.some(min(count, BLOCK)))

    async def content(self) -> bytes:
        """The message, its last line ended."""
        if self._tail:
            await self._take(self._tail)
            self._tail = b""
        if self._size and self._octets.run and not self.problem:
            await self._take(b"\r\n")
        if self.problem:
            raise Refused(self.problem)
        return await self._spool.take()

    def close(self) -> None:
        self._spool.close()

    def _whole_ends(self, block: bytes) -> bytes:
        """The block with what was kept of the last one, and without a CR at its end, whose LF may be in the next."""
        if self._tail:
            block, self._tail = self._tail + block, b""
        if block.endswith(b"\r"):
            block, self._tail = block[:-1], b"\r"
        return block

    async def _take(self, block: bytes) -> None:
        if self._octets.problem:
            return
        self._octets.look(block)
        self._size += len(block)
        if self._size > self._limits.message:
            self._problem = self._problem or TOO_BIG
        if self.problem:
            self._spool.close()
            return
        try:
            await self._spool.add(block)
        except Refused as refused:
            self._problem = refused.reply
