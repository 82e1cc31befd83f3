"""A blocking call beside the event loop, in a thread that nobody waits for when its time is over. Touches threads.

`asyncio.to_thread` would be waited for at the end of the loop, however long a library sleeps.
Fails by: what the call raises.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def aside(call: Callable[[], T]) -> T:
    """What the call gives. Cancelled, the thread is left to end by itself; the process does not wait for it."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(value)  # type: ignore[arg-type]

    def tell(value: T | None, error: BaseException | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, value, error)

    def run() -> None:
        try:
            value = call()
        except BaseException as error:
            tell(None, error)
        else:
            tell(value, None)

    threading.Thread(target=run, daemon=True).start()
    return await future
