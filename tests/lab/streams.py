"""`asyncio.start_server` for tests whose connections may be cut off at any moment, before they have begun even.

Python 3.11's own callback asks a cancelled conversation for its exception, which raises: a test that ended early
then found a traceback in the log that no server of ours had written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def start_server(serve: Serve, *where: Any, **how: Any) -> asyncio.Server:
    """As asyncio's; an exception of a conversation is told to the loop, as there."""
    tasks: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(reader, writer)

    def ended(task: asyncio.Task[None]) -> None:
        tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            task.get_loop().call_exception_handler({"message": "a conversation failed", "exception": error})

    def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(converse(reader, writer))
        tasks.add(task)
        task.add_done_callback(ended)

    return await asyncio.start_server(met, *where, **how)
