"""SCRAM keys: what a server keeps so that it can check a password that it never sees.

    {SCRAM-SHA-256}4096,SALT,STOREDKEY,SERVERKEY        as Dovecot writes them, each but the count in base64

Standards: RFC 5802 3, RFC 7677. Limits: 4096 to 1 000 000 iterations, salts of 8 to 64 octets; fewer iterations would let a
stolen key be guessed fast, more would let one line of the configuration stop every client.
Fails by: `BadHash`, a sentence.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field

FEWEST, MOST, USUAL = 4096, 1_000_000, 16384
SALT = 16
HASHES = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-1": "sha1"}


class BadHash(ValueError):
    """What is wrong with a stored password, as a sentence; never the password."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What RFC 5802 calls StoredKey and ServerKey, and how they came about. `hash`: hashlib's name."""

    hash: str
    iterations: int
    salt: bytes
    stored: bytes = field(repr=False)
    server: bytes = field(repr=False)

    @classmethod
    def derive(cls, hash_name: str, password: bytes, salt: bytes, iterations: int = USUAL) -> Keys:
        """The keys of a password. Slow by intent: not in an event loop."""
        salted = hashlib.pbkdf2_hmac(hash_name, password, salt, iterations)
        client = hmac.digest(salted, b"Client Key", hash_name)
        stored = hashlib.new(hash_name, client).digest()
        return cls(hash_name, iterations, salt, stored, hmac.digest(salted, b"Server Key", hash_name))

    def matches(self, password: bytes) -> bool:
        """Whether these are the keys of that password; as slow as `derive`."""
        other = Keys.derive(self.hash, password, self.salt, self.iterations)
        return hmac.compare_digest(self.stored, other.stored)

    def __str__(self) -> str:
        scheme = next(name for name, hash_name in HASHES.items() if hash_name == self.hash)
        parts = (base64.b64encode(part).decode() for part in (self.salt, self.stored, self.server))
        return f"{{{scheme}}}{self.iterations}," + ",".join(parts)


def read_keys(scheme: str, text: str) -> Keys:
    """The keys behind the mark {SCHEME}."""
    count, *parts = text.split(",")
    if len(parts) != 3 or not (count.isascii() and count.isdigit() and len(count) < 9):
        raise BadHash("SCRAM keys are ITERATIONS,SALT,STOREDKEY,SERVERKEY")
    try:
        salt, stored, server = (base64.b64decode(part, validate=True) for part in parts)
    except (binascii.Error, ValueError):
        raise BadHash("SCRAM keys are base64 behind the count of iterations") from None
    if not FEWEST <= int(count) <= MOST:
        raise BadHash(f"{int(count)} iterations; {FEWEST} to {MOST} are taken")
    size = hashlib.new(HASHES[scheme]).digest_size
    if not 8 <= len(salt) <= 64 or len(stored) != size or len(server) != size:
        raise BadHash(f"the keys of {scheme} have {size} octets, and its salt 8 to 64")
    return Keys(HASHES[scheme], int(count), salt, stored, server)
