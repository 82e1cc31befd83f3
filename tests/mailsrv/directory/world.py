"""Time that passes only when somebody sleeps, and logins that live in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date

from mailsrv.directory.book import Book
from mailsrv.directory.credentials import credentials
from mailsrv.directory.passwords import Hashing, Logins
from tests.mailsrv.directory import house

TODAY = date(2026, 11, 22)
SECRET = b"of this installation"


class Time:
    """A clock and its sleep."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def logins(
    text: str = house.TEXT,
    time: Time | None = None,
    upgraded: Callable[[str, str], None] | None = None,
    hashing: Hashing | None = None,
    today: Callable[[], date] = lambda: TODAY,
) -> Logins:
    """The logins of a configuration."""
    settings, time = house.settings(text), time or Time()
    return Logins(
        Book.of(settings),
        credentials(settings),
        secret=SECRET,
        upgraded=upgraded,
        hashing=hashing,
        clock=time,
        sleep=time.sleep,
        today=today,
    )
