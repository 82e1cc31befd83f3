"""Sessions with other hosts, kept a while for the next message.

Limits: 50 idle sessions, 20 seconds each; how many messages one session carries, the peer says (RFC 9422) or `offers` does.
Fails by: `Broken` from a new session; an old one that is gone is not handed out.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Iterable

from mailsrv.send.client import Patience, Peer, Session, open_session
from mailsrv.send.encrypting import Contexts, contexts

MOST_IDLE = 50
IDLE = 20.0  # seconds


class Connections:
    """A session is lent to one task at a time."""

    def __init__(
        self,
        hello: str,
        patience: Patience | None = None,
        tls: Contexts | None = None,
        idle: float = IDLE,
        most_idle: int = MOST_IDLE,
        sources: Iterable[str] = (),
    ) -> None:
        """sources: addresses of ours that mail leaves from, one of each family; the system chooses where there is none."""
        self.hello, self.opened = hello, 0
        self._patience, self._tls = patience or Patience(), tls
        self._idle_for, self._most = idle, most_idle
        self._sources = {":" in source: source for source in sources}
        self._idle: list[tuple[Session, asyncio.TimerHandle]] = []
        self._leaving: set[asyncio.Task[None]] = set()

    def waiting(self, peer: Peer) -> Session | None:
        """An idle session with just this peer, under just this policy."""
        for entry in reversed(self._idle):
            session, timer = entry
            if session.peer == peer:
                self._idle.remove(entry)
                timer.cancel()
                if session.reusable:
                    return session
                self._leave(session)
                return self.waiting(peer)
        return None

    async def open(self, peer: Peer) -> Session:
        self.opened += 1
        return await open_session(peer, self.hello, self._patience, self._tls or contexts(), self._source(peer.address))

    def _source(self, address: str) -> str:
        return "" if ipaddress.ip_address(address).is_loopback else self._sources.get(":" in address, "")

    def give_back(self, session: Session) -> None:
        if not session.reusable:
            self._leave(session)
            return
        if len(self._idle) >= self._most:
            oldest, timer = self._idle.pop(0)
            timer.cancel()
            self._leave(oldest)
        loop = asyncio.get_running_loop()
        self._idle.append((session, loop.call_later(self._idle_for, self._tired(session))))

    async def close(self) -> None:
        """All say goodbye, at the same time."""
        idle, self._idle = self._idle, []
        for session, timer in idle:
            timer.cancel()
            self._leave(session)
        if self._leaving:
            await asyncio.wait(self._leaving)

    def _tired(self, session: Session) -> Callable[[], None]:
        def leave() -> None:
            self._idle = [entry for entry in self._idle if entry[0] is not session]
            self._leave(session)

        return leave

    def _leave(self, session: Session) -> None:
        task = asyncio.get_running_loop().create_task(session.quit())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
