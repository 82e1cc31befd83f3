"""A listening port: sessions begin here, the PROXY header of listed peers is read here, and here the house is closed.

    listener = Listener(house); await listener.open(sock); ...; await listener.close(grace=30)

The header is read from the socket octet-exact before a session exists, so that TLS may follow it at once; implicit TLS begins
before the session too, with the certificate of that moment, for those whom the gate lets in.
Fails by: OSError of the socket handed in; a peer without the header it owes is hung up on.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection

from mailsrv.smtp import proxy
from mailsrv.smtp.house import House
from mailsrv.smtp.limits import network_of
from mailsrv.smtp.replies import NO_LONGER_YOU, SHUTTING_DOWN, TLS_NOT_NOW
from mailsrv.smtp.server import Session

BACKLOG = 512
_TICK = 0.05


class Listener:
    """The sockets of one kind of service."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._servers: list[asyncio.Server] = []
        self._doors: list[asyncio.Task[None]] = []
        self._welcomes: set[asyncio.Task[None]] = set()

    async def open(self, *sockets: socket.socket) -> None:
        """Serve these sockets, which are bound already."""
        loop = asyncio.get_running_loop()
        for sock in sockets:
            sock.setblocking(False)
            if self.house.proxies or self.house.implicit_tls:
                sock.listen(BACKLOG)
                self._doors.append(loop.create_task(self._accept(sock)))
            else:
                server = await loop.create_server(lambda: Session(self.house), sock=sock, backlog=BACKLOG)
                self._servers.append(server)

    async def close(self, grace: float) -> None:
        """Take nobody in any more; who is between two mails hears 421 now, the others when they are done or `grace` is over."""
        for server in self._servers:
            server.close()
        for task in (*self._doors, *self._welcomes):
            task.cancel()
        loop = asyncio.get_running_loop()
        end = loop.time() + grace
        while self.house.sessions and loop.time() < end:
            self._send_off(only_idle=True)
            await asyncio.sleep(_TICK)
        self._send_off(only_idle=False)

    def dismiss(self, accounts: Collection[str]) -> None:
        """Whoever logged in as one of these goes now; what they were sending was not taken yet."""
        for session in [one for one in self.house.sessions if one.account in accounts]:
            session.hang_up(NO_LONGER_YOU)

    def _send_off(self, only_idle: bool) -> None:
        for session in [one for one in self.house.sessions if one.idle or not only_idle]:
            session.hang_up(SHUTTING_DOWN)

    async def _accept(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with sock:
            while True:
                try:
                    peer, name = await loop.sock_accept(sock)
                except OSError:  # out of file handles, or a peer that left the queue
                    await asyncio.sleep(_TICK)
                    continue
                task = loop.create_task(self._welcome(peer, name[0] if isinstance(name, tuple) else ""))
                self._welcomes.add(task)
                task.add_done_callback(self._welcomes.discard)

    async def _welcome(self, peer: socket.socket, address: str) -> None:
        loop = asyncio.get_running_loop()
        peer.setblocking(False)
        try:
            source = None
            if self._listed(address):
                async with asyncio.timeout(self.house.limits.proxy_header):
                    source = await _header(loop, peer)
            if self.house.implicit_tls:
                return await self._encrypted(loop, peer, source, source.address if source else address)
            await loop.connect_accepted_socket(lambda: Session(self.house, source), peer)
        except (OSError, TimeoutError, proxy.BadHeader) as error:
            self.house.log("smtp.no_proxy_header", peer=address, why=type(error).__name__)
            peer.close()

    async def _encrypted(
        self, loop: asyncio.AbstractEventLoop, peer: socket.socket, source: proxy.Source | None, address: str
    ) -> None:
        """A session inside TLS; who is turned away costs no handshake, and hears nothing."""
        house = self.house
        reply = TLS_NOT_NOW if house.tls is None else house.door.enter(address, loop.time())
        if reply is not None or house.tls is None:
            house.log("smtp.turned_away", peer=address, why=reply.text if reply else "")
            return peer.close()
        try:
            await loop.connect_accepted_socket(
                lambda: Session(house, source, True),
                peer,
                ssl=house.tls(),
                ssl_handshake_timeout=house.limits.handshake,
            )
        except (OSError, TimeoutError) as error:
            house.door.leave(address)
            house.log("smtp.handshake", peer=address, why=type(error).__name__)
            peer.close()
        return None

    def _listed(self, address: str) -> bool:
        network = network_of(address)
        return network is not None and any(
            network.version == one.version and network.network_address in one for one in self.house.proxies
        )


async def _header(loop: asyncio.AbstractEventLoop, peer: socket.socket) -> proxy.Source | None:
    """Not one octet more than the header."""
    start = await _exactly(loop, peer, proxy.START)
    if proxy.version(start) == 2:
        head = await _exactly(loop, peer, proxy.HEAD)
        return proxy.block(head, await _exactly(loop, peer, proxy.block_length(head)))
    while not start.endswith(b"\n") and len(start) <= proxy.LONGEST_LINE:
        start += await _exactly(loop, peer, 1)
    return proxy.line(start)


async def _exactly(loop: asyncio.AbstractEventLoop, peer: socket.socket, count: int) -> bytes:
    octets = b""
    while len(octets) < count:
        more = await loop.sock_recv(peer, count - len(octets))
        if not more:
            raise proxy.BadHeader
        octets += more
    return octets
