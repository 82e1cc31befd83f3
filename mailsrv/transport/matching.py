"""Whether a peer's certificates match TLSA records. Pure; the work is OpenSSL's, through pyOpenSSL.

    3 x x   the peer's own certificate or key, and nothing else: no name, no date (RFC 7671 5.1, RFC 7672 3.1.1)
    2 x x   a chain to the authority that the record means, for one of the names, valid today (RFC 7671 5.2, RFC 7672 3.1.2)

An authority that the record holds whole (2 0 0: its certificate, 2 1 0: its key) need not be in the chain.
Limits: 16 certificates, 8 records of 2 1 0 (each costs signature checks).
Fails by: a `Mismatch`, never by an exception, whatever the peer sends.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dnsops.base.errors import ForUser
from dnsops.certs.chain import LONGEST_CHAIN, Chain, association, from_der
from dnsops.records.tlsa import Tlsa
from mailsrv.transport.outcome import Trouble

if TYPE_CHECKING:
    from cryptography import x509

MOST_KEYS = 8
_EARLY, _LATE = 9, 10  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
_MAIL_PURPOSES = {"1.3.6.1.5.5.7.3.1", "2.5.29.37.0"}  # RFC 5280 4.2.1.12: serverAuth, any


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why not: for the TLS report, and for a person."""

    trouble: Trouble
    details: str


def mismatch(
    certificates: Sequence[bytes], records: Sequence[Tlsa], names: Collection[str], now: datetime
) -> Mismatch | None:
    """None when the chain (DER, the peer's own first) satisfies one of the records; else why none of them holds."""
    if not certificates:
        return Mismatch(Trouble.VALIDATION_FAILURE, "it shows no certificate")
    if any(record.usage == 3 and _stands_for(record, certificates[0]) for record in records):
        return None
    authorities = [record for record in records if record.usage == 2]
    if not authorities:
        return Mismatch(Trouble.VALIDATION_FAILURE, "its key is none of those in its TLSA records")
    try:
        chain = from_der(certificates[:LONGEST_CHAIN], "the peer")
    except ForUser as error:
        return Mismatch(Trouble.VALIDATION_FAILURE, f"its certificates cannot be read: {error.what}")
    return _not_anchored(chain, _anchors(chain, authorities), now) or _not_named(chain, names)


def _stands_for(record: Tlsa, der: bytes) -> bool:
    """Whether the record means this certificate."""
    from cryptography import x509

    try:
        return association(der, record.usage, record.selector, record.matching) == record
    except (ValueError, x509.InvalidVersion):
        return False


def _anchors(chain: Chain, records: Sequence[Tlsa]) -> list[bytes]:
    """The certificates that the records make trustworthy; a lone certificate may be its own authority."""
    above = chain.certificates[1:] or chain.certificates
    found = [der for der in above if any(_stands_for(record, der) for record in records)]
    whole = [record.data for record in records if (record.selector, record.matching) == (0, 0)]
    found += [der for der in whole if der != chain.certificates[0]]
    keys = [record.data for record in records if (record.selector, record.matching) == (1, 0)][:MOST_KEYS]
    found += [der for der in chain.certificates if any(_signed_by(key, der) for key in keys)]
    return list(dict.fromkeys(found))


def _signed_by(spki: bytes, der: bytes) -> bool:
    """Whether a certificate's signature was made by a bare key (RFC 7671 5.2.2: its own certificate may be missing)."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key, certificate = load_der_public_key(spki), x509.load_der_x509_certificate(der)
        signature, signed, hashed = certificate.signature, certificate.tbs_certificate_bytes, None
        hashed = certificate.signature_hash_algorithm
        how = certificate.signature_algorithm_parameters
        if isinstance(key, rsa.RSAPublicKey) and hashed and not isinstance(how, ec.ECDSA) and how is not None:
            key.verify(signature, signed, how, hashed)
        elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(how, ec.ECDSA):
            key.verify(signature, signed, how)
        elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            key.verify(signature, signed)
        else:
            return False
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _not_anchored(chain: Chain, anchors: Sequence[bytes], now: datetime) -> Mismatch | None:
    """Whether OpenSSL builds no chain from the peer's certificate to one of these and to nothing else."""
    from OpenSSL import crypto

    store = crypto.X509Store()
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
    store.set_time(now)
    try:
        for der in anchors:
            store.add_cert(_loaded(der))
        leaf, *others = [_loaded(der) for der in chain.certificates]
        if not anchors:
            return Mismatch(
                Trouble.CERTIFICATE_NOT_TRUSTED, "no authority in its TLSA records has issued its certificate"
            )
        crypto.X509StoreContext(store, leaf, others).verify_certificate()
    except crypto.X509StoreContextError as error:
        expired = bool(error.errors) and error.errors[0] in (_EARLY, _LATE)
        trouble = Trouble.CERTIFICATE_EXPIRED if expired else Trouble.CERTIFICATE_NOT_TRUSTED
        return Mismatch(trouble, f"its certificate does not hold: {error}")
    except crypto.Error:
        return Mismatch(Trouble.VALIDATION_FAILURE, "its certificates, or those in its TLSA records, cannot be read")
    return None


def prepare() -> None:
    """Read the libraries in now: who serves mail may not be allowed to, later."""
    from cryptography import x509  # noqa: F401
    from OpenSSL import crypto  # noqa: F401


def _loaded(der: bytes):  # type: ignore[no-untyped-def]
    from OpenSSL import crypto

    return crypto.load_certificate(crypto.FILETYPE_ASN1, der)


def _not_named(chain: Chain, names: Collection[str]) -> Mismatch | None:
    """RFC 7672 3.2.3: one of the names, a wildcard for one whole label; the common name only where no DNS name stands."""
    shown = chain.names or _common_names(chain.leaf)
    if not any(name in shown or f"*.{name.partition('.')[2]}" in shown for name in names):
        said = ", ".join(sorted(shown)[:5]) or "nobody"
        return Mismatch(Trouble.CERTIFICATE_HOST_MISMATCH, f"its certificate is for {said}, not for {', '.join(names)}")
    if not _for_servers(chain.leaf):
        return Mismatch(Trouble.CERTIFICATE_NOT_TRUSTED, "its certificate is not one for servers")
    return None


def _common_names(leaf: x509.Certificate) -> tuple[str, ...]:
    from cryptography.x509.oid import NameOID

    return tuple(str(entry.value).lower() for entry in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME))


def _for_servers(leaf: x509.Certificate) -> bool:
    from cryptography import x509

    try:
        purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return any(purpose.dotted_string in _MAIL_PURPOSES for purpose in purposes)
