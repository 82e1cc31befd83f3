"""Certificates for tests: made in a millisecond, for any host, key and time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from dnsops.certs.chain import Chain

Key = ec.EllipticCurvePrivateKey
START, DAYS = datetime(2025, 1, 1, tzinfo=UTC), 3650


@cache
def key(name: str) -> Key:
    """The key of that name: the same one each time in a test run."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(private: Key) -> bytes:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def issuer() -> tuple[Key, x509.Certificate]:
    """A certificate authority."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test CA")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    builder = builder.serial_number(1).not_valid_before(START).not_valid_after(START + timedelta(days=DAYS))
    authority = x509.BasicConstraints(ca=True, path_length=None)
    return private, builder.add_extension(authority, critical=True).sign(private, hashes.SHA256())


def issue(
    public: CertificatePublicKeyTypes, *names: str, start: datetime = START, days: int = DAYS
) -> tuple[x509.Certificate, x509.Certificate]:
    """A leaf for a public key, and its issuer."""
    signer, authority = issuer()
    builder = x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(authority.subject)
    builder = builder.public_key(public).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(start).not_valid_after(start + timedelta(days=days))
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    return builder.add_extension(alternatives, critical=False).sign(signer, hashes.SHA256()), authority


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def chain(name: str, *hosts: str, start: datetime = START, days: int = DAYS) -> Chain:
    """A chain for the key of that name; the default host is mx1.example.org."""
    certificates = issue(key(name).public_key(), *(hosts or ("mx1.example.org",)), start=start, days=days)
    return Chain(
        tuple(certificate.public_bytes(Encoding.DER) for certificate in certificates), f"the {name} certificate"
    )
