"""From a key to the text of its DKIM record, for keys of ours and of any other server. Pure.

Standards: RFC 6376 3.6.1 (p= of RSA is the SubjectPublicKeyInfo), RFC 8463 4.2 (p= of Ed25519 is the bare key).
Fails by: `ForUser` for what is no key for DKIM: another kind, or RSA of fewer than 1024 bits (RFC 8301 3.2).
"""

from __future__ import annotations

from typing import TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from dnsops.base.errors import ForUser
from dnsops.records.txt.dkim import DkimKey

Private: TypeAlias = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
SHORTEST_RSA = 1024  # bits


def record_of(key: object) -> str:
    """The text of a public key's record."""
    match key:
        case rsa.RSAPublicKey() if key.key_size >= SHORTEST_RSA:
            return str(DkimKey(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), "rsa"))
        case rsa.RSAPublicKey():
            raise ForUser(f"an RSA key of {key.key_size} bits: verifiers take none below {SHORTEST_RSA}")
        case ed25519.Ed25519PublicKey():
            return str(DkimKey(key.public_bytes(Encoding.Raw, PublicFormat.Raw), "ed25519"))
    raise ForUser("neither RSA nor Ed25519: no key for DKIM")


def record_of_pem(pem: bytes, where: str) -> str:
    """The same from PEM, of the private key or of its public half."""
    try:
        if b"PUBLIC KEY" in pem:
            return record_of(load_pem_public_key(pem))
        return record_of(load_pem_private_key(pem, None).public_key())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ForUser(
            "no key in PEM without a password", where, "name the private key's file, or its public half"
        ) from None
    except ForUser as error:
        raise ForUser(error.what, where, "make a new one: RSA of 2048 bits, or Ed25519") from None
