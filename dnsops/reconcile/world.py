"""What the story of TLSA needs from outside, handed in as one value: eyes, ledgers, a clock, a log, a way to run commands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from dnsops.base.log import Log
from dnsops.base.moment import Moment
from dnsops.reconcile.ledgers import Ledgers
from dnsops.reconcile.looking import Eyes


@dataclass(frozen=True)
class World:
    """run: a command, giving "" or what went wrong.  patience: seconds between two looks at a server that was reloaded."""

    eyes: Eyes
    ledgers: Ledgers
    now: Callable[[], Moment]
    log: Log
    run: Callable[[Sequence[str]], Awaitable[str]]
    patience: float = 0.5
    writes: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))
