"""The certificates that a mail host shows: keys, signatures, trust, name. Pure; reading is cryptography's.

Every certificate but roots is judged (reference internet.nl 6.2, 6.4). Limits: MOST of a chain.
Fails by: nothing; a certificate that cannot be read is insufficient.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from checks.catalogue import by_id
from checks.facts.tls import Tls
from checks.finding import Finding, Status
from checks.judge import thresholds
from checks.judge.thresholds import Grade
from dnsops.base.printable import printable

MOST = 16
FULL, NONE = 10, 0
_BROKEN = (ValueError, UnsupportedAlgorithm, x509.InvalidVersion)
_SHOWN = {Grade.INSUFFICIENT: (Status.FAIL, "bad", NONE), Grade.PHASE_OUT: (Status.NOTICE, "phase-out", FULL)}
_GOOD = (Status.GOOD, "good", FULL)
THEIRS = "the host's own certificate is fine; it is the authority's intermediate that is to be phased out"
ELSEWHERE = (
    "A new certificate from the same chain does not help: choose another chain of the authority where it offers one (RFC 8555 7.4.2, "
    "`alternate`; certbot --preferred-chain), or wait until it issues from a new intermediate. DANE-EE (3 1 1) does not look at it."
)


@dataclass(frozen=True, slots=True)
class Read:
    """What counts of one certificate. subject: for people."""

    subject: str
    key: Grade
    key_words: str
    signature: Grade
    signature_words: str


def read(der: bytes) -> Read:
    """Of a certificate in DER."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        subject = printable(certificate.subject.rfc4514_string())[:200] or "a certificate without a subject"
        oid = certificate.signature_algorithm_oid
    except _BROKEN as error:
        return Read("a certificate", Grade.INSUFFICIENT, f"unreadable: {error}", Grade.INSUFFICIENT, "unreadable")
    signature = thresholds.SIGNATURES.get(oid.dotted_string, Grade.INSUFFICIENT)
    return Read(subject, *_key(certificate), signature, oid._name)


def _key(certificate: x509.Certificate) -> tuple[Grade, str]:
    try:
        key = certificate.public_key()
    except _BROKEN:
        return Grade.INSUFFICIENT, "a key of an unknown kind"
    match key:
        case rsa.RSAPublicKey():
            return _rsa(key.key_size), f"RSA {key.key_size}"
        case ec.EllipticCurvePublicKey():
            name = key.curve.name
            return thresholds.CURVE_KEYS.get(name.lower(), Grade.INSUFFICIENT), f"ECDSA {name}"
        case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
            return Grade.GOOD, type(key).__name__.removesuffix("PublicKey")
        case dsa.DSAPublicKey():
            return Grade.INSUFFICIENT, f"DSA {key.key_size}"
    return Grade.INSUFFICIENT, "a key of an unknown kind"


def _rsa(bits: int) -> Grade:
    if bits >= thresholds.RSA_GOOD:
        return Grade.GOOD
    return Grade.PHASE_OUT if bits >= thresholds.RSA_LEAST else Grade.INSUFFICIENT


def findings(tls: Tls, anchored: bool, other_chains: bool = True) -> tuple[Finding, ...]:
    """cert_trust, cert_pubkey, cert_signature, cert_hostmatch. anchored: a TLSA record of usage 2 is published.

    other_chains: judge the wide client's chains too, in the strict column.
    """
    if not tls.chain:
        return (
            by_id("cert_trust").untested("could-not-test"),
            *(by_id(name).untested() for name in ("cert_pubkey", "cert_signature", "cert_hostmatch")),
        )
    seen = [read(der) for der in _judged(tls)]
    wide = [read(chain[0]) for chain in tls.wide_chains if chain] if other_chains else []
    return (
        _trust(tls),
        _graded("cert_pubkey", tls, [(one.subject, one.key, one.key_words) for one in seen], wide),
        _graded("cert_signature", tls, [(one.subject, one.signature, one.signature_words) for one in seen], wide),
        _name(tls, anchored),
    )


def _judged(tls: Tls) -> list[bytes]:
    roots = tls.roots + (False,) * len(tls.chain)
    return [der for der, root in zip(tls.chain[:MOST], roots, strict=False) if not root]


def _trust(tls: Tls) -> Finding:
    status, verdict, points = _GOOD if tls.trusted else (Status.FAIL, "bad", NONE)
    details = () if tls.trusted else (tls.trust_why or "the chain does not lead to a known root",)
    return by_id("cert_trust").finding(status, verdict, points, host=tls.host, details=details)


def _graded(name: str, tls: Tls, seen: list[tuple[str, Grade, str]], wide: list[Read]) -> Finding:
    worst = min((grade for _, grade, _ in seen), default=Grade.GOOD)
    status, verdict, points = _SHOWN.get(worst, _GOOD)
    details = [f"{subject}: {words}" for subject, grade, words in seen if grade < Grade.SUFFICIENT]
    others = [(one.subject, one.key if name == "cert_pubkey" else one.signature) for one in wide]
    also = min((grade for _, grade in others), default=Grade.GOOD)
    strict = _SHOWN[also][0] if also < min(worst, Grade.SUFFICIENT) else None
    told = [f"its other certificate, {subject}" for subject, grade in others if grade is also and strict]
    theirs = worst is Grade.PHASE_OUT and seen[0][1] >= Grade.SUFFICIENT
    if theirs and strict is None:
        strict, told = Status.INFO, [THEIRS]
    return by_id(name).finding(
        status,
        verdict,
        points,
        host=tls.host,
        details=details,
        fix=ELSEWHERE if theirs and strict is Status.INFO else "",
        strict=strict,
        strict_details=told,
    )


def _name(tls: Tls, anchored: bool) -> Finding:
    if tls.name_matches:
        return by_id("cert_hostmatch").finding(*_GOOD, host=tls.host)
    return by_id("cert_hostmatch").finding(
        Status.FAIL,
        "bad",
        NONE if anchored else FULL,
        override=anchored,
        host=tls.host,
        details=(f"none of the certificate's names is {tls.host}",),
    )
