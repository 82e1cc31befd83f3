"""Certificates for tests: a small CA of our own, made with `cryptography`, and servers to show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

HOST = "mx1.example.org"
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


def ecdsa():
    return ec.generate_private_key(ec.SECP256R1())


def rsa_key():
    return rsa.generate_private_key(65537, 2048)


def key_pem(key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)] if text else [])


class Authority:
    """A root, an intermediate, and what it issues: PEM chains of leaf and intermediate."""

    def __init__(self, name: str = "Test CA") -> None:
        self.root_key, self.key, self.name = ecdsa(), ecdsa(), name
        self.root = self._sign(named(f"{name} Root"), self.root_key.public_key(), named(f"{name} Root"), self.root_key)
        self.certificate = self._sign(named(name), self.key.public_key(), self.root.subject, self.root_key)

    def issue(self, public_key, names=(HOST,), start=NOW - DAY, end=NOW + 60 * DAY) -> bytes:
        leaf = self._sign(named(""), public_key, self.certificate.subject, self.key, names, start, end)
        return leaf.public_bytes(Encoding.PEM) + self.certificate.public_bytes(Encoding.PEM)

    def pair(self, names=(HOST,), key=None, **times) -> tuple[bytes, bytes]:
        """(chain, key), both PEM."""
        key = key or ecdsa()
        return self.issue(key.public_key(), names, **times), key_pem(key)

    def certify(self, csr_pem: bytes, **times) -> bytes:
        """What a CA does with a request."""
        csr = x509.load_pem_x509_csr(csr_pem)
        assert csr.is_signature_valid
        names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return self.issue(csr.public_key(), names.get_values_for_type(x509.DNSName), **times)

    @staticmethod
    def _sign(subject, public_key, issuer, key, names=(), start=NOW - 90 * DAY, end=NOW + 900 * DAY):
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
        builder = builder.add_extension(x509.BasicConstraints(not names, None), critical=True)
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
        builder = builder.add_extension(above, critical=False)
        if not names:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)  # certificates and CRLs
            builder = builder.add_extension(usage, critical=True)
        if names:
            alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
            builder = builder.add_extension(alternatives, critical=True)
        return builder.sign(key, hashes.SHA256())


def spki(key) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
