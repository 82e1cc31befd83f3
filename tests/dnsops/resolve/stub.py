"""A name server on 127.0.0.0/8 that says exactly what a test tells it, over UDP and TCP, and remembers what it was asked.

async with Stub(lambda query: [answer(query, "mx1.example.org. 60 A 192.0.2.25")]) as stub:
    line = Line(stub.address, port=stub.port)
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any, Self

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from tests.lab.streams import start_server

Reply = Callable[[dns.message.Message], list[bytes]]


def nothing(query: dns.message.Message) -> list[bytes]:
    return []


class Stub(asyncio.DatagramProtocol):
    """`udp` and `tcp` turn a query into the packets to send back; without `tcp` nothing listens there."""

    def __init__(
        self, udp: Reply = nothing, tcp: Reply | None = None, address: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.udp, self.tcp, self.address, self.port = udp, tcp, address, port
        self.heard: list[tuple[str, dns.message.Message]] = []
        self._server: asyncio.Server | None = None
        self._transport: Any = None

    async def __aenter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.address, self.port))
        self.port = listener.getsockname()[1]
        if self.tcp:
            self._server = await start_server(self._serve, sock=listener)
        else:
            listener.close()
        opened = asyncio.get_running_loop().create_datagram_endpoint
        self._transport, _ = await opened(lambda: self, local_addr=(self.address, self.port))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._transport.close()
        if self._server:
            self._server.close()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        query = dns.message.from_wire(data)
        self.heard.append(("udp", query))
        for packet in self.udp(query):
            self._transport.sendto(packet, addr)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = struct.unpack("!H", await reader.readexactly(2))[0]
        query = dns.message.from_wire(await reader.readexactly(length))
        self.heard.append(("tcp", query))
        for packet in self.tcp(query) if self.tcp else []:
            writer.write(struct.pack("!H", len(packet)) + packet)
        writer.close()

    @property
    def ways(self) -> list[str]:
        return [way for way, _ in self.heard]


def message(
    query: dns.message.Message,
    *records: str,
    rcode: str = "NOERROR",
    flags: str = "AA",
    authority: tuple[str, ...] = (),
) -> dns.message.Message:
    """A response; records as `NAME TTL TYPE DATA`."""
    said = dns.message.make_response(query)
    said.flags |= dns.flags.from_text(flags)
    said.set_rcode(dns.rcode.from_text(rcode))
    said.answer = [_rrset(record) for record in records]
    said.authority = [_rrset(record) for record in authority]
    return said


def answer(query: dns.message.Message, *records: str, **more: Any) -> bytes:
    return message(query, *records, **more).to_wire()


def _rrset(record: str) -> dns.rrset.RRset:
    name, ttl, kind, data = record.split(maxsplit=3)
    return dns.rrset.from_text(name, int(ttl), "IN", kind, data)
