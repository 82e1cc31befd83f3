"""A line to one address of one server: questions over UDP, then TCP; answers matched to them and to nothing else.

    line = Line("192.0.2.1")
    said = await line.ask(Question("mx1.example.org", "A"))      # a dns.message.Message, or Silence

One connected socket carries all questions to an address: the kernel drops what comes from elsewhere, we drop what has
another id, another question, or does not parse (the wait goes on: a forger must not be able to end it).
Standards: RFC 1035 4.2, RFC 6891 (EDNS, 1232 bytes as agreed on DNS flag day 2020), RFC 7766 (TCP), RFC 5452 (forgery).
Fails by: `Silence`, saying why; an address that was silent once gets one short try from then on, until it speaks.
"""

from __future__ import annotations

import asyncio
import errno
import secrets
import struct
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import dns.message

PAYLOAD = 1232
LARGE = 4096  # octets of an answer that is read in a thread
HEADER = struct.Struct("!HHHHHH")
QR, OPCODE, TC, RD, AD, CD, RCODE = 0x8000, 0x7800, 0x0200, 0x0100, 0x0020, 0x0010, 0x000F
FORMERR, NOTIMP = 1, 4
# what connect() says when this machine has no route to a whole family
NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: for each try over UDP, and for the one over TCP. tcp_after_silence: TCP also where UDP gave nothing."""

    udp: tuple[float, ...] = (1.0, 2.0)
    tcp: float = 3.0
    tcp_after_silence: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """`flags` of the header; `edns` with DO when `dnssec`."""

    name: str
    type: str
    flags: int = 0
    dnssec: bool = False
    edns: bool = True


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer, why not, and whether we could not even reach for it."""

    why: str
    unreachable: bool = False


TRUNCATED = Silence("truncated")
Said: TypeAlias = "dns.message.Message | Silence"


@dataclass(eq=False, slots=True)
class Pending:
    """A question on its way: what must come back, and whoever waits."""

    asked: bytes
    future: asyncio.Future[Said]
    noise: int = 0


class Line(asyncio.DatagramProtocol):
    """Opened by the first question, closed by `close`."""

    def __init__(self, address: str, patience: Patience | None = None, port: int = 53) -> None:
        self.address, self.port = address, port
        self._patience = patience or Patience()
        self._pending: dict[int, Pending] = {}
        self._opening = asyncio.Lock()
        self._transport: asyncio.DatagramTransport | None = None
        self._mute = False

    async def ask(self, question: Question) -> Said:
        """The server's answer, whatever it says."""
        try:
            transport = await self._socket()
        except OSError as error:
            return Silence(_words(error), error.errno in NO_ROUTE)
        said = await self._by_udp(transport, question)
        silent = isinstance(said, Silence) and self._patience.tcp_after_silence and not self._mute
        if said is TRUNCATED or silent:
            said = _both(said, await self._by_tcp(question))
        self._mute = isinstance(said, Silence)
        if question.edns and not isinstance(said, Silence) and said.rcode() in (FORMERR, NOTIMP):
            return await self.ask(replace(question, edns=False))  # RFC 6891 6.2.2: it may not know EDNS
        return said

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    # over UDP

    async def _by_udp(self, transport: asyncio.DatagramTransport, question: Question) -> Said:
        why = "silent"
        for wait in self._patience.udp[:1] if self._mute else self._patience.udp:
            number, packet, pending = self._new(question)
            try:
                transport.sendto(packet)
                async with asyncio.timeout(wait):
                    return await pending.future
            except TimeoutError:
                why = f"silent, but for {pending.noise} forged or broken answers" if pending.noise else "silent"
            except OSError as error:
                why = _words(error)
            finally:
                del self._pending[number]
        return Silence(why)

    def _new(self, question: Question) -> tuple[int, bytes, Pending]:
        number = secrets.randbelow(65536)
        while number in self._pending:
            number = secrets.randbelow(65536)
        packet, asked = _packet(question, number)
        self._pending[number] = pending = Pending(asked, asyncio.get_running_loop().create_future())
        return number, packet, pending

    async def _socket(self) -> asyncio.DatagramTransport:
        async with self._opening:
            if self._transport is None:
                opened = asyncio.get_running_loop().create_datagram_endpoint
                self._transport, _ = await opened(lambda: self, remote_addr=(self.address, self.port))
        return self._transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        pending = self._pending.get(HEADER.unpack_from(data)[0]) if len(data) >= HEADER.size else None
        if pending is None or pending.future.done():
            return
        said = _understood(data, pending.asked)
        if said is None:
            pending.noise += 1
        else:
            pending.future.set_result(said)

    def error_received(self, exc: Exception) -> None:
        """ICMP says that nobody is there: true for every question that is under way."""
        for pending in self._pending.values():
            if not pending.future.done():
                pending.future.set_exception(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    # over TCP

    async def _by_tcp(self, question: Question) -> Said:
        packet, asked = _packet(question, secrets.randbelow(65536))
        try:
            async with asyncio.timeout(self._patience.tcp):
                data = await self._converse(packet)
        except TimeoutError:
            return Silence("silent")
        except (OSError, asyncio.IncompleteReadError) as error:
            return Silence(_words(error))
        if data[:2] != packet[:2]:
            return Silence("it answered another question")
        # one of 64 KiB takes a quarter of a second to read, which nobody else should wait for
        said = await asyncio.to_thread(_understood, data, asked) if len(data) > LARGE else _understood(data, asked)
        return said or Silence("its answer is malformed")

    async def _converse(self, packet: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(self.address, self.port)
        try:
            writer.write(struct.pack("!H", len(packet)) + packet)
            length = struct.unpack("!H", await reader.readexactly(2))[0]
            return await reader.readexactly(max(length, HEADER.size))
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def _packet(question: Question, number: int) -> tuple[bytes, bytes]:
    """A query, and its question section. By hand: twenty times cheaper than a message object."""
    import dns.name
    import dns.rdatatype

    name = dns.name.from_text(question.name + ".").to_wire() or b""
    asked = name + struct.pack("!HH", dns.rdatatype.from_text(question.type), 1)
    options = struct.pack("!BHHIH", 0, 41, PAYLOAD, 0x8000 if question.dnssec else 0, 0) if question.edns else b""
    return HEADER.pack(number, question.flags, 1, 0, 0, bool(options)) + asked + options, asked


def _answers(data: bytes, asked: bytes) -> bool:
    """Whether this is a response to that question. An error about the form may come without it (RFC 6891 7)."""
    _, flags, questions, *_ = HEADER.unpack_from(data)
    if not flags & QR or flags & OPCODE:
        return False
    if questions == 0:
        return flags & RCODE in (FORMERR, NOTIMP)
    end = HEADER.size + len(asked)
    heard = data[HEADER.size : end]
    # lengths and the bytes of type and class are compared as they are, letters without their case
    return questions == 1 and heard[:-4].lower() == asked[:-4].lower() and heard[-4:] == asked[-4:]


def _understood(data: bytes, asked: bytes) -> Said | None:
    """The message; None when it does not answer that question, or is none."""
    if not _answers(data, asked):
        return None
    if HEADER.unpack_from(data)[1] & TC:
        return TRUNCATED
    from dnsops.resolve import reading

    return reading.parse(data)


def _both(by_udp: Said, by_tcp: Said) -> Said:
    if isinstance(by_udp, Silence) and isinstance(by_tcp, Silence):
        return Silence(f"{by_udp.why}; over TCP {by_tcp.why}")
    return by_tcp


def _words(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(error, asyncio.IncompleteReadError):
        return "hung up"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
