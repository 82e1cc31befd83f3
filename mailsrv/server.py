"""The mail server, put together from its rooms: opened on its doors, reloaded, drained.

    server = Server(settings, store, log, certificate)
    await server.open(doors); server.reload(settings); await server.close(grace)

Tells: who meets whom; decides nothing. A session keeps what it began with; the next one finds what a reload brought.
Fails by: `ForUser` for what cannot be opened, `Misconfigured` for the accounts.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.base.errors import ForUser, Later
from dnsops.base.log import Log
from mailsrv.directory.accounts import Route
from mailsrv.directory.book import Book
from mailsrv.directory.credentials import Credentials, credentials
from mailsrv.directory.doors import ImapLogins, SmtpLogins
from mailsrv.directory.passwords import Logins
from mailsrv.directory.rights import Rights
from mailsrv.directory.sasl.binding import binding
from mailsrv.directory.sasl.exporter import exported
from mailsrv.imap.server import ImapServer, Tls
from mailsrv.message.digest import digest
from mailsrv.receive.story import Reception
from mailsrv.serving import sockets
from mailsrv.serving.allowed import imap_limits, networks, smtp_limits
from mailsrv.serving.certificate import Certificate
from mailsrv.serving.sockets import Door
from mailsrv.smtp.house import House
from mailsrv.smtp.limits import Allowance, Gate
from mailsrv.smtp.listener import Listener
from mailsrv.smtp.spool import Memory
from mailsrv.store.door import Absent, Store

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from mailsrv.receive.judging import Judging
    from mailsrv.serving.showing import Shown
    from mailsrv.serving.trusting import Trust

GRACE = 10.0  # seconds that sessions may take to end
HEAD = 32 << 10  # octets of a message in which who wrote it stands, and what we found


class Server:
    """One process's worth of it. Without a `certificate` nothing is encrypted: for loopback only."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        log: Log,
        certificate: Certificate | None = None,
        secret: bytes = b"",
        folder: Path | None = None,
        proofs: Mapping[str, Credentials] | None = None,
        upgraded: Callable[[str, str], None] | None = None,
        trust: Trust | None = None,
    ) -> None:
        self.settings, self.store, self.log = settings, store, log
        self._certificate, self._folder, self._trust = certificate, folder, trust
        limits = smtp_limits(settings.limits)
        self.gate, self._memory = Gate(limits), Memory(limits.room)
        self.book = Book.of(settings)
        self._proofs = credentials(settings) if proofs is None else proofs
        self._logins = Logins(self.book, self._proofs, secret=secret or secrets.token_bytes(32), upgraded=upgraded)
        self._allowance = Allowance(limits.account_per_hour)
        self._new_id = _Ids()
        self.listeners: list[Listener] = []
        self._receptions: list[Reception] = []
        self._imap: ImapServer | None = None
        self._learning: set[asyncio.Task[None]] = set()
        self.shown: Shown | None = None

    async def open(self, doors: Iterable[Door]) -> None:
        """Serve mail on these."""
        for account in self.book.accounts.values():
            await self.store.account(account.name, account.quota)
        for door in doors:
            if door.kind in ("imap", "imaps"):
                await self._imap_server().listen_on(door.sock, door.implicit_tls)
            elif door.kind not in sockets.SINGLE:
                await self._listener(door.kind, door.implicit_tls).open(door.sock)

    async def reload(self, settings: Settings, proofs: Mapping[str, Credentials] | None = None) -> None:
        """Another configuration from now on. What cannot be read changes nothing.

        Sessions go on, but for those of an account that is closed or gone, or whose password was taken from it.
        """
        book, proofs = Book.of(settings), credentials(settings) if proofs is None else proofs
        for account in book.accounts.values():
            if account != self.book.account(account.name):
                await self.store.account(account.name, account.quota)
        strangers = self._strangers(book, proofs)
        self.settings, self.book, self._proofs = settings, book, proofs
        self._logins.use(book, proofs)
        self._dismiss(strangers)
        if self._trust:
            self._trust.use(settings)
        if self.shown:
            self.shown.use(settings)
        rights = Rights(book, settings.auth.must_match_sender)
        for reception in self._receptions:
            reception.directory, reception.rights = book, rights
            if reception.submission:
                reception.accounts = self._smtp_logins()
        limits = smtp_limits(settings.limits)
        self.gate.limits, self._allowance.per_hour = limits, limits.account_per_hour
        for listener in self.listeners:
            listener.house.limits, listener.house.proxies = limits, networks(settings.listeners.proxies)
        if self._imap:
            login, imap = self._imap_logins(), imap_limits(settings.limits)
            self._imap.house = replace(self._imap.house, login=login, limits=imap, plaintext=self._imap_plain)

    def _strangers(self, book: Book, proofs: Mapping[str, Credentials]) -> set[str]:
        """Accounts of now that those who logged in no longer may use."""
        return {
            name
            for name, before in self._proofs.items()
            if not before.kept_by(proofs.get(name)) or not ((account := book.account(name)) and account.enabled)
        }

    def _dismiss(self, accounts: set[str]) -> None:
        if not accounts:
            return
        for listener in self.listeners:
            listener.dismiss(accounts)
        if self._imap:
            self._imap.dismiss(accounts)

    async def close(self, grace: float = GRACE) -> None:
        """Nobody new; who is here may finish what they are at."""
        closing = [listener.close(grace) for listener in self.listeners]
        closing += [self._imap.close(grace)] if self._imap else []
        await asyncio.gather(*closing)
        await asyncio.gather(*self._learning)
        self._logins.close()

    @property
    def sessions(self) -> dict[str, int]:
        """Who is here, by protocol."""
        found = {"smtp": self.gate.inside, "imap": self._imap.sessions if self._imap else 0}
        return {**found, "web": self.shown.sessions} if self.shown else found

    def resolve(self, address: str) -> Route:
        """Where mail for an address goes now."""
        return self.book.resolve(address)

    # the listeners

    def _listener(self, kind: str, implicit_tls: bool) -> Listener:
        submission = kind != "smtp"
        house = House(
            self.settings.hostname,
            self._reception(submission),
            self.log,
            self.gate.limits,
            tls=self._context if self._certificate else None,
            implicit_tls=implicit_tls,
            plain_login=self._certificate is None,
            proxies=networks(self.settings.listeners.proxies),
            bindings=self._bindings if self._certificate else None,
            folder=self._folder,
            gate=self.gate,
            memory=self._memory,
        )
        listener = Listener(house)
        self.listeners.append(listener)
        return listener

    def _reception(self, submission: bool) -> Reception:
        """One for mail from others, one for mail from our users, whatever their ports."""
        for reception in self._receptions:
            if reception.submission is submission:
                return reception
        rights = Rights(self.book, self.settings.auth.must_match_sender)
        reception = Reception(
            self.settings.hostname, self.book, rights, self.store, self.log, _now, self._new_id, submission
        )
        if self._trust:
            reception.outgoing, reception.stations = self._trust.outgoing, self._trust.stations
            reception.judging = self._trust.judging
        if submission:
            reception.accounts, reception.allowance = self._smtp_logins(), self._allowance
        self._receptions.append(reception)
        return reception

    def _imap_server(self) -> ImapServer:
        if self._imap is None:
            self._imap = ImapServer(
                self.store,
                self._imap_logins(),
                digest,
                _now,
                self.log,
                self.settings.hostname,
                self._imap_tls,
                imap_limits(self.settings.limits),
                self._imap_plain,
                self._judged,
            )
        return self._imap

    def _judged(self, account: str, blobs: list[int], junk: bool) -> None:
        """A user moved mail into Junk, or out of it: whoever wrote it is remembered so."""
        if self._trust and self._trust.judging:
            task = asyncio.get_running_loop().create_task(self._learn(self._trust.judging, account, blobs, junk))
            self._learning.add(task)
            task.add_done_callback(self._learning.discard)

    async def _learn(self, judging: Judging, account: str, blobs: list[int], junk: bool) -> None:
        for blob in blobs:
            with suppress(Absent, Later):
                judging.heard(account, await self.store.content(blob, 0, HEAD), junk)

    # logging in

    @property
    def _imap_plain(self) -> bool:
        return self._certificate is None or self.settings.imap.allow_plaintext_auth

    def _smtp_logins(self) -> SmtpLogins:
        return SmtpLogins(self._logins, self.settings.auth.mechanisms, plaintext_allowed=self._certificate is None)

    def _imap_logins(self) -> ImapLogins:
        return ImapLogins(self._logins, self.settings.auth.mechanisms, plaintext_allowed=self._imap_plain)

    # the certificate of this moment

    def _context(self) -> ssl.SSLContext:
        if self._certificate is None:
            raise ForUser("there is no certificate to serve", self.settings.hostname)
        return self._certificate.served.context

    def _imap_tls(self) -> Tls | None:
        if self._certificate is None:
            return None
        served = self._certificate.served
        return Tls(served.context, served.end_point, exported)

    def _bindings(self, connection: ssl.SSLObject) -> tuple[tuple[str, bytes], ...]:
        end_point = self._certificate.end_point(connection.context) if self._certificate else b""
        return binding(end_point, exported(connection)).types


@dataclass(frozen=True, slots=True)
class Ports:
    """Where to listen; 0 is any free port."""

    address: str
    smtp: int
    submission: int
    imap: int


@asynccontextmanager
async def serving(settings: Settings, store: Store, ports: Ports, log: Log) -> AsyncIterator[Ports]:
    """Plain-text listeners for a machine's own use, open while the context is; gives the ports as they are."""
    doors: list[Door] = []
    server = Server(settings, store, log)
    try:
        for kind in ("smtp", "submission", "imap"):
            doors.append(Door(kind, _bound(ports.address, getattr(ports, kind))))
        await server.open(doors)
        yield Ports(ports.address, *(door.port for door in doors))
    finally:
        await server.close(GRACE)
        sockets.close(doors)


def _bound(address: str, port: int) -> socket.socket:
    try:
        return sockets.bound(address, port)
    except OSError as error:
        raise ForUser(
            f"cannot listen there ({error.strerror})", f"{address}, port {port}", "name another port with --base"
        ) from None


def _now() -> datetime:
    return datetime.now(UTC)  # clock.now() reads a file, too


class _Ids:
    """Message ids: 8 octets of chance each, taken from the kernel many at a time - a call for each cost more than its Received."""

    def __init__(self) -> None:
        self._left: Iterator[str] = iter(())

    def __call__(self) -> str:
        for octets in self._left:
            return octets
        self._left = iter([text[at : at + 16] for text in (secrets.token_hex(2048),) for at in range(0, len(text), 16)])
        return next(self._left)
