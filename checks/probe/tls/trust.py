"""Whether a chain leads to a root that we trust, for a name, today; and whether the name stands in the certificate.

Standards: RFC 5280 6 as the web's authorities keep it (CA/Browser Forum), RFC 6125 6.4 (names; the common name does not count).
The work is cryptography's verifier, the one that the site's scanner uses. Limits: chains as `flight` bounds them.
Fails by: a sentence. A bundle that cannot be read is a ForUser.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification

from dnsops.base.errors import ForUser
from dnsops.base.printable import printable
from dnsops.certs.chain import Chain

SYSTEM = Path("/etc/ssl/certs/ca-certificates.crt")
LARGEST_BUNDLE = 8 << 20
_BEGIN = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_BROKEN = (ValueError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


@dataclass(frozen=True)
class Roots:
    """The certificates that are trusted by themselves."""

    ders: frozenset[bytes]
    store: verification.Store | None

    def has(self, der: bytes) -> bool:
        return der in self.ders


@cache
def read_roots(*paths: Path) -> Roots:
    """The certificates of some PEM files; those that cannot be read are passed over. Raises ForUser."""
    found: dict[bytes, x509.Certificate] = {}
    for path in paths or (SYSTEM,):
        for pem in _BEGIN.findall(_content(path)):
            try:
                with warnings.catch_warnings(
                    action="ignore"
                ):  # old roots have odd serial numbers: nobody here can mend them
                    certificate = x509.load_pem_x509_certificate(pem)
            except ValueError:
                continue
            found[certificate.public_bytes(Encoding.DER)] = certificate
    return Roots(frozenset(found), verification.Store(list(found.values())) if found else None)


def distrust(chain: Sequence[bytes], host: str, roots: Roots, now: datetime) -> str:
    """Why a chain (DER, the host's own first) is not trusted for a host; "" when it is."""
    if not chain or roots.store is None:
        return "there is no certificate" if not chain else "no root is trusted here"
    try:
        leaf, *others = [x509.load_der_x509_certificate(der) for der in chain]
        builder = verification.PolicyBuilder().store(roots.store).time(now)
        builder.build_server_verifier(x509.DNSName(host)).verify(leaf, others)
    except (verification.VerificationError, *_BROKEN) as error:
        return printable(str(error).partition("\n")[0]) or type(error).__name__
    return ""


def named(chain: Sequence[bytes], host: str) -> bool:
    """Whether the host's own certificate is for it: a DNS name of its SAN; a wildcard for one whole label, not under a TLD."""
    if not chain:
        return False
    try:
        names = Chain((chain[0],)).names
    except _BROKEN:
        return False
    parent = host.partition(".")[2]
    return host in names or ("." in parent and f"*.{parent}" in names)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_BUNDLE)
    except OSError as error:
        raise ForUser(
            f"the trusted roots cannot be read: {error.strerror}", str(path), "install ca-certificates"
        ) from None
