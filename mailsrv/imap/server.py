"""The IMAP server: who may come in, where it listens, and how it stops (RFC 9051, RFC 8314 for port 993).

TLS contexts are asked for at each handshake, so that a new certificate is served at once and nobody is cut off.
Fails by: `OSError` of the listening sockets. A session's unexpected error is logged here with its place, never told.
"""

from __future__ import annotations

import asyncio
import ssl
import traceback
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import AddressValueError, IPv6Address
from socket import AF_INET, AF_INET6, create_server, socket

from dnsops.base.log import Log
from dnsops.base.secrets import Secret
from mailsrv.imap.connection import Connection
from mailsrv.imap.doorway import Doorway
from mailsrv.imap.indexes import Indexes
from mailsrv.imap.limits import Limits
from mailsrv.imap.login import Login
from mailsrv.imap.session import House
from mailsrv.store.door import Digest, Store

BACKLOG = 1024


@dataclass(frozen=True, slots=True)
class Tls:
    """What a handshake needs, and what binds a login to it: the certificate's hash (RFC 5929), keying material (RFC 9266)."""

    context: ssl.SSLContext
    end_point: bytes = b""
    exporter: Callable[[ssl.SSLObject], bytes] = lambda connection: b""


@dataclass(slots=True)
class Guests:
    """Who is here, by connection, address and account."""

    connections: set[Connection] = field(default_factory=set)
    strangers: Counter[str] = field(default_factory=Counter)
    accounts: Counter[str] = field(default_factory=Counter)


class ImapServer:
    """Build it, `listen`, and `close` it."""

    def __init__(
        self,
        store: Store,
        login: Login,
        digest: Callable[[bytes], Digest],
        now: Callable[[], datetime],
        log: Log,
        name: str = "IMAP",
        tls: Callable[[], Tls | None] = lambda: None,
        limits: Limits | None = None,
        plaintext: bool = False,
        judged: Callable[[str, list[int], bool], None] = lambda account, blobs, junk: None,
    ) -> None:
        self._indexes = Indexes(store)
        self.house = House(store, self._indexes, login, digest, now, Secret, limits or Limits(), plaintext, judged)
        self.name, self.tls, self._log = name, tls, log
        self._guests = Guests()
        self._listening: list[asyncio.Server | Doorway[Tls]] = []
        self._full = False
        self._arriving = 0  # octets of messages that clients are sending

    # listening

    async def listen(self, host: str, port: int, implicit_tls: bool = False) -> int:
        """Listen on an address; gives the port, which is chosen when 0 was asked for."""
        sock = create_server((host, port), family=AF_INET6 if ":" in host else AF_INET, backlog=BACKLOG)
        await self.listen_on(sock, implicit_tls)
        return int(sock.getsockname()[1])

    async def listen_on(self, sock: socket, implicit_tls: bool = False) -> None:
        """Listen on a socket that is bound already."""
        if implicit_tls:
            doorway = Doorway(sock, self.tls, lambda tls: Connection(self, tls), network_of, self._log)
            doorway.open()
            self._listening.append(doorway)
            return
        loop = asyncio.get_running_loop()
        self._listening.append(await loop.create_server(lambda: Connection(self), sock=sock, backlog=BACKLOG))

    async def close(self, patience: float = 10.0) -> None:
        """No new guests; those who are busy may finish, then everybody hears BYE."""
        for server in self._listening:
            server.close()
        self._farewell(lambda guest: not guest.busy)
        end = asyncio.get_running_loop().time() + patience
        while self._guests.connections and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.02)
            self._farewell(lambda guest: not guest.busy)
        self._farewell(lambda guest: True)
        self._indexes.close()

    def _farewell(self, whom: Callable[[Connection], bool]) -> None:
        for guest in [guest for guest in self._guests.connections if whom(guest)]:
            guest.goodbye("the server is going down")

    # guests

    @property
    def sessions(self) -> int:
        return len(self._guests.connections)

    def arrived(self, guest: Connection) -> bool:
        """Whether there is room for one more."""
        guests, limits = self._guests, self.house.limits
        network = network_of(guest.peer.address)
        if len(guests.connections) >= limits.connections or guests.strangers[network] >= limits.strangers:
            self._tell_full(guest)
            return False
        guests.connections.add(guest)
        guests.strangers[network] += 1
        return True

    def admit(self, guest: Connection, account: str) -> bool:
        """Whether this account may have one more session."""
        guests = self._guests
        if guests.accounts[account] >= self.house.limits.sessions:
            return False
        guests.accounts[account] += 1
        decrease(guests.strangers, network_of(guest.peer.address))
        self._log("imap.login", account=account, address=guest.peer.address, tls=guest.peer.secure)
        return True

    def dismiss(self, accounts: Collection[str]) -> None:
        """Whoever logged in as one of these goes now."""
        for guest in [guest for guest in self._guests.connections if guest.session.account in accounts]:
            guest.goodbye("your login is no longer valid")

    def left(self, guest: Connection, account: str) -> None:
        if guest not in self._guests.connections:
            return
        self._guests.connections.discard(guest)
        self._full = False
        if account:
            decrease(self._guests.accounts, account)
        else:
            decrease(self._guests.strangers, network_of(guest.peer.address))

    def reserve(self, octets: int) -> bool:
        """Room in memory for messages on their way in."""
        if self._arriving + octets > self.house.limits.arriving:
            return False
        self._arriving += octets
        return True

    def release(self, octets: int) -> None:
        self._arriving -= octets

    def _tell_full(self, guest: Connection) -> None:
        """Once, until there is room again."""
        if not self._full:
            self._log("imap.full", address=guest.peer.address, connections=len(self._guests.connections))
        self._full = True

    def bug(self, error: BaseException, address: str, account: str) -> None:
        """What nobody expected, with its place in our code; nothing of the mail."""
        frames = traceback.extract_tb(error.__traceback__)[-4:]
        places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]
        self._log(
            "imap.bug", error=type(error).__name__, text=str(error)[:200], at=places, address=address, account=account
        )


def decrease(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]


def network_of(address: str) -> str:
    """An IPv6 guest is its /64."""
    try:
        full = IPv6Address(address.partition("%")[0])
    except AddressValueError:
        return address
    return str(full.ipv4_mapped) if full.ipv4_mapped else full.exploded[:19]
