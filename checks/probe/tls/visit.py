"""One address of a mail host, visited again and again: each time a connection, STARTTLS, one hello, the first flight back.

Standards: RFC 3207 4 (STARTTLS); hellos and flights name theirs.
Limits: one connection at a time to an address, a number of connections in all, seconds for each; bytes as in `flight` and `line`.
Fails by: an `Answer` that was not accepted and says why. Nothing is raised, nothing hangs.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from weakref import WeakValueDictionary

from checks.facts import Version
from checks.probe.tls.exchange import Exchange, read_exchange
from checks.probe.tls.flight import Flight, ServerHello, read_hello_2
from checks.probe.tls.groups import CODES, NAMES
from checks.probe.tls.hello import Offer, client_hello, hello_2, record
from checks.probe.tls.octets import Unreadable
from checks.probe.tls.suites import name_of
from dnsops.base.printable import printable
from dnsops.certs.dialogue import Dialogue
from dnsops.certs.line import Line, Trouble
from dnsops.certs.wire import DIALOGUES, How

LONGEST_BANNER = 200
LARGEST_HELLO_2 = 1 << 15


@dataclass(frozen=True, slots=True)
class Limits:
    """seconds: for one connection, all of it.  connections: to one address, in all.  whole: seconds for everything."""

    seconds: float = 10.0
    connections: int = 250
    whole: float = 50.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where to go. host: the name asked for (SNI), without a dot at its end.  ehlo: what we call ourselves, our address if ""."""

    host: str
    address: str
    port: int = 25
    how: How = How.SMTP
    ehlo: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one hello brought. refused: the server heard it and would not; otherwise `why` is trouble on the way."""

    offer: Offer
    hello: ServerHello | None = None
    certificates: tuple[bytes, ...] = ()
    exchange: Exchange | None = None
    why: str = ""
    refused: bool = False

    @property
    def accepted(self) -> bool:
        return not self.why and self.hello is not None

    @property
    def suite(self) -> str:
        return name_of(self.hello.suite) if self.hello else ""

    @property
    def group(self) -> int:
        """The group that the server chose, by key share or in its ServerKeyExchange; 0 for none."""
        return self.exchange.group if self.exchange else self.hello.group if self.hello else 0


class Gate:
    """One connection at a time to an address, whatever names it has; and so many in all at one time."""

    def __init__(self, together: int = 40) -> None:
        self._room = asyncio.Semaphore(together)
        self._alone: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait until the address is free and there is room."""
        alone = self._alone.setdefault(address, asyncio.Lock())
        async with alone, self._room:
            yield


class Visitor:
    """Goes to one place as often as its limits let it; remembers the greeting and whether STARTTLS was offered."""

    def __init__(self, place: Place, limits: Limits, gate: Gate | None = None) -> None:
        self.place, self.limits, self._gate = place, limits, gate or Gate()
        self.banner, self.offered = "", None if place.how is How.SMTP else True
        self.visits = 0

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """A connection on which TLS may begin now. Raises Trouble, OSError, TimeoutError (also when the body is too slow)."""
        if self.visits >= self.limits.connections:
            raise Trouble(f"{self.limits.connections} connections were enough")
        async with self._gate.turn(self.place.address):
            self.visits += 1
            line = Line(self.place.address, self.place.port)
            try:
                async with asyncio.timeout(self.limits.seconds):
                    await line.open()
                    await self._agree(line)
                    yield line
            finally:
                line.close()

    async def ask(self, offer: Offer) -> Answer:
        """The answer to one hello."""
        message = record(client_hello(offer, secrets.token_bytes(32), secrets.token_bytes(32)), offer.version)
        flight = Flight()
        why, refused = await self._exchanged(message, flight)
        if why:
            return Answer(offer, why=why, refused=refused)
        return judged(offer, flight)

    async def ask_2(self) -> tuple[str, ...]:
        """The SSL 2 suites that the server has; none when it does not speak that."""
        from checks.probe.tls.suites import SSL2

        data = b""
        try:
            async with self.line() as line:
                await line.send(hello_2(secrets.token_bytes(16)))
                while len(data) < LARGEST_HELLO_2 and (more := await line.receive()):
                    data += more
                    if (codes := read_hello_2(data)) is not None:
                        return tuple(SSL2.get(code, f"0x{code:06X}") for code in codes)
        except (Trouble, OSError, TimeoutError, Unreadable, ValueError):
            pass
        return ()

    async def _agree(self, line: Line) -> None:
        """The dialogue before TLS, listened to."""
        if self.place.how is How.IMPLICIT:
            return
        heard: list[bytes] = []
        try:
            await line.agree(_listened(DIALOGUES[self.place.how](self.place.ehlo or line.literal()), heard))
        finally:
            self._remember(heard)

    def _remember(self, heard: list[bytes]) -> None:
        if heard and not self.banner:
            self.banner = printable(heard[0][:LONGEST_BANNER].decode("utf-8", "replace"))
        words = [heard_line[4:].strip().upper() for heard_line in heard if heard_line.startswith(b"250")]
        if words and self.place.how is How.SMTP:
            self.offered = b"STARTTLS" in words

    async def _exchanged(self, message: bytes, flight: Flight) -> tuple[str, bool]:
        """Send the hello, read the flight. Why it came to nothing, and whether the server refused."""
        hello_sent = False
        try:
            async with self.line() as line:
                await line.send(message)
                hello_sent = True
                while not flight.over:
                    data = await line.receive()
                    if not data:
                        return "it closed the connection at our hello", True
                    flight.feed(data)
        except Trouble as trouble:
            return str(trouble), False
        except TimeoutError:
            return f"no answer within {self.limits.seconds:g} s", False
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            return reason, hello_sent and isinstance(error, ConnectionError)
        except ValueError as error:  # Unreadable, and an address that is none
            return printable(str(error)), hello_sent
        return "", False


def judged(offer: Offer, flight: Flight) -> Answer:
    """Whether a whole flight accepts the offer."""
    hello = flight.hello
    if flight.alert or hello is None:
        return Answer(offer, why=f"alert {flight.alert}", refused=True)
    answer = Answer(offer, hello, flight.certificates)
    if hello.version != offer.version:
        return replace(answer, why=f"it answers in version 0x{hello.version:04X}", refused=True)
    if (curve := _curve_of(flight.certificates)) and curve not in offer.groups:
        return replace(answer, why=f"its certificate's curve, {NAMES[curve]}, is none that was offered")
    if hello.suite not in offer.suites:
        return replace(answer, why=f"it chooses {name_of(hello.suite)}, which was not offered")
    try:
        exchange = (
            None if hello.version == Version.TLS13 else read_exchange(flight.exchange, hello.suite, hello.version)
        )
    except Unreadable as error:
        return replace(answer, why=f"its key exchange cannot be read: {error}")
    return replace(answer, exchange=exchange)


@lru_cache(maxsize=64)
def _curve_of(certificates: tuple[bytes, ...]) -> int:
    """The curve of the server's own key, which OpenSSL wants among its groups (RFC 8422 5.1); 0 for other keys."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        key = x509.load_der_x509_certificate(certificates[0]).public_key() if certificates else None
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        return 0
    return CODES.get(_curve_name(key.curve.name), 0) if isinstance(key, ec.EllipticCurvePublicKey) else 0


def _curve_name(name: str) -> str:
    """Spelt as IANA does."""
    return "secp192r1" if name == "prime192v1" else name.replace("brainpoolp", "brainpoolP")


def _listened(dialogue: Dialogue, heard: list[bytes]) -> Generator[bytes, bytes, str]:
    """A dialogue whose lines are kept."""
    send = next(dialogue)
    while True:
        line = yield send
        heard.append(line)
        try:
            send = dialogue.send(line)
        except StopIteration as done:
            return str(done.value)
