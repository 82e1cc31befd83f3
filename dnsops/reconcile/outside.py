"""The real world for the story: libunbound, the authorities, the ports, the ledgers on disk, commands. Touches all of it.

async with outside(state, log) as world:
    outcomes = await reconcile(targets, world)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from dnsops.base import clock
from dnsops.base.log import Log
from dnsops.base.printable import printable
from dnsops.certs import wire
from dnsops.reconcile.ledgers import Ledgers
from dnsops.reconcile.looking import Eyes
from dnsops.reconcile.target import Target
from dnsops.reconcile.tlsa import World
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


async def run(command: Sequence[str]) -> str:
    """Run a command without a shell; "" when it exits 0, else what it said."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
    except OSError as error:
        return f"cannot be run ({error.strerror})"
    try:
        output, _ = await asyncio.wait_for(process.communicate(), RELOAD_SECONDS)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        return f"did not end within {RELOAD_SECONDS:.0f} s and was killed"
    if process.returncode == 0:
        return ""
    said = printable(output.decode("utf-8", "replace").strip()[-LONGEST_COMPLAINT:])
    return f"exit status {process.returncode}" + (f" ({said})" if said else "")
