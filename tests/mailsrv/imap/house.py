"""A listening IMAP server with a store in memory, for tests: alice and bob, password foobar."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from dnsops.base.log import Log
from dnsops.base.secrets import Secret
from mailsrv.imap.limits import Limits
from mailsrv.imap.login import Answer, Challenge, Denied, Granted, Peer
from mailsrv.imap.server import ImapServer, Tls
from mailsrv.message.digest import digest
from mailsrv.store.door import Store
from mailsrv.store.memory import MemoryStore
from mailsrv.store.sqlite.store import SqliteStore

T = TypeVar("T")
ACCOUNTS = ("alice", "bob")
PASSWORD = "foobar"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Door:
    """A directory of two; PLAIN and a mechanism that asks back."""

    def mechanisms(self, peer: Peer) -> tuple[str, ...]:
        return ("PLAIN", "LOGIN")

    def begin(self, mechanism: str, peer: Peer) -> Plain | Asking:
        return Plain() if mechanism == "PLAIN" else Asking()

    async def password(self, name: str, password: Secret, peer: Peer) -> str | None:
        return name if name in ACCOUNTS and password == Secret(PASSWORD) else None


class Plain:
    async def step(self, data: bytes) -> Answer:
        if not data:
            return Challenge(b"")
        who, name, password = [*data.decode().split("\0"), "", ""][:3]
        good = name in ACCOUNTS and password == PASSWORD and who in ("", name)
        return Granted(name) if good else Denied()


class Asking:
    """LOGIN: the name, then the password."""

    def __init__(self) -> None:
        self._name: bytes | None = None

    async def step(self, data: bytes) -> Answer:
        if not data:
            return Challenge(b"Username:")
        if self._name is None:
            self._name = data
            return Challenge(b"Password:")
        good = self._name.decode() in ACCOUNTS and data.decode() == PASSWORD
        return Granted(self._name.decode()) if good else Denied()


# the same tests run against every engine; each is made in a folder of its own
ENGINES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda folder: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder, Log(quiet=True)),
}


@dataclass
class Running:
    """A server on loopback, its loop in a thread."""

    server: ImapServer
    store: Store
    loop: asyncio.AbstractEventLoop
    port: int = 0
    log: io.StringIO = field(default_factory=io.StringIO)

    def do(self, work: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)


@contextmanager
def running(
    limits: Limits | None = None,
    plaintext: bool = True,
    tls: Callable[[], Tls | None] = lambda: None,
    implicit: bool = False,
    store: Store | None = None,
    bugs: bool = False,
    judged: Callable[[str, list[int], bool], None] = lambda account, blobs, junk: None,
) -> Iterator[Running]:
    """Up while the block runs; a bug in its log fails the test, unless `bugs` are wanted."""
    log = io.StringIO()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    kept = store or MemoryStore()
    server = ImapServer(kept, Door(), digest, lambda: NOON, Log(log), "mx.test", tls, limits, plaintext, judged)
    house = Running(server, kept, loop, log=log)
    troubles: list[str] = []
    loop.call_soon_threadsafe(loop.set_exception_handler, lambda _, what: troubles.append(repr(what)))

    async def begin() -> int:
        for name in ACCOUNTS:
            await kept.account(name)
        return await server.listen("127.0.0.1", 0, implicit)

    house.port = house.do(begin())
    try:
        yield house
    finally:
        house.do(server.close(2.0))
        house.do(kept.close())
        house.do(asyncio.sleep(0.02))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
    assert bugs or "imap.bug" not in log.getvalue(), log.getvalue()
    assert troubles == []
