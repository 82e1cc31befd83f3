"""One process that serves: from the open store to the last goodbye.

    open ─> READY ─> [SIGHUP: configuration and certificate anew] [each few seconds: is there a newer certificate?] ─> SIGTERM ─> drain

Fails by: `ForUser` while opening. Afterwards only a signal ends it: what fails in a reload is logged, and what was stays.
"""

from __future__ import annotations

import asyncio
import gc
import time
import traceback
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnsops.base import files
from dnsops.base.errors import Deliberate
from dnsops.base.log import Log
from dnsops.resolve import reading  # noqa: F401 - while root can read it: the resolver is made by a user who perhaps cannot
from dnsops.resolve.choice import resolver
from dnsops.resolve.remembered import Remembered
from dnsops.resolve.settings import configured
from mailsrv.directory.credentials import Credentials, credentials
from mailsrv.directory.register import REGISTER, Accounts
from mailsrv.send.nexthop import Login
from mailsrv.server import Server
from mailsrv.serving.addresses import ours
from mailsrv.serving.leaving import Going, leaving
from mailsrv.serving.looking import Looking
from mailsrv.serving.notify import notify, reloading, watchdog
from mailsrv.serving.people import People
from mailsrv.serving.secret import secret_of
from mailsrv.serving.signals import Signals, loop
from mailsrv.serving.sockets import WEB
from mailsrv.serving.trusting import Trust, trusting
from mailsrv.store import STORE
from mailsrv.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from mailsrv.http.measures import Measures
    from mailsrv.serving.certificate import Certificate
    from mailsrv.serving.showing import Shown
    from mailsrv.serving.sockets import Door

SPOOL = "spool"
SECRET = "login.secret"  # noqa: S105 - a file's name
LOOK = 1.0  # seconds between two looks at the certificate and the register
GRACE = 15.0  # seconds that sessions may take at the end


@dataclass(frozen=True)
class Work:
    """What a worker is given. `load` reads the configuration again; `first`: the one that also runs the queue.

    `proofs`, `login` and `srs` hold what only root may read, perhaps, and was read before the server became someone else.
    """

    settings: Settings
    load: Callable[[], Settings]
    state: Path
    log: Log
    certificate: Certificate
    doors: tuple[Door, ...]
    proofs: Mapping[str, Credentials]
    login: Login | None = None
    measures: Measures | None = None  # where someone may ask for them
    srs: tuple[bytes, ...] | None = None  # secrets of a file that the configuration names
    first: bool = True
    flush: Callable[[], None] = lambda: None  # what is still to be logged


def serve(work: Work, ready: Callable[[], None]) -> None:
    """Until SIGTERM; `ready` is called once every port answers."""
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(_serve(work, ready))


async def _serve(work: Work, ready: Callable[[], None]) -> None:
    signals = Signals()
    measures = work.measures if any(door.kind == "http" for door in work.doors) else None
    if measures:
        work = replace(work, log=measures.heard_by(work.log))
    asyncio.get_running_loop().set_exception_handler(partial(_unexpected, work.log))
    async with AsyncExitStack() as stack:
        store = SqliteStore(work.state / STORE, work.log)
        stack.push_async_callback(store.close)
        spool = files.private_directory(work.state / SPOOL)
        secret = secret_of(work.state, SECRET)
        people = People(work.settings, work.proofs, Accounts(work.state / REGISTER), work.log)
        stack.push_async_callback(people.close)
        settings, proofs = people.everyone()
        asked = Remembered(await stack.enter_async_context(resolver(configured(settings.resolver))), time.monotonic)
        trust = await stack.enter_async_context(trusting(settings, work.state, asked, work.log, work.srs))
        server = Server(settings, store, work.log, work.certificate, secret, spool, proofs, people.upgrade, trust)
        if work.first:
            _sweep(spool)
            going = Going(ours(work.doors), work.login, work.state, trust)
            await stack.enter_async_context(leaving(work.settings, store, server, work.log, asked, going))
        looking = await stack.enter_async_context(_managed(work, server, measures)) if measures else None
        stack.push_async_callback(server.close, GRACE)
        await server.open(work.doors)
        if any(door.kind in WEB for door in work.doors):
            server.shown = await stack.enter_async_context(_shown(work, settings))
        # what is here now stays: looked through with the rest, it keeps everybody waiting: 65 ms, not 5
        gc.collect()
        gc.freeze()
        ready()
        await _until_told(work, server, people, trust, signals)
        work.log("serve.draining")
        if looking:
            looking.draining = True


def _shown(work: Work, settings: Settings) -> AbstractAsyncContextManager[Shown]:
    """What the records of our domains point to."""
    from mailsrv.serving.showing import showing

    return showing(settings, work.certificate, work.state, work.log, work.doors)


@asynccontextmanager
async def _managed(work: Work, server: Server, measures: Measures) -> AsyncIterator[Looking]:
    """The management listener, open to the very end: it tells that we are going down."""
    from mailsrv.http.management import Management

    looking = Looking(server, work.certificate, work.state)
    doors = [door for door in work.doors if door.kind == "http"]
    management = Management(measures, looking, work.log, [work.settings.hostname, *(door.address for door in doors)])
    await management.open(*(door.sock for door in doors))
    watching = asyncio.create_task(looking.watch())
    try:
        yield looking
    finally:
        watching.cancel()
        await management.close()


async def _until_told(work: Work, server: Server, people: People, trust: Trust, signals: Signals) -> None:
    """Stay true to the disk until it is time to go."""
    patience = min(LOOK, watchdog() or LOOK)
    while not signals.stop.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await signals.any.wait()
        signals.any.clear()
        notify("WATCHDOG=1")
        if signals.reload.is_set():
            signals.reload.clear()
            await _reload(work, server, people)
        else:
            work.certificate.look()
            trust.look()
            if await people.changed():
                await _people(work, server, people)


async def _people(work: Work, server: Server, people: People) -> None:
    """Somebody wrote the register: the directory anew."""
    try:
        await server.reload(*await asyncio.to_thread(people.everyone))
        work.log("serve.accounts", accounts=len(server.book.accounts))
    except Deliberate as error:
        work.log("serve.accounts_not_read", why=str(error))


async def _reload(work: Work, server: Server, people: People) -> None:
    """The configuration, the accounts and the certificate anew; sessions go on with what they have."""
    reloading()
    try:
        settings = await asyncio.to_thread(work.load)
        people.use(settings, await asyncio.to_thread(credentials, settings))
        await server.reload(*await asyncio.to_thread(people.everyone))
        work.log("serve.reloaded", accounts=len(server.book.accounts))
    except Deliberate as error:
        work.log("serve.not_reloaded", why=str(error))
    work.certificate.look(anew=True)
    notify("READY=1")


def _unexpected(log: Log, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What nobody waited for: its kind and place for us, nothing of anybody's mail."""
    error = context.get("exception")
    frames = traceback.extract_tb(error.__traceback__)[-4:] if error else []
    places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]
    log("loop.bug", what=str(context.get("message", ""))[:200], kind=type(error).__name__, at=places)


def _sweep(spool: Path) -> None:
    """What a crash left of mail that nobody was told we have."""
    for path in spool.iterdir():
        path.unlink(missing_ok=True)
