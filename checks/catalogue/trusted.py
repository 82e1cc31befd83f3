"""The subtests of certificates, CAA and DANE. Pure.

Standards: RFC 5280, RFC 9525 (names), RFC 8659 (CAA), RFC 6698, 7671 and 7672 (DANE); thresholds: NCSC-NL 2025-05.
Fails by: nothing.
"""

from __future__ import annotations

from checks.catalogue.subtest import Level, Subtest
from checks.finding import Status

_FAIL, _INFO, _NOTICE = Status.FAIL, Status.INFO, Status.NOTICE
_REQUIRED, _OPTIONAL = Level.REQUIRED, Level.OPTIONAL

CERTIFICATES = (
    Subtest(
        "cert_trust",
        "tls",
        "mail_starttls_cert_chain",
        "The certificate is from a known authority",
        _OPTIONAL,
        _INFO,
        _INFO,
        10,
        "The chain leads to a root of the public store. Between mail servers DANE decides; MTA-STS needs this one.",
        "RFC 5280 6, RFC 8461 4.2",
        "Serve the whole chain of a certificate from a public authority (`mailsrv cert issue`).",
    ),
    Subtest(
        "cert_pubkey",
        "tls",
        "mail_starttls_cert_pubkey",
        "The certificate's keys are strong",
        _REQUIRED,
        _FAIL,
        _INFO,
        10,
        "Keys of all certificates below the root: RSA from 3072 bits (from 2048 to be phased out), P-256 and up, Ed25519, Ed448.",
        "NCSC-NL 2025-05",
        "Where it is the host's own key: take a new certificate with a P-256 key (or RSA of 3072 bits). Where it is an intermediate of the "
        "authority: choose another of its chains, if it offers one; a new certificate alone does not help.",
    ),
    Subtest(
        "cert_signature",
        "tls",
        "mail_starttls_cert_sig",
        "The certificate's signatures are strong",
        _REQUIRED,
        _FAIL,
        _INFO,
        10,
        "All certificates below the root are signed with SHA-256, SHA-384 or SHA-512, or with Ed25519 or Ed448.",
        "NCSC-NL 2025-05",
        "Take a new certificate, and serve the authority's current intermediate with it.",
    ),
    Subtest(
        "cert_hostmatch",
        "tls",
        "mail_starttls_cert_domain",
        "The certificate has the mail server's name",
        _OPTIONAL,
        _INFO,
        _INFO,
        10,
        "One of the certificate's DNS names is the MX host's. MTA-STS needs it, and DANE with usage 2; usage 3 does not.",
        "RFC 9525, RFC 7672 3.2.3",
        "Take a certificate whose subjectAltName has the name that stands in the MX record.",
    ),
    Subtest(
        "mail_caa",
        "tls",
        "mail_starttls_tls_caa",
        "Only chosen authorities may issue (CAA)",
        Level.RECOMMENDED,
        _NOTICE,
        _NOTICE,
        10,
        "A CAA record at the mail server's name, or above it, says which authorities may issue certificates for it.",
        "RFC 8659, RFC 8657",
        'Publish `CAA 0 issue "letsencrypt.org"` (or whose certificates you use) at the domain, and nothing unknown beside it.',
    ),
    Subtest(
        "dane_exists",
        "tls",
        "mail_starttls_dane_exist",
        "DANE: there are TLSA records",
        _REQUIRED,
        _FAIL,
        _INFO,
        10,
        "At `_25._tcp.` and the mail server's name stand signed TLSA records of usage 3 or 2, so that nobody in between can strip TLS.",
        "RFC 7672",
        "Sign the zone, and publish `TLSA 3 1 1` of the server's key at `_25._tcp.HOST` (`mailsrv tlsa reconcile`).",
    ),
    Subtest(
        "dane_valid",
        "tls",
        "mail_starttls_dane_valid",
        "DANE: the records fit the certificate",
        _REQUIRED,
        _FAIL,
        _INFO,
        10,
        "One of the TLSA records fits the certificate that the server shows. When none does, careful senders stop delivering.",
        "RFC 7672 3.1",
        "At once: publish the TLSA record of the key that is served now (`mailsrv tlsa reconcile`).",
    ),
    Subtest(
        "dane_rollover",
        "tls",
        "mail_starttls_dane_rollover",
        "DANE: ready for the next key",
        _OPTIONAL,
        _INFO,
        _INFO,
        None,
        "Beside the record of the current key stands that of the next one, or of the authority, so that a new certificate never meets "
        "old records.",
        "RFC 7671 8.1, RFC 7672 3.1",
        "Publish a second record: `3 1 1` of the next key (mailsrv does it by itself), or `2 1 1` of the authority.",
    ),
)
