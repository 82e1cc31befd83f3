"""What was found out lately, by key: found out once, however many ask, and again when it is old or went wrong.

    lately = Lately[Seen](keep=200.0, most=300)
    seen = await lately.get("mx.example.org", look)

Who gives up waiting takes nobody else's answer along. Limits: `most` keys, the oldest go first. Fails by: as the one who finds out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class Lately(Generic[Value]):
    """keep: seconds.  clock: seconds that only grow."""

    def __init__(self, keep: float, most: int, clock: Callable[[], float] = monotonic) -> None:
        self._keep, self._most, self._clock = keep, most, clock
        self._known: dict[str, tuple[float, asyncio.Task[Value]]] = {}

    async def get(self, key: str, find: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        """What is known, else what `find` finds."""
        until, task = self._known.get(key, (0.0, None))
        if task is None or self._clock() > until or (task.done() and _wrong(task)):
            task = asyncio.create_task(find())
            task.add_done_callback(_wrong)  # looked at, even when nobody waits for it any more
            self._known.pop(key, None)
            self._known[key] = self._clock() + self._keep, task
            while len(self._known) > self._most:
                self._known.pop(next(iter(self._known)))
        return await asyncio.shield(task)


def _wrong(task: asyncio.Task[Value]) -> bool:
    return task.cancelled() or task.exception() is not None
