"""A whole TLS 1.3 handshake as a machine: bytes in, bytes out, until the chain and the first session ticket are seen. Pure.

    hello -> (hello again) -> the sealed flight: certificates, Finished -> our Finished and a goodbye -> ticket or answer

For looking, not for trusting: neither the server's signature nor its Finished is verified, and no secret is sent.
Standards: RFC 8446 4 and 7.1 (key schedule), 5.2 (sealed records), 4.6.1 (tickets, early data), 4.4.2 (an empty certificate).
Limits: as `flight`; 64 trifles. Fails by: `Unreadable`.
"""

from __future__ import annotations

import hmac
from dataclasses import replace
from hashlib import new

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec, x448, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from checks.probe.tls.flight import (
    ALERT,
    CHANGE,
    DATA,
    LARGEST_FLIGHT,
    MOST_TRIFLES,
    ServerHello,
    read_certificates,
    read_extensions,
    read_hello,
    take_message,
    take_record,
)
from checks.probe.tls.hello import EARLY_DATA, HANDSHAKE, Offer, client_hello, record
from checks.probe.tls.octets import Octets, Unreadable

_SERVER_HELLO, _TICKET, _CERTIFICATE, _REQUEST, _FINISHED, _HASH = 2, 4, 11, 13, 20, 254
_CURVES: dict[int, type[ec.EllipticCurve]] = {23: ec.SECP256R1, 24: ec.SECP384R1, 25: ec.SECP521R1}
_X25519, _X448 = 29, 30
GROUPS = (_X25519, 23, _X448, 25, 24)
_ALGORITHMS = {
    0x1301: ("sha256", 16),
    0x1302: ("sha384", 32),
    0x1303: ("sha256", 32),
    0x1304: ("sha256", 16),
    0x1305: ("sha256", 16),
}
SUITES = tuple(_ALGORITHMS)


class Share:
    """Our half of a Diffie-Hellman exchange."""

    def __init__(self, group: int) -> None:
        self.group = group
        self._key: x25519.X25519PrivateKey | x448.X448PrivateKey | ec.EllipticCurvePrivateKey
        if group == _X25519:
            self._key = x25519.X25519PrivateKey.generate()
        elif group == _X448:
            self._key = x448.X448PrivateKey.generate()
        elif group in _CURVES:
            self._key = ec.generate_private_key(_CURVES[group]())
        else:
            raise Unreadable(f"it asks for group {group}, which was not offered")

    @property
    def public(self) -> bytes:
        public = self._key.public_key()
        if isinstance(public, ec.EllipticCurvePublicKey):
            return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return public.public_bytes(Encoding.Raw, PublicFormat.Raw)

    def secret(self, theirs: bytes) -> bytes:
        """The common secret with the server's public value."""
        try:
            if isinstance(self._key, ec.EllipticCurvePrivateKey):
                point = ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[self.group](), theirs)
                return self._key.exchange(ec.ECDH(), point)
            if isinstance(self._key, x448.X448PrivateKey):
                return self._key.exchange(x448.X448PublicKey.from_public_bytes(theirs))
            return self._key.exchange(x25519.X25519PublicKey.from_public_bytes(theirs))
        except ValueError:
            raise Unreadable("its key share is no point of the group") from None


class Seal:
    """One direction's keys (RFC 8446 7.3): records in order."""

    def __init__(self, suite: int, secret: bytes) -> None:
        hashed, length = _ALGORITHMS[suite]
        key = expand(hashed, secret, b"key", b"", length)
        self._iv = expand(hashed, secret, b"iv", b"", 12)
        self._cipher: AESGCM | AESCCM | ChaCha20Poly1305
        match suite:
            case 0x1303:
                self._cipher = ChaCha20Poly1305(key)
            case 0x1304 | 0x1305:
                self._cipher = AESCCM(key, 8 if suite == 0x1305 else 16)
            case _:
                self._cipher = AESGCM(key)
        self._tag = 8 if suite == 0x1305 else 16
        self._count = 0

    def seal(self, kind: int, data: bytes) -> bytes:
        """A record that holds these."""
        head = bytes([DATA, 3, 3]) + (len(data) + 1 + self._tag).to_bytes(2, "big")
        return head + self._cipher.encrypt(self._nonce(), data + bytes([kind]), head)

    def open(self, payload: bytes) -> tuple[int, bytes]:
        """Kind and content of a record's payload."""
        head = bytes([DATA, 3, 3]) + len(payload).to_bytes(2, "big")
        try:
            inner = self._cipher.decrypt(self._nonce(), payload, head).rstrip(b"\0")
        except (InvalidTag, ValueError):
            raise Unreadable("a sealed record that does not open") from None
        if not inner:
            raise Unreadable("a sealed record without content")
        return inner[-1], inner[:-1]

    def _nonce(self) -> bytes:
        number = int.from_bytes(self._iv, "big") ^ self._count
        self._count += 1
        return number.to_bytes(12, "big")


def expand(hashed: str, secret: bytes, label: bytes, context: bytes, length: int) -> bytes:
    """HKDF-Expand-Label (RFC 8446 7.1); no more than one block is ever wanted."""
    label = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes([len(label)]) + label + bytes([len(context)]) + context
    return hmac.digest(secret, info + b"\x01", hashed)[:length]


class Thirteen:
    """The client's side. `send` holds what is to go out; `done` when there is nothing more to learn."""

    def __init__(self, offer: Offer, random: bytes, farewell: bytes) -> None:
        self.chain: tuple[bytes, ...] = ()
        self.early_data: bool | None = None
        self.done = False
        self.hello: ServerHello | None = None
        self._random, self._farewell = random, farewell
        self._share = Share(offer.groups[0])
        self._offer = replace(offer, shares=((self._share.group, self._share.public),))
        first = client_hello(self._offer, random)
        self.send = record(first, offer.version)
        self._transcript = first
        self._buffer = self._stream = b""
        self._seen = self._trifles = 0
        self._asked: bytes | None = None  # context of a CertificateRequest
        self._theirs: Seal | None = None

    def feed(self, data: bytes) -> None:
        """More of the server's bytes. Raises Unreadable."""
        self._seen += len(data)
        if self._seen > LARGEST_FLIGHT:
            raise Unreadable(f"more than {LARGEST_FLIGHT} bytes of TLS handshake")
        self._buffer += data
        while not self.done and (taken := take_record(self._buffer)):
            kind, payload, self._buffer = taken
            if kind == DATA and self._theirs:
                kind, payload = self._theirs.open(payload)
            self._content(kind, payload)

    def _content(self, kind: int, payload: bytes) -> None:
        if kind == DATA and self._theirs:
            self.done = True  # the server answers our goodbye: tickets come before that, or never
        elif kind == ALERT:
            if not self.chain:
                raise Unreadable(f"alert {payload[1:2].hex()} in the handshake")
            self.done = True
        elif kind == HANDSHAKE and payload:
            self._messages(payload)
        elif kind != CHANGE:
            raise Unreadable(f"a record of kind {kind} in the handshake")
        self._trifles += 1
        if self._trifles > MOST_TRIFLES:
            raise Unreadable(f"more than {MOST_TRIFLES} records in a handshake")

    def _messages(self, payload: bytes) -> None:
        self._stream += payload
        while not self.done and (message := take_message(self._stream)):
            self._stream = self._stream[len(message) :]
            self._message(message[0], message)

    def _message(self, kind: int, message: bytes) -> None:
        body = Octets(message[4:])
        if kind == _TICKET:
            return self._ticketed(body)
        if kind == _SERVER_HELLO:
            return self._greeted(read_hello(body), message)
        self._transcript += message
        if kind == _REQUEST:
            self._asked = body.field(1)
        elif kind == _CERTIFICATE:
            self.chain = read_certificates(body, thirteen=True)
        elif kind == _FINISHED:
            self._finish()
        return None

    def _greeted(self, hello: ServerHello, message: bytes) -> None:
        if self._theirs or hello.version != self._offer.version or hello.suite not in _ALGORITHMS:
            raise Unreadable("its ServerHello is not one of TLS 1.3")
        if hello.retry:
            return self._again(hello, message)
        if hello.group != self._share.group:
            raise Unreadable("its key share is of another group")
        self.hello = hello
        self._transcript += message
        self._schedule(hello.suite, self._share.secret(hello.share))
        return None

    def _again(self, hello: ServerHello, message: bytes) -> None:
        """RFC 8446 4.4.1: the first hello stands in the transcript as its hash."""
        if self._offer.cookie or hello.group == self._share.group:
            raise Unreadable("it asks again and again for a hello")
        digest = new(_ALGORITHMS[hello.suite][0], self._transcript).digest()
        self._share = Share(hello.group)
        self._offer = replace(self._offer, shares=((self._share.group, self._share.public),), cookie=hello.cookie)
        second = client_hello(self._offer, self._random)
        self._transcript = bytes([_HASH, 0, 0, len(digest)]) + digest + message + second
        self.send = record(second, self._offer.version)

    def _schedule(self, suite: int, shared: bytes) -> None:
        """RFC 8446 7.1, without a PSK."""
        self._hashed = _ALGORITHMS[suite][0]
        zero = bytes(new(self._hashed).digest_size)
        early = hmac.digest(zero, zero, self._hashed)
        handshake = hmac.digest(self._derived(early), shared, self._hashed)
        self._master = hmac.digest(self._derived(handshake), zero, self._hashed)
        self._suite, self._our_secret = suite, self._secret(handshake, b"c hs traffic")
        self._theirs = Seal(suite, self._secret(handshake, b"s hs traffic"))

    def _derived(self, secret: bytes) -> bytes:
        empty = new(self._hashed).digest()
        return expand(self._hashed, secret, b"derived", empty, len(empty))

    def _secret(self, secret: bytes, label: bytes) -> bytes:
        digest = new(self._hashed, self._transcript).digest()
        return expand(self._hashed, secret, label, digest, len(digest))

    def _finish(self) -> None:
        """Our Finished, behind an empty certificate when one is asked for; then the goodbye under the last keys."""
        theirs, ours = self._secret(self._master, b"s ap traffic"), self._secret(self._master, b"c ap traffic")
        seal, out = Seal(self._suite, self._our_secret), b""
        if self._asked is not None:
            body = bytes([len(self._asked)]) + self._asked + bytes(3)
            out += self._said(seal, bytes([_CERTIFICATE]) + len(body).to_bytes(3, "big") + body)
        digest = new(self._hashed, self._transcript).digest()
        key = expand(self._hashed, self._our_secret, b"finished", b"", len(digest))
        out += self._said(seal, bytes([_FINISHED, 0, 0, len(digest)]) + hmac.digest(key, digest, self._hashed))
        self.send = out + Seal(self._suite, ours).seal(DATA, self._farewell)
        self._theirs = Seal(self._suite, theirs)

    def _said(self, seal: Seal, message: bytes) -> bytes:
        self._transcript += message
        return seal.seal(HANDSHAKE, message)

    def _ticketed(self, body: Octets) -> None:
        """RFC 8446 4.6.1: whether data may come early, the ticket says."""
        body.take(8)
        body.field(1)
        body.field(2)
        found = dict(read_extensions(Octets(body.field(2))))
        self.early_data = int.from_bytes(found.get(EARLY_DATA, b""), "big") > 0
        self.done = True
