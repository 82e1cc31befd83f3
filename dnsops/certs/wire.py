"""What a port shows: connect, speak until TLS may begin, look at the certificate chain, leave politely.

Standards: RFC 3207 (SMTP STARTTLS), RFC 9051 6.2.1 (IMAP), RFC 2595 (POP3 STLS), RFC 5804 2.2 (ManageSieve), RFC 6066 3 (SNI).
Nothing is verified here: whether a chain is the right one, the TLSA records say.
Limits: one deadline for everything; lines, line length, bytes of the handshake and the chain are bounded.
Fails by: a `Shown` with an `error`, whatever the peer does. Nothing is raised, nothing hangs.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

from dnsops.base.errors import ForUser, Misused
from dnsops.base.printable import printable
from dnsops.certs import dialogue
from dnsops.certs.chain import Chain, from_der, key_name
from dnsops.certs.dialogue import Dialogue
from dnsops.records.names import canonical

TIMEOUT = 20.0  # seconds; RFC 5321 4.5.3.2 would allow minutes, and a checker may not
LONGEST_LINE = 4096
MOST_LINES = 128
LARGEST_HANDSHAKE = 512 << 10
PATIENCE = 0.5  # seconds that a peer may take for its goodbye
_CHUNK = 16384
_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


class How(Enum):
    """What is said before TLS begins."""

    SMTP = "STARTTLS in SMTP"
    IMAP = "STARTTLS in IMAP"
    POP3 = "STLS in POP3"
    SIEVE = "STARTTLS in ManageSieve"
    IMPLICIT = "TLS from the first byte"


PORTS = {
    25: How.SMTP,
    587: How.SMTP,
    2525: How.SMTP,
    143: How.IMAP,
    110: How.POP3,
    4190: How.SIEVE,
    465: How.IMPLICIT,
    993: How.IMPLICIT,
    995: How.IMPLICIT,
    443: How.IMPLICIT,
    853: How.IMPLICIT,
}
DIALOGUES: dict[How, Callable[[str], Dialogue]] = {
    How.SMTP: dialogue.smtp,
    How.IMAP: dialogue.imap,
    How.POP3: dialogue.pop3,
    How.SIEVE: dialogue.sieve,
}
FAREWELLS = {How.SMTP: b"QUIT\r\n", How.IMAP: b"b LOGOUT\r\n", How.POP3: b"QUIT\r\n", How.SIEVE: b"LOGOUT\r\n"}


@dataclass(frozen=True, slots=True)
class Shown:
    """What one address of a port showed; `chain` is None when it showed nothing, and `error` says why.

    unroutable: this machine has no route to that family (no IPv6 here), so that the silence means nothing.
    """

    address: str
    port: int
    chain: Chain | None = None
    error: str = ""
    unroutable: bool = False


def how_for(port: int, word: str = "") -> How:
    """How a port speaks: as the word says (`smtp`, `imap`, `pop3`, `sieve`, `implicit`), or as the port usually does."""
    words = ", ".join(how.name.lower() for how in How)
    if word:
        try:
            return How[word.upper()]
        except KeyError:
            raise Misused(f"{word!r} is no way into TLS", f"port {port}", f"write one of {words}") from None
    if port not in PORTS:
        raise Misused("how this port speaks before TLS is not known", f"port {port}", f"say it: {words}")
    return PORTS[port]


async def show(host: str, address: str, port: int, how: How | None = None, timeout: float = TIMEOUT) -> Shown:
    """The chain that an address (a literal one) shows to a client that asks for `host`."""
    return await _show(host, address, port, how, timeout, any_certificate())


async def show_all(
    host: str, address: str, port: int, how: How | None = None, timeout: float = TIMEOUT
) -> tuple[Shown, ...]:
    """Every distinct leaf, for servers with an RSA and an ECDSA certificate: the first as `show` has it, then the other.

    The second handshake is TLS 1.2 with cipher suites of the other kind only (RFC 5246 7.4.2). A server that speaks
    nothing but TLS 1.3 chooses by signature algorithms, which Python's ssl cannot restrict: of such a server only the
    certificate that it prefers is seen.
    """
    first = await show(host, address, port, how, timeout)
    if first.chain is None:
        return (first,)
    second = await _show(host, address, port, how, timeout, only_certificate(_other_kind(first.chain)))
    if second.chain is None or second.chain.certificates[0] == first.chain.certificates[0]:
        return (first,)
    return first, second


async def _show(host: str, address: str, port: int, how: How | None, timeout: float, context: ssl.SSLContext) -> Shown:
    """One visit under one deadline; every way it can end becomes a value."""
    visit = _Visit(host, address, port)
    try:
        async with asyncio.timeout(timeout):
            await visit.run(how or how_for(port), context)
        return Shown(address, port, visit.chain)
    except TimeoutError:
        if visit.chain:  # the goodbye was cut short
            return Shown(address, port, visit.chain)
        return Shown(address, port, error=f"no answer within {timeout:g} s while {visit.doing}")
    except _Trouble as trouble:
        return Shown(address, port, error=str(trouble))
    except ForUser as error:
        return Shown(address, port, error=f"{error.what} - {error.advice}" if error.advice else error.what)
    except ssl.SSLError as error:
        return Shown(address, port, error=f"the TLS handshake failed ({_reason(error)})")
    except OSError as error:
        unroutable = error.errno in _NO_ROUTE
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        return Shown(address, port, None, f"{reason} while {visit.doing}", unroutable)
    except (ValueError, OverflowError) as error:
        return Shown(address, port, error=f"cannot be asked ({error})")
    finally:
        visit.close()


class _Trouble(Exception):
    """The peer did something that ends the visit; the text says what."""


class _Visit:
    """One connection, and what is going on in it (for the error text)."""

    def __init__(self, host: str, address: str, port: int) -> None:
        self.doing = "connecting"
        self.chain: Chain | None = None
        self._name, self._place = host, (address, port)
        self._where = f"{address}, port {port}"
        self._socket: socket.socket | None = None
        self._buffer = b""

    async def run(self, how: How, context: ssl.SSLContext) -> None:
        wire = await self._connect()
        if how is not How.IMPLICIT:
            await self._speak(wire, DIALOGUES[how](_literal(wire)))
        await self._handshake(wire, context, FAREWELLS.get(how, b""))

    def close(self) -> None:
        if self._socket:
            self._socket.close()

    async def _connect(self) -> socket.socket:
        family = socket.AF_INET6 if ipaddress.ip_address(self._place[0]).version == 6 else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(self._socket, self._place)
        return self._socket

    async def _speak(self, wire: socket.socket, dialogue: Dialogue) -> None:
        """Drive a dialogue until it agrees that TLS begins."""
        loop = asyncio.get_running_loop()
        self.doing = "waiting for the greeting"
        send = next(dialogue)
        try:
            for _ in range(MOST_LINES):
                if send:
                    await loop.sock_sendall(wire, send)
                    self.doing = f"waiting for the answer to {send.strip().decode()}"
                send = dialogue.send(await self._line(wire))
        except StopIteration as done:
            if done.value:
                raise _Trouble(done.value) from None
            if self._buffer:
                raise _Trouble("it goes on in plain text after agreeing to TLS") from None
            return
        raise _Trouble(f"more than {MOST_LINES} lines before TLS")

    async def _line(self, wire: socket.socket) -> bytes:
        """The next line, without its end."""
        while b"\n" not in self._buffer:
            if len(self._buffer) > LONGEST_LINE:
                raise _Trouble(f"a line longer than {LONGEST_LINE} bytes before TLS")
            data = await asyncio.get_running_loop().sock_recv(wire, _CHUNK)
            if not data:
                raise _Trouble(f"it closed the connection while {self.doing.replace('waiting', 'we waited')}")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        if len(line) > LONGEST_LINE:
            raise _Trouble(f"a line longer than {LONGEST_LINE} bytes before TLS")
        return line.rstrip(b"\r")

    async def _handshake(self, wire: socket.socket, context: ssl.SSLContext, farewell: bytes) -> None:
        """TLS over memory: the bytes that we allow in are counted here."""
        loop, self.doing = asyncio.get_running_loop(), "waiting in the TLS handshake"
        inbound, outbound, allowed = ssl.MemoryBIO(), ssl.MemoryBIO(), LARGEST_HANDSHAKE
        tls = context.wrap_bio(inbound, outbound, server_hostname=canonical(self._name))
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await loop.sock_sendall(wire, outbound.read())
            data = await loop.sock_recv(wire, _CHUNK)
            allowed -= len(data)
            if not data:
                raise _Trouble("it closed the connection in the TLS handshake")
            if allowed < 0:
                raise _Trouble(f"more than {LARGEST_HANDSHAKE} bytes of TLS handshake")
            inbound.write(data)
        self.chain = from_der(_chain_of(tls), self._where)
        await _leave(wire, tls, outbound, farewell)


async def _leave(wire: socket.socket, tls: ssl.SSLObject, outbound: ssl.MemoryBIO, farewell: bytes) -> None:
    """Our last handshake message, goodbye and close_notify, so that the server's log stays clean; then its own, briefly."""
    loop, left = asyncio.get_running_loop(), 8
    with contextlib.suppress(ssl.SSLError):  # unwrap wants to read the peer's close_notify: we do not wait for it
        if farewell:
            tls.write(farewell)
        tls.unwrap()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await loop.sock_sendall(wire, outbound.read())
            while farewell and left and await loop.sock_recv(wire, _CHUNK):
                left -= 1


def _chain_of(tls: ssl.SSLObject) -> list[bytes]:
    """The certificates as sent, DER. Public since Python 3.13; before, one attribute deeper."""
    public: Any = getattr(tls, "get_unverified_chain", None)
    if public:
        return list(public() or ())
    inner: Any = tls._sslobj  # type: ignore[attr-defined]
    encoding_der = 2  # _ssl.ENCODING_DER
    return [certificate.public_bytes(encoding_der) for certificate in inner.get_unverified_chain() or ()]


@cache
def any_certificate() -> ssl.SSLContext:
    """For looking, not for trusting: every version and suite with a certificate that OpenSSL still has."""
    return _context("ALL:!aNULL:!eNULL:!PSK:!SRP:@SECLEVEL=0")


@cache
def only_certificate(kind: str) -> ssl.SSLContext:
    """TLS 1.2 with suites that need a certificate of one kind: `RSA` or `ECDSA` (the latter also means Ed25519)."""
    context = _context(f"ECDHE+a{kind}:DHE+a{kind}:@SECLEVEL=0")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def _context(ciphers: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.options |= getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)  # no RFC 5746 there: still a certificate
    context.set_ciphers(ciphers)
    return context


def _other_kind(chain: Chain) -> str:
    return "ECDSA" if key_name(chain).startswith("RSA") else "RSA"


def _literal(wire: socket.socket) -> str:
    """Our own address, as EHLO takes it from a client without a name (RFC 5321 4.1.3)."""
    address = str(wire.getsockname()[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _reason(error: ssl.SSLError) -> str:
    return printable(str(error.reason or error)).lower().replace("_", " ")
