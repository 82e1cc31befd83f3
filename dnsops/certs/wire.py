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
import os
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
from dnsops.certs.line import Line, Trouble
from dnsops.records.names import canonical

TIMEOUT = 20.0  # seconds; RFC 5321 4.5.3.2 would allow minutes, and a checker may not
LARGEST_HANDSHAKE = 512 << 10
PATIENCE = 0.5  # seconds that a peer may take for its goodbye
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
        return Shown(address, port, error=f"no answer within {timeout:g} s while {visit.line.doing}")
    except Trouble as trouble:
        return Shown(address, port, error=str(trouble))
    except ForUser as error:
        return Shown(address, port, error=f"{error.what} - {error.advice}" if error.advice else error.what)
    except ssl.SSLError as error:
        return Shown(address, port, error=f"the TLS handshake failed ({_reason(error)})")
    except OSError as error:
        unroutable = error.errno in _NO_ROUTE
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        return Shown(address, port, None, f"{reason} while {visit.line.doing}", unroutable)
    except (ValueError, OverflowError) as error:
        return Shown(address, port, error=f"cannot be asked ({error})")
    finally:
        visit.line.close()


class _Visit:
    """One connection, and the chain that it brings."""

    def __init__(self, host: str, address: str, port: int) -> None:
        self.chain: Chain | None = None
        self.line = Line(address, port)
        self._name, self._where = host, f"{address}, port {port}"

    async def run(self, how: How, context: ssl.SSLContext) -> None:
        await self.line.open()
        if how is not How.IMPLICIT:
            await self.line.agree(DIALOGUES[how](self.line.literal()))
        await self._handshake(context, FAREWELLS.get(how, b""))

    async def _handshake(self, context: ssl.SSLContext, farewell: bytes) -> None:
        """TLS over memory: the bytes that we allow in are counted here."""
        self.line.doing = "waiting in the TLS handshake"
        inbound, outbound, allowed = ssl.MemoryBIO(), ssl.MemoryBIO(), LARGEST_HANDSHAKE
        tls = context.wrap_bio(inbound, outbound, server_hostname=canonical(self._name))
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self.line.send(outbound.read())
            data = await self.line.receive()
            allowed -= len(data)
            if not data:
                raise Trouble("it closed the connection in the TLS handshake")
            if allowed < 0:
                raise Trouble(f"more than {LARGEST_HANDSHAKE} bytes of TLS handshake")
            inbound.write(data)
        self.chain = from_der(_chain_of(tls), self._where)
        await _leave(self.line, tls, outbound, farewell)


async def _leave(line: Line, tls: ssl.SSLObject, outbound: ssl.MemoryBIO, farewell: bytes) -> None:
    """Our last handshake message, goodbye and close_notify, so that the server's log stays clean; then its own, briefly."""
    left = 8
    with contextlib.suppress(ssl.SSLError):  # unwrap wants to read the peer's close_notify: we do not wait for it
        if farewell:
            tls.write(farewell)
        tls.unwrap()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await line.send(outbound.read())
            while farewell and left and await line.receive():
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


def _reason(error: ssl.SSLError) -> str:
    return printable(str(error.reason or error)).lower().replace("_", " ")
