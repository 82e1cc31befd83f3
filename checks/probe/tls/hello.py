"""What a client says first: a ClientHello of any version, written from an `Offer`. Pure.

Standards: RFC 5246 7.4.1.2 (up to TLS 1.2), RFC 8446 4.1.2 (1.3), RFC 6101 (SSL 3), RFC 6066 3 (SNI), RFC 5746 3.4,
RFC 7627 5.1 (EMS), RFC 8422 5.1; draft-hickman-netscape-ssl-00 2.5 (SSL 2). Randomness is handed in. Fails by: nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.facts import Version
from checks.probe.tls.suites import EMPTY_RENEGOTIATION_INFO, SSL2

SERVER_NAME, GROUPS, POINTS, SIGNATURES, EMS, TICKET = 0, 10, 11, 13, 23, 35
EARLY_DATA, VERSIONS, COOKIE, PSK_MODES, KEY_SHARE, RENEGOTIATION = 42, 43, 44, 45, 51, 0xFF01
_CLIENT_HELLO, HANDSHAKE = 1, 22


@dataclass(frozen=True, slots=True)
class Offer:
    """What is offered. version: the only one.  suites, groups, signatures: numbers, the dearest first.

    shares: (group, public value), TLS 1.3 only; none: the server is asked to say which group it wants.
    name: for SNI, "" for none.  deflate: compression is offered.  cookie: of a HelloRetryRequest.
    """

    version: Version
    suites: tuple[int, ...]
    groups: tuple[int, ...] = ()
    signatures: tuple[int, ...] = ()
    name: str = ""
    shares: tuple[tuple[int, bytes], ...] = ()
    deflate: bool = False
    cookie: bytes = b""


def client_hello(offer: Offer, random: bytes, session: bytes = b"") -> bytes:
    """The handshake message. random: 32 octets; session: up to 32, for middleboxes in TLS 1.3 (RFC 8446 D.4)."""
    thirteen = offer.version == Version.TLS13
    suites = offer.suites if thirteen else (*offer.suites, EMPTY_RENEGOTIATION_INFO)
    methods = b"\x01\x00" if offer.deflate else b"\x00"
    body = int(min(offer.version, Version.TLS12)).to_bytes(2, "big") + random + _short(session)
    body += _long(_numbers(suites)) + _short(methods)
    if offer.version > Version.SSL3:  # SSL 3 has no extensions
        body += _long(b"".join(_extension(kind, data) for kind, data in _extensions(offer)))
    return bytes([_CLIENT_HELLO]) + len(body).to_bytes(3, "big") + body


def record(message: bytes, version: Version, kind: int = HANDSHAKE) -> bytes:
    """One message as a record; hellos of TLS 1.1 and up carry 1.0 there, as everybody's do (RFC 5246 E.1)."""
    return bytes([kind]) + int(min(version, Version.TLS10)).to_bytes(2, "big") + _long(message)


def hello_2(challenge: bytes) -> bytes:
    """SSL 2's CLIENT-HELLO, whole, with every suite that it ever had. challenge: 16 octets."""
    suites = b"".join(code.to_bytes(3, "big") for code in SSL2)
    body = b"\x01\x00\x02" + len(suites).to_bytes(2, "big") + bytes(2) + len(challenge).to_bytes(2, "big")
    body += suites + challenge
    return (0x8000 | len(body)).to_bytes(2, "big") + body


def _extensions(offer: Offer) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    if offer.name:
        found.append((SERVER_NAME, _long(b"\x00" + _long(offer.name.encode("ascii", "ignore")))))
    if offer.groups:
        found += [(POINTS, b"\x01\x00"), (GROUPS, _long(_numbers(offer.groups)))]
    if offer.signatures and offer.version >= Version.TLS12:
        found.append((SIGNATURES, _long(_numbers(offer.signatures))))
    if offer.version < Version.TLS13:
        return [*found, (TICKET, b""), (EMS, b"")]
    shares = b"".join(group.to_bytes(2, "big") + _long(value) for group, value in offer.shares)
    found += [(VERSIONS, b"\x02\x03\x04"), (PSK_MODES, b"\x01\x01"), (KEY_SHARE, _long(shares))]
    return [*found, (COOKIE, offer.cookie)] if offer.cookie else found


def _extension(kind: int, data: bytes) -> bytes:
    return kind.to_bytes(2, "big") + _long(data)


def _numbers(values: tuple[int, ...]) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)


def _short(data: bytes) -> bytes:
    return bytes([len(data)]) + data


def _long(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data
