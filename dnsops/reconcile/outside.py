"""The real world for the story: libunbound, the authorities, the ports, the ledgers on disk, commands. Touches all of it.

async with outside(state, log) as world:
    outcomes = await reconcile(targets, world)
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO

from dnsops.base import clock
from dnsops.base.log import Log
from dnsops.base.printable import printable
from dnsops.certs import wire
from dnsops.reconcile.ledgers import Ledgers
from dnsops.reconcile.looking import Eyes
from dnsops.reconcile.target import Target
from dnsops.reconcile.world import World
from dnsops.resolve.authority import Authorities
from dnsops.resolve.choice import resolver
from dnsops.resolve.settings import Settings
from dnsops.rollover.look import Shown

RELOAD_SECONDS = 60.0
LONGEST_COMPLAINT = 500


@asynccontextmanager
async def outside(state: Path, log: Log, settings: Settings | None = None) -> AsyncIterator[World]:
    """Everything opened for one run and closed after it: a run never sees the answers that another one cached."""
    ledgers = Ledgers(state / "tlsa", log)
    async with resolver(settings) as asking, Authorities(asking) as authorities:
        eyes = Eyes(asking, authorities, probe, ledgers.unsettled)
        yield World(eyes, ledgers, clock.now, log, run)


async def probe(target: Target, address: str, thorough: bool) -> tuple[Shown, ...]:
    """What an address shows, as the decision wants it."""
    how = wire.how_for(target.port, target.how)
    if thorough:
        seen = await wire.show_all(target.host, address, target.port, how)
    else:
        seen = (await wire.show(target.host, address, target.port, how),)
    return tuple(Shown(one.address, one.chain, one.error, one.unroutable) for one in seen)


async def run(command: Sequence[str], seconds: float = RELOAD_SECONDS, environ: Mapping[str, str] | None = None) -> str:
    """Run a command without a shell; "" when it exits 0, else what it said. environ: variables besides our own.

    It says it into a file: a daemon that it starts may keep the stream open for years, and nobody waits for that.
    """
    with tempfile.TemporaryFile() as said:
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                env={**os.environ, **environ} if environ else None,
            )
        except (OSError, ValueError) as error:
            return f"cannot be run ({error.strerror if isinstance(error, OSError) else error})"
        try:
            status = await asyncio.wait_for(process.wait(), seconds)
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            return f"did not end within {seconds:g} s and was killed"
        return f"exit status {status}{_complaint(said)}" if status else ""


def _complaint(said: IO[bytes]) -> str:
    """The last of what it said."""
    size = said.seek(0, os.SEEK_END)
    said.seek(max(size - LONGEST_COMPLAINT, 0))
    text = printable(said.read(LONGEST_COMPLAINT).decode("utf-8", "replace").strip())
    return f" ({text})" if text else ""
