"""A certificate as an authority would issue it that does not do what it was asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from tests.lab.pki import Pki


def certificate(pki: Pki, key: EllipticCurvePrivateKey, name: str, days: int = 30, age: int = 1) -> bytes:
    """For this key and name, from the lab's authority; PEM, the authority's own after it."""
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(pki._name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=age))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
        .sign(pki._key, hashes.SHA256())
    )
    return built.public_bytes(Encoding.PEM) + pki.ca.read_bytes()
