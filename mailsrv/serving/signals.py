"""The event loop of a process that serves, and what it is told by signals: to stop, to read its configuration again.

    with asyncio.Runner(loop_factory=loop) as runner: ...        signals = Signals(); await signals.any.wait()

Standards: signal(7). Fails by: nothing.
"""

from __future__ import annotations

import asyncio
import signal


def loop() -> asyncio.AbstractEventLoop:
    """uvloop where it is installed: the same loop for less CPU."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


class Signals:
    """What we were told, as events of the loop."""

    def __init__(self) -> None:
        self.stop, self.reload, self.any = asyncio.Event(), asyncio.Event(), asyncio.Event()
        running = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            running.add_signal_handler(number, self._told, self.stop)
        running.add_signal_handler(signal.SIGHUP, self._told, self.reload)

    def _told(self, what: asyncio.Event) -> None:
        what.set()
        self.any.set()
