"""A certificate chain as a value: parsed, checked, hashed into TLSA associations. Pure.

Standards: RFC 5280, RFC 6698 2.1 (what each usage, selector and matching type stands for), RFC 6125 6.4 (names).
Fails by: `ForUser` for PEM that is none; `flaws` lists what is wrong with a chain that parses.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from itertools import islice, pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from dnsops.base.errors import ForUser
from dnsops.records.tlsa import Tlsa, flaw

LARGEST_PEM = 1 << 20
LONGEST_CHAIN = 16
_BEGIN = b"-----BEGIN CERTIFICATE-----"
_BEGIN_KEY = re.compile(rb"-----BEGIN ((?:[A-Z]+ )?PRIVATE KEY)-----")
_BROKEN = (ValueError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


@dataclass(frozen=True)
class Chain:
    """DER certificates, leaf first. `where` says for people where it was found."""

    certificates: tuple[bytes, ...]
    where: str = ""

    @cached_property
    def leaf(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.certificates[0])

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The leaf's DNS names, lower case."""
        try:
            extension = self.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except x509.ExtensionNotFound:
            return ()
        return tuple(name.lower() for name in extension.value.get_values_for_type(x509.DNSName))

    @property
    def not_before(self) -> datetime:
        return self.leaf.not_valid_before_utc

    @property
    def not_after(self) -> datetime:
        return self.leaf.not_valid_after_utc

    @cached_property
    def spki(self) -> bytes:
        """The leaf's SubjectPublicKeyInfo, DER."""
        return spki_of(self.leaf)

    def covers(self, host: str) -> bool:
        """Whether the leaf is for this host (RFC 6125 6.4.3: a wildcard stands for one whole left-most label)."""
        parent = "*." + host.partition(".")[2]
        return host in self.names or parent in self.names


def spki_of(certificate: x509.Certificate) -> bytes:
    """The certificate's SubjectPublicKeyInfo, byte for byte.

    Cut out, not loaded and written anew: that would spell RSASSA-PSS keys and compressed points otherwise, and the
    hash would be another one. RFC 5280 4.1: version (perhaps), serial, algorithm, issuer, validity, subject, then it.
    """
    tbs = certificate.tbs_certificate_bytes
    at, _ = _element(tbs, 0)
    before = 6 if tbs[at] == 0xA0 else 5
    for _ in range(before):
        _, at = _element(tbs, at)
    return tbs[at : _element(tbs, at)[1]]


def _element(der: bytes, at: int) -> tuple[int, int]:
    """Where the content of the DER element at `at` begins and ends (X.690 8.1.3); cryptography has checked it before."""
    length, content = der[at + 1], at + 2
    if length & 0x80:
        octets = length & 0x7F
        length, content = int.from_bytes(der[content : content + octets], "big"), content + octets
    return content, content + length


def key_name(chain: Chain) -> str:
    """The kind of the leaf's key, for people: `ECDSA P-256`, `RSA 2048`."""
    try:
        key = chain.leaf.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "of a kind unknown here"
    match key:
        case rsa.RSAPublicKey():
            return f"RSA {key.key_size}"
        case ec.EllipticCurvePublicKey():
            return "ECDSA " + {"secp256r1": "P-256", "secp384r1": "P-384"}.get(key.curve.name, key.curve.name)
        case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
            return type(key).__name__.removesuffix("PublicKey")
    return type(key).__name__.removesuffix("PublicKey")


def from_pem(data: bytes, where: str) -> Chain:
    """The certificates of a PEM text, in its order; private keys in it are passed over."""
    if len(data) > LARGEST_PEM:
        raise ForUser(f"larger than {LARGEST_PEM} bytes: no certificate chain is", where)
    if _BEGIN not in data:
        raise ForUser("holds no PEM certificate", where, "name the file with BEGIN CERTIFICATE in it")
    try:
        found = x509.load_pem_x509_certificates(data)
    except ValueError:
        found = []
    if len(found) < data.count(_BEGIN):  # a last one that is cut off would be passed over in silence
        raise ForUser("a PEM certificate in it is damaged or cut off", where, "fetch it anew")
    return from_der((certificate.public_bytes(Encoding.DER) for certificate in found), where)


def from_der(certificates: Iterable[bytes], where: str) -> Chain:
    """DER certificates, leaf first. What a Chain offers can be read without a thought afterwards."""
    chain = Chain(tuple(islice(certificates, LONGEST_CHAIN + 1)), where)
    if not chain.certificates:
        raise ForUser("no certificate", where)
    if len(chain.certificates) > LONGEST_CHAIN:
        raise ForUser(f"more than {LONGEST_CHAIN} certificates: not one host's chain", where)
    if sum(map(len, chain.certificates)) > LARGEST_PEM:
        raise ForUser(f"larger than {LARGEST_PEM} bytes: no certificate chain is", where)
    try:
        for der in chain.certificates:
            x509.load_der_x509_certificate(der)
        _ = chain.names, chain.not_before, chain.not_after
    except _BROKEN:
        raise ForUser("not a certificate, or a damaged one", where) from None
    return chain


def check_key(chain: Chain, pem: bytes, where: str) -> None:
    """Refuse a PEM text whose private key is another certificate's; a text with no key, or an encrypted one, passes.

    Nothing of the key is kept, and nothing of it is in the error.
    """
    begin = _BEGIN_KEY.search(pem)
    if not begin or begin[1].startswith(b"ENCRYPTED"):
        return
    end = pem.find(b"-----END " + begin[1] + b"-----", begin.end())
    if end < 0:
        raise ForUser("the private key in it is cut off", where, "fetch it anew")
    if key_spki(pem[begin.start() : end] + b"-----END " + begin[1] + b"-----\n", where) != _public_half(chain):
        raise ForUser(
            "key mismatch: the private key there is not the certificate's", where, "put the pair together anew"
        )


def _public_half(chain: Chain) -> bytes:
    """The leaf's key in the spelling that `key_spki` uses; empty when this library cannot load it."""
    try:
        return chain.leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return b""


def key_spki(pem: bytes, where: str) -> bytes:
    """The public half (SubjectPublicKeyInfo, DER) of a PEM private key."""
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ForUser("not an unencrypted PEM private key", where) from None
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@lru_cache(maxsize=1024)  # one look compares each certificate with each record
def association(der: bytes, usage: int = 3, selector: int = 1, matching: int = 1) -> Tlsa:
    """The TLSA record for a certificate (RFC 6698 2.1). Never a record that `flaw` would refuse."""
    data = der if selector == 0 else spki_of(x509.load_der_x509_certificate(der))
    return spki_association(data, usage, matching, selector)


def spki_association(data: bytes, usage: int = 3, matching: int = 1, selector: int = 1) -> Tlsa:
    """The TLSA record for bytes that the selector already chose: a certificate (0) or a public key (1), DER."""
    if not data:
        raise ValueError("nothing to hash")
    record = Tlsa(usage, selector, matching, _digest(data, matching))
    problem = flaw(record)
    if problem:
        raise ValueError(f"TLSA {record.short}: {problem}")
    return record


def _digest(data: bytes, matching: int) -> bytes:
    match matching:
        case 0:
            return data
        case 1:
            return hashlib.sha256(data).digest()
        case 2:
            return hashlib.sha512(data).digest()
    raise ValueError(f"matching type {matching} does not exist")


def matches(record: Tlsa, chain: Chain) -> bool:
    """Whether a chain that a port shows satisfies a record: usage 3 the leaf, usage 2 an issuer (RFC 7671 5.1, 5.2)."""
    if flaw(record):
        return False
    candidates = chain.certificates[:1] if record.usage == 3 else chain.certificates[1:] or chain.certificates[:1]
    return any(association(der, record.usage, record.selector, record.matching) == record for der in candidates)


def flaws(chain: Chain, host: str, now: datetime) -> list[str]:
    """What is wrong with a chain for a host, as sentences; empty when nothing is."""
    found = []
    if not chain.covers(host):
        names = ", ".join(chain.names[:5]) or "no DNS name at all"
        found.append(f"the certificate is not for {host} but for {names}")
    if now >= chain.not_after:
        found.append(f"the certificate expired on {chain.not_after:%Y-%m-%d %H:%M} UTC")
    if now < chain.not_before:
        found.append(f"the certificate is not valid before {chain.not_before:%Y-%m-%d %H:%M} UTC")
    return found


def disorder(chain: Chain) -> list[str]:
    """Whether each certificate was issued by the one after it, as a sentence (RFC 8446 4.4.2)."""
    loaded = [x509.load_der_x509_certificate(der) for der in chain.certificates]
    for position, (issued, issuer) in enumerate(pairwise(loaded), start=1):
        try:
            issued.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            return [f"certificate {position} of the chain was not issued by the one after it"]
    return []
