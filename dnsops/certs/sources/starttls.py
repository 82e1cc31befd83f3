"""starttls:HOST:PORT and tls:HOST:PORT - what the running server shows: the one source that cannot be out of date.

HOST is where to connect (a name or an address, IPv6 in brackets); the name asked for is the host whose record it is.
Fails by: `Later` when no address answers.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from datetime import timedelta

from dnsops.base.errors import ForUser, Later, Misused
from dnsops.certs.chain import Chain
from dnsops.certs.sources.door import Kind, Place, incomplete
from dnsops.certs.wire import TIMEOUT, How, Shown, how_for, show

MOST_ADDRESSES = 8


@dataclass(frozen=True, slots=True)
class Wire(Place):
    """One port of a running server."""

    server: str
    port: int
    how: How
    timeout: float = TIMEOUT

    def find(self, host: str) -> Chain:
        return asyncio.run(self._first(host, _addresses(self.server, self.port)))

    def describe(self) -> str:
        return f"port {self.port} of {self.server}"

    async def _first(self, host: str, addresses: list[str]) -> Chain:
        """The first address that shows something; what the others would show, the probe of each port tells."""
        silent: list[Shown] = []
        for address in addresses:
            shown = await show(host, address, self.port, self.how, self.timeout)
            if shown.chain:
                return shown.chain
            silent.append(shown)
        told = "; ".join(f"{shown.address}: {shown.error}" for shown in silent)
        raise Later(f"port {self.port} of {self.server} shows no certificate ({told})", timedelta(minutes=1))


def _addresses(server: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(server, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in (socket.EAI_NONAME, socket.EAI_NODATA):
            raise ForUser("has no address", server, "check the name") from None
        raise Later(f"{server}: its address cannot be looked up ({error.strerror})") from None
    except UnicodeError:
        raise ForUser("is no host name", server, "check the name") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))[:MOST_ADDRESSES]


def parse(kind: Kind, rest: str) -> Wire:
    server, colon, port = rest.rpartition(":")
    server = server.removeprefix("[").removesuffix("]")
    if not server or not colon or not port.isdecimal():
        raise incomplete(kind, rest)
    if not 1 <= int(port) <= 65535:
        raise Misused(f"port {port} does not exist", f"{kind.name}:{rest}", "write a number from 1 to 65535")
    return Wire(server, int(port), How.IMPLICIT if kind.name == "tls" else _plain(int(port)))


def _plain(port: int) -> How:
    """STARTTLS as the port usually speaks it; SMTP on a port of no known use."""
    try:
        how = how_for(port)
    except Misused:
        return How.SMTP
    if how is How.IMPLICIT:
        raise Misused(f"port {port} speaks TLS from the first byte", f"starttls:...:{port}", f"write tls:HOST:{port}")
    return how
