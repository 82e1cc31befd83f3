"""The lab's certificate authority, made anew each time: for the HTTPS of the API and of pebble, and for mail servers.

Standard: RFC 5280. The keys are P-256; nothing in here is ever trusted outside the lab.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from tests.lab.network import ACME, CLOUDFLARE

API_NAMES = ("api.cloudflare.com", "acme.lab", "localhost", CLOUDFLARE, ACME, "127.0.0.1")


@dataclass(frozen=True)
class Credentials:
    """A private key and its chain, leaf first, as PEM."""

    key: bytes
    chain: bytes

    @property
    def association(self) -> str:
        """The TLSA 3 1 1 record that stands for the key (RFC 6698 2.1)."""
        leaf = x509.load_pem_x509_certificate(self.chain)
        spki = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        digest = hashes.Hash(hashes.SHA256())
        digest.update(spki)
        return f"3 1 1 {digest.finalize().hex()}"

    def write(self, directory: Path, name: str) -> tuple[Path, Path]:
        """NAME.pem and NAME.key; gives their paths."""
        directory.mkdir(parents=True, exist_ok=True)
        chain, key = directory / f"{name}.pem", directory / f"{name}.key"
        for path, content, mode in ((chain, self.chain, 0o644), (key, self.key, 0o600)):
            path.touch(mode=mode)
            path.write_bytes(content)
        return chain, key


class Pki:
    """The authority. `ca` is the file to trust, `api` chain and key of the lab's HTTPS services."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "pki"
        self.directory.mkdir(parents=True, exist_ok=True)
        self._key, self._name = new_key(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Lab CA")])
        self.ca = self.directory / "ca.pem"
        self.ca.write_bytes(self._authority().public_bytes(Encoding.PEM))
        self.api = self.issue(API_NAMES).write(self.directory, "api")

    @property
    def trusted(self) -> dict[str, str]:
        """Environment for clients that shall trust the lab: OpenSSL, Go and httpx; requests."""
        return {"SSL_CERT_FILE": str(self.ca), "REQUESTS_CA_BUNDLE": str(self.ca), "LEGO_CA_CERTIFICATES": str(self.ca)}

    def __enter__(self) -> Self:
        """This process and its children trust the lab's HTTPS from now on."""
        self._before = {name: os.environ.get(name) for name in self.trusted}
        os.environ.update(self.trusted)
        return self

    def __exit__(self, *_: object) -> None:
        for name, value in self._before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value

    def issue(
        self, names: Iterable[str], key: EllipticCurvePrivateKey | None = None, life: timedelta = timedelta(days=90)
    ) -> Credentials:
        """A leaf for these names and addresses. A negative life gives one that has expired."""
        key, now = key or new_key(), datetime.now(UTC)
        start = min(now, now + life) - timedelta(hours=1)
        builder = self._builder(x509.Name([]), key, start, now + life)
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=True)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        leaf = builder.sign(self._key, hashes.SHA256())
        return Credentials(key_pem(key), leaf.public_bytes(Encoding.PEM))

    def _authority(self) -> x509.Certificate:
        now = datetime.now(UTC)
        usage = dict.fromkeys(KEY_USAGE, False) | {"key_cert_sign": True, "crl_sign": True}
        builder = self._builder(self._name, self._key, now - timedelta(hours=1), now + timedelta(days=30))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        return builder.add_extension(x509.KeyUsage(**usage), critical=True).sign(self._key, hashes.SHA256())

    def _builder(
        self, subject: x509.Name, key: EllipticCurvePrivateKey, start: datetime, end: datetime
    ) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
        ours, issuers = key.public_key(), self._key.public_key()
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(ours), critical=False)
        return builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuers), critical=False)


KEY_USAGE = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def new_key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


def key_pem(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
