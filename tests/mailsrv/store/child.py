"""A process that accepts mail until it is killed: `python -m tests.mailsrv.store.child DIRECTORY COUNT CONCURRENCY`.

Says `ready`, then one line for each message: `ok NUMBER UID` after `accept` returned, `later NUMBER` when it said so; at its
end `done`. Every seventh message is large (a file), every fifth also goes into the queue.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import os
import sys
from pathlib import Path

from dnsops.base.errors import Later
from dnsops.base.log import Log
from mailsrv.store.door import Hop, Message
from mailsrv.store.sqlite import SqliteStore
from tests.mailsrv.store.letters import INBOX, letter


def message(number: int) -> Message:
    """The one of this number: always the same."""
    hops = (Hop(f"{number}@example.net"),) if number % 5 == 0 else ()
    return letter(f"n{number}", INBOX, hops=hops, size=100_000 if number % 7 == 0 else 2000)


def say(line: str) -> None:
    """At once, because the reader must know it even if we die now; by writev, because faults are injected into write."""
    os.writev(1, [line.encode(), b"\n"])


async def main(directory: Path, count: int, concurrency: int) -> None:
    store = SqliteStore(directory, Log(io.StringIO()))
    await store.account("alice")
    say("ready")
    numbers = itertools.count()

    async def send() -> None:
        while (number := next(numbers)) < count:
            try:
                [placed] = await store.accept(message(number))
            except Later:
                say(f"later {number}")
            else:
                say(f"ok {number} {placed.uid}")

    await asyncio.gather(*(send() for _ in range(concurrency)))
    await store.close()
    say("done")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
