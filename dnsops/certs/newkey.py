"""A new private key for a certificate: ECDSA on P-256 unless a person wants another kind.

Standards: RFC 7468 (PEM), RFC 8446 9.1 (P-256 is what everybody must know), RFC 9325 4.5 (how long an RSA key should be).
"""

from __future__ import annotations

from typing import Literal

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

KeyType = Literal["p256", "p384", "rsa3072"]


def new_key(kind: KeyType) -> bytes:
    """A key of the kind, PKCS 8 in PEM, not encrypted: who holds the file holds the key."""
    return _made(kind).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _made(kind: KeyType) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    match kind:
        case "p256":
            return ec.generate_private_key(ec.SECP256R1())
        case "p384":
            return ec.generate_private_key(ec.SECP384R1())
        case "rsa3072":
            return rsa.generate_private_key(65537, 3072)
