"""What a server says back: records into messages, messages into values, until its first flight is over. Pure.

Standards: RFC 5246 6.2.1, 7.2, 7.4 (records, alerts, messages), RFC 8446 4.1.3 and 4.1.4 (1.3, HelloRetryRequest),
RFC 8422 5.4 and RFC 5246 7.4.3 (ServerKeyExchange), RFC 6101 5.6; draft-hickman-netscape-ssl-00 2.6 (SSL 2).
Limits: 256 KiB in all, messages of 128 KiB, 64 alerts and empty records, 32 certificates.
Fails by: `Unreadable` with a sentence for bytes that are no TLS.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from checks.facts import Version
from checks.probe.tls.hello import COOKIE, HANDSHAKE, KEY_SHARE, VERSIONS
from checks.probe.tls.octets import Octets, Unreadable

LARGEST_FLIGHT = 256 << 10
LARGEST_MESSAGE = 128 << 10
LARGEST_RECORD = (1 << 14) + 2048  # RFC 5246 6.2.3
MOST_TRIFLES = 64
MOST_CERTIFICATES = 32
CHANGE, ALERT, DATA = 20, 21, 23
_SERVER_HELLO, _CERTIFICATE, _EXCHANGE, _DONE = 2, 11, 12, 14
RETRY = sha256(b"HelloRetryRequest").digest()  # RFC 8446 4.1.3
_ALERTS = {
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow", 40: "handshake_failure",
    42: "bad_certificate", 47: "illegal_parameter", 50: "decode_error", 51: "decrypt_error", 70: "protocol_version",
    71: "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled",
    100: "no_renegotiation", 109: "missing_extension", 110: "unsupported_extension", 112: "unrecognized_name",
    116: "certificate_required", 120: "no_application_protocol",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ServerHello:
    """version: the one chosen.  compression: 0 for none.  group: of the key share, 0 without.  retry: it asks again."""

    version: int
    suite: int
    compression: int = 0
    extensions: frozenset[int] = frozenset()
    group: int = 0
    share: bytes = b""
    cookie: bytes = b""
    retry: bool = False


class Flight:
    """The server's first flight, as far as it has come. `over`: no more is waited for."""

    def __init__(self) -> None:
        self.hello: ServerHello | None = None
        self.certificates: tuple[bytes, ...] = ()
        self.exchange = b""
        self.alert = ""
        self.over = False
        self.messages: list[bytes] = []
        self.rest = b""  # of records that came behind a TLS 1.3 ServerHello: sealed ones
        self._stream = b""
        self._seen = self._trifles = 0

    def feed(self, data: bytes) -> None:
        """More bytes. Raises Unreadable."""
        self._seen += len(data)
        if self._seen > LARGEST_FLIGHT:
            raise Unreadable(f"more than {LARGEST_FLIGHT} bytes of TLS handshake")
        self.rest += data
        while not self.over and (taken := take_record(self.rest)):
            kind, payload, self.rest = taken
            self._record(kind, payload)

    def _record(self, kind: int, payload: bytes) -> None:
        if kind == ALERT:
            self._alerted(payload)
        elif kind == HANDSHAKE:
            self._more(payload)
        else:
            raise Unreadable(f"a record of kind {kind} where a handshake is due")

    def _more(self, payload: bytes) -> None:
        if not payload:
            self._trifle()
        self._stream += payload
        while not self.over and (message := take_message(self._stream)):
            self._stream = self._stream[len(message) :]
            self.messages.append(message)
            self._message(message[0], Octets(message[4:]))

    def _message(self, kind: int, body: Octets) -> None:
        if kind == _SERVER_HELLO and self.hello is None:
            self.hello = read_hello(body)
            self.over = self.hello.version >= Version.TLS13 or self.hello.retry
        elif kind == _CERTIFICATE:
            self.certificates = read_certificates(body)
        elif kind == _EXCHANGE:
            self.exchange = body.rest()
        elif kind == _DONE:
            self.over = True
        else:
            self._trifle()

    def _alerted(self, payload: bytes) -> None:
        """A warning is passed over (RFC 6066 3: unrecognized_name), anything else ends the flight."""
        if len(payload) < 2:
            raise Unreadable("an alert that is cut off")
        self._trifle()
        if payload[0] != 1 or payload[1] == 0:
            self.alert, self.over = _ALERTS.get(payload[1], str(payload[1])), True

    def _trifle(self) -> None:
        self._trifles += 1
        if self._trifles > MOST_TRIFLES:
            raise Unreadable(f"more than {MOST_TRIFLES} trifles in a handshake")


def take_record(data: bytes) -> tuple[int, bytes, bytes] | None:
    """The first record (kind, payload) and what is behind it; None while it is not whole."""
    if len(data) < 5:
        return None
    length = int.from_bytes(data[3:5], "big")
    if data[0] not in (CHANGE, ALERT, HANDSHAKE, DATA) or data[1] != 3 or length > LARGEST_RECORD:
        raise Unreadable("what comes is no TLS record")
    return None if len(data) < 5 + length else (data[0], data[5 : 5 + length], data[5 + length :])


def take_message(stream: bytes) -> bytes | None:
    """The first handshake message, with its head; None while it is not whole."""
    if len(stream) < 4:
        return None
    length = int.from_bytes(stream[1:4], "big")
    if length > LARGEST_MESSAGE:
        raise Unreadable(f"a handshake message of more than {LARGEST_MESSAGE} bytes")
    return None if len(stream) < 4 + length else stream[: 4 + length]


def read_hello(body: Octets) -> ServerHello:
    """A ServerHello's body."""
    version, random = body.number(2), body.take(32)
    body.field(1)
    suite, compression = body.number(2), body.number(1)
    found = dict(read_extensions(Octets(body.field(2)))) if body.left else {}
    group, share = _share(found.get(KEY_SHARE, b""))
    cookie = found.get(COOKIE, b"")
    if chosen := found.get(VERSIONS):
        version = int.from_bytes(chosen, "big")
    return ServerHello(version, suite, compression, frozenset(found), group, share, cookie, random == RETRY)


def read_extensions(octets: Octets) -> list[tuple[int, bytes]]:
    """Kind and content of each."""
    found = []
    while octets.left:
        found.append((octets.number(2), octets.field(2)))
    return found


def _share(data: bytes) -> tuple[int, bytes]:
    octets = Octets(data)
    group = octets.number(2) if octets.left else 0
    return group, octets.field(2) if octets.left else b""


def read_certificates(body: Octets, thirteen: bool = False) -> tuple[bytes, ...]:
    """A Certificate's body: DER, the peer's own first. thirteen: with what RFC 8446 4.4.2 puts around them."""
    if thirteen:
        body.field(1)
    octets, found = Octets(body.field(3)), []
    while octets.left:
        found.append(octets.field(3))
        if thirteen:
            octets.field(2)
        if len(found) > MOST_CERTIFICATES:
            raise Unreadable(f"more than {MOST_CERTIFICATES} certificates")
    return tuple(found)


def read_hello_2(data: bytes) -> tuple[int, ...] | None:
    """SSL 2's SERVER-HELLO: the suites that the server has in common with us; None while it is not whole."""
    if len(data) < 2:
        return None
    if not data[0] & 0x80:
        raise Unreadable("what comes is no SSL 2 hello")
    length = int.from_bytes(data[:2], "big") & 0x7FFF
    if len(data) < 2 + length:
        return None
    body = Octets(data[2 : 2 + length])
    if body.number(1) != 4:
        raise Unreadable("what comes is no SSL 2 hello")
    body.take(2)
    version, certificate, suites = body.number(2), body.number(2), body.number(2)
    body.take(2 + certificate)
    if version != Version.SSL2:
        raise Unreadable("what comes is no SSL 2 hello")
    codes = Octets(body.take(suites))
    return tuple(codes.number(3) for _ in range(suites // 3))
