"""The engines under test, and coroutines as tests."""

from __future__ import annotations

import asyncio
import inspect
import io
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dnsops.base.log import Log
from mailsrv.store.door import Store
from mailsrv.store.memory import MemoryStore
from mailsrv.store.sqlite import SqliteStore
from tests.mailsrv.store.letters import QUICK

ENGINES: dict[str, Callable[[Path, Log], Store]] = {
    "memory": lambda directory, log: MemoryStore(),
    "sqlite": lambda directory, log: SqliteStore(directory, log),
    "sqlite-all-in-files": lambda directory, log: SqliteStore(directory, log, inline=0),
}


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A coroutine is run, with an event loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(params=sorted(ENGINES))
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Each engine in turn, empty but for alice and bob; what it logs fails the test."""
    log = io.StringIO()
    with tempfile.TemporaryDirectory(dir=QUICK) as directory:
        made = ENGINES[request.param](Path(directory) / "store", Log(log))
        asyncio.run(_accounts(made))
        yield made
        asyncio.run(made.close())
    assert log.getvalue() == ""


async def _accounts(store: Store) -> None:
    await store.account("alice")
    await store.account("bob")
