"""A certificate that nobody else signed: for the time before there is a real one. It never touches a disk.

Standards: RFC 5280; with DANE-EE its key would do (RFC 7671 5.1), for everyone else it is encryption without a name.
Fails by: nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

LIFE = timedelta(days=90)


@dataclass(frozen=True)
class Selfsigned:
    """`pem`: key and certificate in one text."""

    pem: bytes = field(repr=False)
    der: bytes
    not_after: datetime


def selfsigned(host: str, now: datetime) -> Selfsigned:
    """A P-256 pair for the host, valid for 90 days from an hour ago."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    until = now + LIFE
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    written = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Selfsigned(written + certificate.public_bytes(Encoding.PEM), certificate.public_bytes(Encoding.DER), until)
