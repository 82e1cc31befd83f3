"""DNSKEY, DS, RRSIG and NSEC3PARAM as values: keys with their tags and digests, signatures with their times. Pure.

    key = Key.of(rdata);  key.tag, key.bits, key.digest("example.org", SHA256)
    signature.until(now), signature.since(now)

CDNSKEY and CDS have the same forms (RFC 7344 3.1, 3.2).
Standards: RFC 4034 2 (DNSKEY), 3 (RRSIG), 5 (DS) and its appendix B (key tags), RFC 3110 2 (RSA keys), RFC 4509 and
RFC 6605 2 (digests), RFC 5155 4 (NSEC3PARAM), RFC 1982 (times as serial numbers), RFC 5011 2.1 (revoked keys).
Fails by: `ForUser` for rdata that is too short to be one.
Limits: LONGEST octets of rdata, as DNS itself has it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from struct import Struct
from typing import Self

from dnsops.base.errors import ForUser
from dnsops.records.rdata import Rdata, wire

LONGEST = 65535
ZONE_KEY, REVOKED, ENTRY_POINT = 0x0100, 0x0080, 0x0001  # RFC 4034 2.1.1, RFC 5011 2.1
SHA1, SHA256, SHA384 = 1, 2, 4
HASHES: dict[int, Callable[[bytes], bytes]] = {
    SHA1: lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    SHA256: lambda data: hashlib.sha256(data).digest(),
    SHA384: lambda data: hashlib.sha384(data).digest(),
}
RSA = (1, 5, 7, 8, 10)  # the algorithms whose keys are RSA keys
CIRCLE = 2**32  # times and serial numbers go round in it
_KEY, _DS, _SIGNATURE, _NSEC3 = Struct("!HBB"), Struct("!HBB"), Struct("!HBBIIIH"), Struct("!BBHB")


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """A DNSKEY. public: the key's octets in the form of its algorithm."""

    flags: int
    protocol: int
    algorithm: int
    public: bytes

    @classmethod
    def of(cls, data: Rdata) -> Self:
        raw = _raw(data, _KEY.size)
        flags, protocol, algorithm = _KEY.unpack_from(raw)
        return cls(flags, protocol, algorithm, raw[_KEY.size :])

    @property
    def tag(self) -> int:
        """RFC 4034 B. Algorithm 1 counts in a way of its own (B.1)."""
        if self.algorithm == 1:
            return int.from_bytes(self.public[-3:-1], "big")
        total = sum(octet << 8 if place % 2 == 0 else octet for place, octet in enumerate(self.wire))
        return (total + (total >> 16 & 0xFFFF)) & 0xFFFF

    @property
    def wire(self) -> bytes:
        return _KEY.pack(self.flags, self.protocol, self.algorithm) + self.public

    @property
    def signs(self) -> bool:
        """Whether signatures by it count: a zone key, not revoked, protocol 3 (RFC 4034 2.1)."""
        return bool(self.flags & ZONE_KEY) and not self.flags & REVOKED and self.protocol == 3

    @property
    def bits(self) -> int | None:
        """The length of an RSA key's modulus (RFC 3110 2); None for other algorithms, whose lengths are fixed."""
        if self.algorithm not in RSA or not self.public:
            return None
        short, rest = self.public[0], self.public[1:]
        exponent = short or int.from_bytes(rest[:2], "big")
        modulus = rest[exponent if short else exponent + 2 :]
        return int.from_bytes(modulus, "big").bit_length()

    def digest(self, owner: str, kind: int) -> bytes | None:
        """What a DS of this kind says about the key (RFC 4034 5.1.4); None for a kind that we cannot compute."""
        compute = HASHES.get(kind)
        return compute(_owner(owner) + self.wire) if compute else None


@dataclass(frozen=True, slots=True, order=True)
class Ds:
    """A DS. kind: of the digest."""

    tag: int
    algorithm: int
    kind: int
    digest: bytes

    @classmethod
    def of(cls, data: Rdata) -> Self:
        raw = _raw(data, _DS.size)
        tag, algorithm, kind = _DS.unpack_from(raw)
        return cls(tag, algorithm, kind, raw[_DS.size :])

    @property
    def deletes(self) -> bool:
        """As a CDS: the parent shall remove every DS (RFC 8078 4)."""
        return self.algorithm == 0

    @property
    def known(self) -> bool:
        """Whether we can compute its digest."""
        return self.kind in HASHES

    def is_of(self, key: Key, owner: str) -> bool:
        """Whether it is this key's."""
        same = (self.tag, self.algorithm) == (key.tag, key.algorithm)
        return same and key.digest(owner, self.kind) == self.digest

    def __str__(self) -> str:
        return f"{self.tag} {self.algorithm} {self.kind} {self.digest.hex()[:12]}..."


@dataclass(frozen=True, slots=True)
class Signature:
    """An RRSIG, but for the signature itself. ttl: the original one. ends, begins: as on the wire."""

    covers: int
    algorithm: int
    labels: int
    ttl: int
    ends: int
    begins: int
    tag: int

    @classmethod
    def of(cls, data: Rdata) -> Self:
        return cls(*_SIGNATURE.unpack_from(_raw(data, _SIGNATURE.size + 1)))

    def until(self, now: datetime) -> datetime:
        """When it expires, as whoever validates at `now` understands it (RFC 4034 3.1.5)."""
        return _moment(self.ends, now)

    def since(self, now: datetime) -> datetime:
        """When it began."""
        return _moment(self.begins, now)


@dataclass(frozen=True, slots=True)
class Nsec3:
    """An NSEC3PARAM: how names are hashed. salt: its octets."""

    algorithm: int
    flags: int
    iterations: int
    salt: bytes

    @classmethod
    def of(cls, data: Rdata) -> Self:
        raw = _raw(data, _NSEC3.size)
        algorithm, flags, iterations, length = _NSEC3.unpack_from(raw)
        return cls(algorithm, flags, iterations, raw[_NSEC3.size : _NSEC3.size + length])


def ahead(one: int, other: int) -> bool | None:
    """Whether a serial number comes after another one (RFC 1982 3.2); None when they are half a circle apart."""
    distance = (one - other) % CIRCLE
    return None if distance == CIRCLE // 2 else 0 < distance < CIRCLE // 2


def serial_of(soa: Rdata) -> int:
    """The serial number of a SOA."""
    words = str(soa).split()
    if len(words) != 7 or not words[2].isdigit():
        raise ForUser("not a SOA record")
    return int(words[2])


def _moment(seconds: int, now: datetime) -> datetime:
    """The moment nearest to now with these 32 bits; the first or last one that there is, when that is none."""
    present = int(now.timestamp())
    distance = (seconds - present + CIRCLE // 2) % CIRCLE - CIRCLE // 2
    return datetime.fromtimestamp(max(present + distance, 0), UTC)


def _owner(name: str) -> bytes:
    """A name's wire form (RFC 4034 6.2); `name` as `names.canonical` gives it."""
    labels = name.encode("ascii", "replace").split(b".") if name else []
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def _raw(data: Rdata, least: int) -> bytes:
    raw = wire(data)
    if not least <= len(raw) <= LONGEST:
        raise ForUser(f"a {data.type} record of {len(raw)} octets")
    return raw
