"""A message while it is being received: in memory as long as it is small and there is room for all, else in a temporary file.

The file is gone with its handle; it is never synced, because nothing has been promised yet.
Fails by: `Refused` 451 when the disk does (no path, no reason for the peer); `take` says so at the latest.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import deque
from pathlib import Path
from typing import IO

from mailsrv.smtp.replies import DISK_TROUBLE, Refused

WRITTEN_AT_ONCE = 256 << 10


class Memory:
    """Octets that all messages in reception may hold together. Who waits is served in turn."""

    def __init__(self, limit: int) -> None:
        self.limit, self.used = limit, 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    def has(self, count: int) -> bool:
        """Take so much if it is there and nobody waits."""
        if self._waiting or self.used + count > self.limit:
            return False
        self.used += count
        return True

    async def take(self, count: int) -> None:
        """Take so much, when it is there."""
        if self.has(count):
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((count, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give(count)
            raise

    def give(self, count: int) -> None:
        self.used -= count
        while self._waiting:
            wanted, turn = self._waiting[0]
            if not turn.cancelled():
                if self.used + wanted > self.limit:
                    return
                self.used += wanted
                turn.set_result(None)
            self._waiting.popleft()


class Spool:
    """The octets of one message. Close it, whatever happens."""

    def __init__(self, memory: Memory, in_memory: int, folder: Path | None = None) -> None:
        self._memory, self._most, self._folder = memory, in_memory, folder
        self._blocks: list[bytes] = []
        self._waiting = 0  # octets in `_blocks`, for which memory was taken
        self._held = 0
        self._file: IO[bytes] | None = None
        self.size = 0

    async def add(self, block: bytes) -> None:
        self.size += len(block)
        self._blocks.append(block)
        self._waiting += len(block)
        if self._file is None and self._waiting <= self._most and self._memory.has(len(block)):
            self._held += len(block)
        elif self._waiting >= WRITTEN_AT_ONCE or self._file is None:
            await self._write()

    async def take(self) -> bytes:
        """All of it; afterwards the spool is empty, and holds the memory until it is closed."""
        file = self._file
        if file is None:
            content = self._blocks[0] if len(self._blocks) == 1 else b"".join(self._blocks)
            self._blocks = []
            return content
        await self._write()
        await self._memory.take(self.size)
        self._held += self.size
        try:
            return await asyncio.to_thread(_whole, file, self.size)
        except OSError:
            raise Refused(DISK_TROUBLE) from None

    def close(self) -> None:
        self._memory.give(self._held)
        self._held = self._waiting = 0
        self._blocks = []
        if self._file is not None:
            self._file.close()
            self._file = None

    async def _write(self) -> None:
        blocks, self._blocks, self._waiting = self._blocks, [], 0
        try:
            if self._file is None:
                self._file = await asyncio.to_thread(_new, self._folder)
            await asyncio.to_thread(_append, self._file, b"".join(blocks))
        except OSError:
            raise Refused(DISK_TROUBLE) from None
        self._memory.give(self._held)
        self._held = 0


def _new(folder: Path | None) -> IO[bytes]:
    return tempfile.TemporaryFile(buffering=0, dir=folder)


def _append(file: IO[bytes], data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _whole(file: IO[bytes], size: int) -> bytes:
    file.seek(0)
    content = file.read(size)
    if len(content) != size:
        raise OSError("the file is shorter than what was written")
    return content
