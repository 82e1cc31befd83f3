"""What the peer has sent and nobody has read yet: asyncio's StreamReader with the reads that SMTP needs, under a hard bound.

Lines end in CR LF and in nothing else (RFC 5321 2.3.8). The transport is paused when twice `limit` octets wait.
The buffer of StreamReader and its two ways to wait have no public names; aiosmtpd uses them too, and the tests would notice.
Fails by: `Gone` when the peer has hung up; `Refused` for a line that is too long (it is skipped); `Overflow` for one without end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from dnsops.base.errors import Deliberate
from mailsrv.acknowledging import acknowledge
from mailsrv.smtp.octets import END, unstuffed
from mailsrv.smtp.replies import LINE_TOO_LONG, Refused

LIMIT = 128 << 10  # octets; a message of usual size is read in one piece


class Gone(Deliberate):
    """The peer has hung up."""


class Overflow(Deliberate):
    """The peer sends octets without a line end, more than anyone needs."""


class Inbox(asyncio.StreamReader):
    """Octets received."""

    waiting_since: float | None = None  # of the loop's clock; None while we are at work
    _buffer: bytearray
    _eof: bool
    _exception: Exception | None
    _loop: asyncio.AbstractEventLoop
    _wait_for_data: Callable[[str], Awaitable[None]]
    _maybe_resume_transport: Callable[[], None]
    _transport: asyncio.BaseTransport | None

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=LIMIT, loop=loop)

    @property
    def has_line(self) -> bool:
        return self._buffer.find(b"\r\n") >= 0

    @property
    def count(self) -> int:
        return len(self._buffer)

    async def line(self, longest: int, junk: int) -> bytes:
        """The next line without its end."""
        buffer = self._buffer
        started = None
        while (at := buffer.find(b"\r\n")) < 0:
            if len(buffer) > longest:
                await self._skip_line(junk)
                raise Refused(LINE_TOO_LONG)
            started = await self._more(started)
        line = bytes(memoryview(buffer)[:at])
        self._drop(at + 2)
        if at > longest:
            raise Refused(LINE_TOO_LONG)
        return line

    async def until_dot(self, enough: int, first: bool) -> tuple[bytes, bool]:
        """The next octets of a message, and whether they are the last; the end of data is taken away.

        Dots are taken away. A block begins with the line end before its first line, but for the `first` one and the middle
        of very long lines.
        """
        if first and await self._empty_message():
            return b"", True
        buffer = self._buffer
        looked, dots = 0, first and buffer.startswith(b".")
        # one search finds both: lines that begin with a dot, and the end, which is one of them
        while (at := buffer.find(END[:3], looked)) < 0 or not buffer.startswith(END, at):
            if at >= 0:
                dots = True
                at = buffer.find(END, at)
                if at >= 0:
                    break
            if len(buffer) >= enough:
                return self._unstuffed(_border(buffer), dots, first), False
            looked = max(0, len(buffer) - len(END) + 1)
            if buffer.endswith(END[:2]):
                acknowledge(self._transport)  # the dot may wait for it
            await self._more(None)
        block = self._unstuffed(at + 2, dots, first)
        self._drop(len(END) - 2)
        return block, True

    def _unstuffed(self, count: int, dots: bool, first: bool) -> bytes:
        block = self._cut(count)
        return unstuffed(block, first) if dots else block

    async def _empty_message(self) -> bool:
        """Whether the dot follows at once: then the line end before it was that of the command."""
        last = END[2:]
        while len(self._buffer) < len(last) and last.startswith(self._buffer):
            await self._more(None)
        if not self._buffer.startswith(last):
            return False
        self._drop(len(last))
        return True

    async def some(self, most: int) -> bytes:
        """At least one octet."""
        while not self._buffer:
            await self._more(None)
        return self._cut(min(most, len(self._buffer)))

    def forget(self) -> None:
        """RFC 3207 4.2: what came in the clear is void."""
        self._buffer.clear()

    def use(self, transport: asyncio.BaseTransport) -> None:
        """From now on the octets come by this one."""
        self._transport = transport

    async def drained(self, most: int) -> None:
        """Read and drop until the peer hangs up."""
        while not self._eof and most > 0:
            most -= len(self._buffer)
            self._drop(len(self._buffer))
            await self._more(None)

    async def _skip_line(self, junk: int) -> None:
        while (at := self._buffer.find(b"\r\n")) < 0:
            kept = self._buffer.endswith(b"\r")
            junk -= len(self._buffer)
            self._drop(len(self._buffer) - kept)
            if junk < 0:
                raise Overflow
            await self._more(None)
        self._drop(at + 2)

    async def _more(self, since: float | None) -> float:
        """Wait for octets; `since`: the moment from which this wait counts, now unless given."""
        since = self._loop.time() if since is None else since
        if self._exception is not None or self._eof:
            raise Gone
        self.waiting_since = since
        try:
            await self._wait_for_data("more")
        except OSError:
            raise Gone from None
        finally:
            self.waiting_since = None
        if self._exception is not None:
            raise Gone
        return since

    def _cut(self, count: int) -> bytes:
        block = bytes(memoryview(self._buffer)[:count])
        self._drop(count)
        return block

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._maybe_resume_transport()


def _border(buffer: bytearray) -> int:
    """Where a block may end: before the last line end, so that it comes with the dot behind it, and never inside one."""
    at = buffer.rfind(b"\r\n")
    return at if at > 0 else len(buffer) - buffer.endswith(b"\r")
