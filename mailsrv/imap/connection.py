"""One connection: a task that answers command after command, from the greeting to BYE.

Fails by: BYE and closing for a client that breaks limits or falls silent; `NO [SERVERBUG]` and a log line for what nobody expected;
a connection that just ends where a literal was begun that cannot be finished.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, TypeVar

from mailsrv.acknowledging import acknowledge
from mailsrv.imap.capabilities import capabilities
from mailsrv.imap.grammar.frame import Continue, Fatal, Frame, More, TooMuch
from mailsrv.imap.login import Peer
from mailsrv.imap.performing import perform
from mailsrv.imap.pipe import ROOM, Left, Pipe
from mailsrv.imap.replies import CutOff, Goodbye, Refused
from mailsrv.imap.session import Session, State

if TYPE_CHECKING:
    from mailsrv.imap.server import ImapServer, Tls

T = TypeVar("T")

TURN = 0.005  # seconds of commands in a row, before others have their turn
BUGS = 3  # unexpected errors in one session


class Connection(Pipe):
    """A client at the other end."""

    def __init__(self, server: ImapServer, tls: Tls | None = None) -> None:
        """tls: what the handshake used, where there was one already."""
        super().__init__(server.house.limits)
        self._server, self._implicit = server, tls
        self.session = Session(server.house, self, self._wake)
        self._peer = Peer("")
        self._next: Callable[[], None] | None = None  # TLS or deflate, after the answer
        self._upgrade = False
        self._errors = self._bugs = self._failed = 0
        self._reserved = 0
        self._turn = self._began = 0.0
        self._account = ""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._began = self._heard
        self._peer = Peer(address_of(transport))
        if not self._server.arrived(self):
            self.send(b"* BYE [UNAVAILABLE] too many connections\r\n")
            self._hang_up()
            return
        if self._implicit is not None:
            self._secured(self._implicit)
        if self._transport is not None:
            self._transport.set_write_buffer_limits(high=ROOM)
        self._look_at_clock()
        self._start(self._greet())

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()

    # the task

    def _start(self, work: Coroutine[object, object, None]) -> None:
        self._task = self._loop.create_task(work)
        self._task.add_done_callback(self._ended)

    async def _greet(self) -> None:
        self.send(
            b"* OK [CAPABILITY %b] %b ready\r\n"
            % (capabilities(self.session), self._server.name.encode("ascii", "replace"))
        )
        await self._serve()

    async def _serve(self) -> None:
        """Command after command, until the session is over."""
        while not self._closing:
            match self._framer.next():
                case More():
                    await self._more()
                case Continue():
                    self._reserve()
                    self.send(b"+ go on\r\n")
                    self._flush()
                case Frame(data):
                    await self._perform(data)
                case TooMuch(tag, text, too_big):
                    self.send(Refused(text, b"TOOBIG" if too_big else b"", b"NO" if too_big else b"BAD").line(tag))
                    self._count(well=False)
                case Fatal(text):
                    raise Goodbye(text, b"TOOBIG")
            if self._resumed is not None or self._loop.time() - self._turn > TURN:
                await self.drained()
                self._turn = self._loop.time()

    async def _perform(self, data: bytes) -> None:
        if not data.strip():
            return
        self._busy = True
        known = self.session.state is not State.STRANGER
        well = await perform(self.session, data)
        self._busy = False
        self._release()
        self._framer.trusted = self.session.state is not State.STRANGER
        if not known and is_login(data) and not self._framer.trusted:
            self._failed += 1
        self._count(well)
        if self.session.state is State.GONE:
            self._hang_up()
        elif self._next is not None:
            await self._change()

    def _count(self, well: bool) -> None:
        """Those who only err are sent away."""
        limits = self._server.house.limits
        trusted = self._framer.trusted
        self._errors = 0 if well and trusted else self._errors + (not well)
        if self._errors >= (limits.errors if trusted else limits.errors_before_login):
            raise Goodbye("too many errors")
        if self._failed >= limits.failed_logins:
            raise Goodbye("too many failed logins")

    async def _more(self) -> None:
        """Nothing to do: tell news to those who want it at once, and wait for the client."""
        if self._inflate():
            await asyncio.sleep(0)
            return
        self._reserve()
        if not self._framer.inside and self._resumed is None:
            await self.session.tell_unasked()
        self._flush()
        self._resume()
        if self._framer.behind_literal:
            acknowledge(self._transport)
        await self._arrived()
        self._turn = self._loop.time()

    def _wake(self) -> None:
        """News from the store."""
        view = self.session.view
        if self.session.idling or self.session.noticing is not None or (view is not None and view.deleted):
            self._notify()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """The edge: how the task ended decides what the client hears."""
        if task.cancelled():
            self._hang_up()
            return
        error = task.exception()
        match error:
            case None | Left() | CutOff():
                self._hang_up()
            case Goodbye():
                self.send(error.line())
                self._hang_up()
            case _:
                self._bug(error)

    def _bug(self, error: BaseException) -> None:
        """Ours, not the client's: logged in full, told in two words."""
        self._server.bug(error, self._peer.address, self.session.account)
        self._bugs += 1
        self._busy = False
        if self._closing or self._bugs >= BUGS:
            self.send(b"* BYE [SERVERBUG] something went wrong here\r\n")
            self._hang_up()
            return
        self.session.idling = False
        self.send(Refused("something went wrong here", b"SERVERBUG").line(self.session.tag))
        self._start(self._serve())

    # Wire: what sessions need

    @property
    def peer(self) -> Peer:
        return self._peer

    @property
    def compressed(self) -> bool:
        return self._deflate is not None

    @property
    def can_start_tls(self) -> bool:
        return not self._peer.secure and self._server.tls() is not None

    async def line(self, longest: int) -> bytes:
        while True:
            found = self._framer.line(longest)
            if isinstance(found, Fatal):
                raise Goodbye(found.text, b"TOOBIG")
            if found is not None:
                return found
            await self._more()

    async def away(self, work: Callable[[], T]) -> T:
        return await asyncio.to_thread(work)

    def admit(self, account: str) -> bool:
        if not self._server.admit(self, account):
            return False
        self._account = account
        return True

    def start_tls(self) -> None:
        self._upgrade = True
        self._next = self._framer.forget

    def start_deflate(self) -> None:
        self._next = self._begin_deflate

    # what lies below

    async def _tls(self) -> None:
        tls = self._server.tls()
        if tls is None:
            raise Left
        await self._encrypt(tls.context)
        self._secured(tls)

    def _secured(self, tls: Tls) -> None:
        """What the line is worth from here on."""
        connection = self._transport.get_extra_info("ssl_object") if self._transport else None
        exporter = tls.exporter(connection) if connection is not None else b""
        self._peer = Peer(self._peer.address, secure=True, exporter=exporter, end_point=tls.end_point)

    async def _change(self) -> None:
        """The answer is on its way: from here the bytes mean something else."""
        self._flush()
        change, self._next = self._next, None
        if change is not None:
            change()
        if self._upgrade:
            self._upgrade = False
            await self._tls()

    def _reserve(self) -> None:
        """Memory for the messages that are announced, within what all connections may have together."""
        more = self._framer.announced - self._reserved
        if more > 0 and not self._server.reserve(more):
            raise Goodbye("too much mail at once: try again later", b"UNAVAILABLE")
        self._reserved += max(more, 0)

    def _release(self) -> None:
        self._server.release(self._reserved)
        self._reserved = 0

    # time

    def _patience(self) -> float:
        limits = self._server.house.limits
        return limits.login_time if self.session.state is State.STRANGER else limits.idle_time

    def _look_at_clock(self) -> None:
        """Who does not log in, or says nothing for long, leaves."""
        since = self._began if self.session.state is State.STRANGER else self._heard
        left = since + self._patience() - self._loop.time()
        if left > 0 or (self._busy and not self.session.idling and self.session.state is not State.STRANGER):
            self._timer = self._loop.call_later(max(left, 1.0), self._look_at_clock)
            return
        self.goodbye("you were silent for too long")

    def goodbye(self, text: str) -> None:
        """End from our side, between commands or in the middle of one."""
        if self._closing:
            return
        if not self.busy:  # it might be in the middle of a literal
            self.send(Goodbye(text, b"UNAVAILABLE").line())
        self._hang_up()

    @property
    def busy(self) -> bool:
        """Whether a command is under way that ought to be finished."""
        return self._busy and not self.session.idling

    def _leave(self) -> None:
        """Once: everything that others hold for us."""
        if self._closing:
            return
        super()._leave()
        self.session.close()
        if self._timer is not None:
            self._timer.cancel()
        self._release()
        self._server.left(self, self._account)


def is_login(data: bytes) -> bool:
    verb = data.split(b" ", 2)[1:2]
    return bool(verb) and verb[0].upper() in (b"LOGIN", b"AUTHENTICATE")


def address_of(transport: asyncio.BaseTransport) -> str:
    name = transport.get_extra_info("peername")
    return str(name[0]) if isinstance(name, tuple) and name else ""
