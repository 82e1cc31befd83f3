"""The mail server, put together from its rooms: the store, the directory, the listeners; opened, and closed without loss.

    async with serving(settings, store, ports, log) as ports_in_use: ...

Tells: who meets whom; decides nothing. Fails by: `ForUser` for a port that cannot be had, `Misconfigured` for the accounts.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dnsops.base import clock
from dnsops.base.errors import ForUser
from dnsops.base.log import Log
from mailsrv.directory.book import Book
from mailsrv.directory.credentials import credentials
from mailsrv.directory.doors import ImapLogins, SmtpLogins
from mailsrv.directory.passwords import Logins
from mailsrv.directory.rights import Rights
from mailsrv.imap.server import ImapServer
from mailsrv.message.digest import digest
from mailsrv.receive.story import Reception
from mailsrv.smtp.house import House
from mailsrv.smtp.listener import Listener
from mailsrv.store.door import Store

if TYPE_CHECKING:
    from dnsops.base.settings import Settings

GRACE = 10.0  # seconds that sessions may take to end


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
    book = Book.of(settings)
    logins = Logins(book, credentials(settings), secret=secrets.token_bytes(32))
    for account in book.accounts.values():
        await store.account(account.name, account.quota)
    async with AsyncExitStack() as stack:
        stack.callback(logins.close)
        smtp = await stack.enter_async_context(_smtp(settings, store, book, ports.address, ports.smtp, log, None))
        submission = await stack.enter_async_context(
            _smtp(settings, store, book, ports.address, ports.submission, log, logins)
        )
        imap = await stack.enter_async_context(_imap(settings, store, ports, log, logins))
        yield Ports(ports.address, smtp, submission, imap)


@asynccontextmanager
async def _smtp(
    settings: Settings, store: Store, book: Book, address: str, port: int, log: Log, logins: Logins | None
) -> AsyncIterator[int]:
    """A listener for mail: with `logins` it is for our own users."""
    rights = Rights(book, settings.auth.must_match_sender)
    service = Reception(
        settings.hostname, book, rights, store, log, lambda: clock.now().wall, lambda: secrets.token_hex(8)
    )
    if logins:
        service.submission = True
        service.accounts = SmtpLogins(logins, settings.auth.mechanisms, plaintext_allowed=True)
    listener = Listener(House(settings.hostname, service, log, plain_login=True))
    bound = _bound(address, port)
    await listener.open(bound)
    try:
        yield int(bound.getsockname()[1])
    finally:
        await listener.close(GRACE)


@asynccontextmanager
async def _imap(settings: Settings, store: Store, ports: Ports, log: Log, logins: Logins) -> AsyncIterator[int]:
    users = ImapLogins(logins, settings.auth.mechanisms, plaintext_allowed=True)
    server = ImapServer(store, users, digest, lambda: clock.now().wall, log, plaintext=True)
    try:
        port = await server.listen(ports.address, ports.imap)
    except OSError as error:
        raise _taken(ports.address, ports.imap, error) from None
    try:
        yield port
    finally:
        await server.close(GRACE)


def _bound(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((address, port))
    except OSError as error:
        bound.close()
        raise _taken(address, port, error) from None
    return bound


def _taken(address: str, port: int, error: OSError) -> ForUser:
    return ForUser(
        f"cannot listen there ({error.strerror})", f"{address}, port {port}", "name another port with --base"
    )
