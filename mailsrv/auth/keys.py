"""Keys that sign and keys that verify: RSA and Ed25519, by the library `cryptography`, loaded once. Pure.

Standards: RFC 8017 8.2 (RSASSA-PKCS1-v1_5), RFC 8032 (Ed25519), RFC 8463 3 (it signs the hash), RFC 8301 3.2 (sizes of RSA).
Public keys are kept by the text of their record, MOST_KEPT of them; a text longer than LONGEST is never looked into.
Fails by: `Malformed` for a record that holds no usable key, `ForUser` for a private key that is none of ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from dnsops.base.errors import ForUser
from dnsops.records import names, rdata
from dnsops.records.txt import dkim
from dnsops.records.txt.dkim import DkimKey
from dnsops.records.txt.tags import Malformed

MOST_KEPT = 2048
LONGEST = 4 * dkim.LONGEST  # characters of presentation text: four for an octet that is written as \\DDD
RSA_BITS = range(1024, 8193)
WEAK_BITS = 2048  # below it a signature counts, and is remarked on (RFC 8301 3.2)
EXPONENTS = range(65537, 1 << 64)  # smaller ones have a history, larger ones cost time
_SHA256 = Prehashed(hashes.SHA256())
_PADDING = padding.PKCS1v15()


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A record and its key, ready for use. bits: RSA's modulus, or 256.  flaw: why no signature by it counts, or ""."""

    record: DkimKey
    key: RSAPublicKey | Ed25519PublicKey
    bits: int
    flaw: str = ""

    def verifies(self, octets: bytes, digest: bytes) -> bool:
        """Whether these are the signature of what has this SHA-256."""
        try:
            if isinstance(self.key, RSAPublicKey):
                self.key.verify(octets, digest, _PADDING, _SHA256)
            else:
                self.key.verify(octets, digest)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: DOMAIN by the key whose public half stands at SELECTOR._domainkey.DOMAIN."""

    domain: str
    selector: str
    key: RSAPrivateKey | Ed25519PrivateKey = field(repr=False)

    @classmethod
    def load(cls, domain: str, selector: str, pem: bytes) -> Signer:
        """From a private key in PEM (PKCS #8 or #1). Raises `ForUser` for what is no such key, or no name."""
        domain, selector = names.canonical(domain), names.canonical(selector)
        where = names.canonical(dkim.owner(selector, domain))
        try:
            key = serialization.load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ForUser("not a private key without a passphrase", where, "write PEM, PKCS #8") from None
        if isinstance(key, Ed25519PrivateKey) or (isinstance(key, RSAPrivateKey) and key.key_size in RSA_BITS):
            return cls(domain, selector, key)
        raise ForUser("DKIM signs with RSA of 1024 to 8192 bits or Ed25519 only", where, "make another key")

    @property
    def algorithm(self) -> str:
        return "rsa-sha256" if isinstance(self.key, RSAPrivateKey) else "ed25519-sha256"

    @property
    def record(self) -> DkimKey:
        """What must stand in the DNS."""
        public = self.key.public_key()
        if isinstance(public, Ed25519PublicKey):
            return DkimKey(public.public_bytes_raw(), "ed25519")
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return DkimKey(public.public_bytes(serialization.Encoding.DER, form))

    def signature(self, digest: bytes) -> bytes:
        """The signature of what has this SHA-256."""
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(digest, _PADDING, _SHA256)
        return self.key.sign(digest)


def public_key(text: str) -> PublicKey | str:
    """The key in a TXT record, given as presentation text; where there is none, why."""
    if len(text) > LONGEST:
        return f"a key record of more than {dkim.LONGEST} octets"
    return _kept(text)


@lru_cache(MOST_KEPT)
def _kept(text: str) -> PublicKey | str:
    try:
        return _loaded(DkimKey.parse(b"".join(rdata.strings(rdata.parse("TXT", text)))))
    except ForUser as malformed:
        return malformed.what


def _loaded(record: DkimKey) -> PublicKey:
    if record.revoked:
        raise Malformed("the key is revoked: p= is empty")
    match record.kind:
        case "rsa":
            key = _rsa(record.key)
            return PublicKey(record, key, key.key_size, _flaw(key))
        case "ed25519":
            return PublicKey(record, Ed25519PublicKey.from_public_bytes(record.key), 256)
    raise Malformed("k= is a kind of key that nobody knows")


def _rsa(octets: bytes) -> RSAPublicKey:
    """RFC 6376 3.6.1 has the bare RSAPublicKey, all the world a SubjectPublicKeyInfo: both are read."""
    try:
        key = serialization.load_der_public_key(octets)
    except (ValueError, UnsupportedAlgorithm):
        raise Malformed("p= holds no RSA key") from None
    if not isinstance(key, RSAPublicKey):
        raise Malformed("p= holds a key of another kind")
    return key


def _flaw(key: RSAPublicKey) -> str:
    if key.key_size not in RSA_BITS:
        return f"an RSA key of {key.key_size} bits"
    exponent = key.public_numbers().e
    return "" if exponent in EXPONENTS and exponent % 2 else "an RSA key with a bad public exponent"
