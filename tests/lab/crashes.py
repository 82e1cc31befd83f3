"""Exceptions inside the lab's own servers: kept here, and the test session fails for them when it ends."""

from __future__ import annotations

import asyncio
import sys
import traceback
from typing import Any

CRASHES: list[str] = []


def caught(where: str, harmless: tuple[type[BaseException], ...] = ()) -> None:
    """To be called while an exception is being handled; `harmless` are those that a rude client causes."""
    error = sys.exception()
    if error is not None and not isinstance(error, harmless):
        CRASHES.append(f"{where}: " + "".join(traceback.format_exception(error)))


def of_loop(where: str) -> Any:
    """An exception handler for an asyncio loop."""

    def handler(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, ConnectionError | OSError):
            lines = traceback.format_exception(error) if error else []
            CRASHES.append(f"{where}: {context.get('message')} " + "".join(lines))

    return handler
