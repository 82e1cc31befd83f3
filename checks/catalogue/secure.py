"""The subtests of STARTTLS: versions, suites, keys, hashes. Pure.

Standards: RFC 3207, RFC 8446, RFC 9325, and NCSC-NL's TLS guidelines of 2025-05, whose thresholds are internet.nl's.
Fails by: nothing.
"""

from __future__ import annotations

from checks.catalogue.subtest import Level, Subtest
from checks.finding import Status

_FAIL, _INFO = Status.FAIL, Status.INFO


def _required(name: str, api: str, title: str, meaning: str, standard: str, mend: str) -> Subtest:
    return Subtest(
        name, "tls", f"mail_starttls_tls_{api}", title, Level.REQUIRED, _FAIL, _INFO, 10, meaning, standard, mend
    )


TLS = (
    _required(
        "starttls_exists",
        "available",
        "STARTTLS works",
        "The mail server offers STARTTLS on port 25, and a handshake succeeds. Without it mail travels in the clear.",
        "RFC 3207",
        "Switch STARTTLS on with a certificate (smtpd_tls_security_level=may in Postfix), open port 25, and let the server speak TLS "
        "1.2 or 1.3 with X25519 or P-256.",
    ),
    _required(
        "tls_version",
        "version",
        "Only new versions of TLS",
        "TLS 1.2 and 1.3 only. SSL, TLS 1.0 and 1.1 have known attacks and no modern suites.",
        "RFC 8996, RFC 9325 3.1.1",
        "Set the oldest version to TLS 1.2 (ssl_min_protocol, smtpd_tls_protocols = >=TLSv1.2).",
    ),
    _required(
        "tls_ciphers",
        "ciphers",
        "Only good cipher suites",
        "Suites with forward secrecy and authenticated encryption: AES-GCM or ChaCha20 behind ECDHE. CBC with SHA-1, RSA key "
        "exchange, 3DES, RC4 are not enough; CBC with SHA-2 and DHE are to be phased out.",
        "RFC 9325 4.2; NCSC-NL 2025-05",
        "Allow `ECDHE+AESGCM:ECDHE+CHACHA20` for TLS 1.2; TLS 1.3's own suites are right but for CCM_8.",
    ),
    _required(
        "tls_cipher_order",
        "cipherorder",
        "The server prefers better suites",
        "When a client puts a suite to be phased out first, the server still chooses a better one that both know.",
        "RFC 9325 4.2; NCSC-NL 2025-05",
        "Let the server choose (tls_preempt_cipherlist = yes, SSL_OP_CIPHER_SERVER_PREFERENCE), or offer good suites only.",
    ),
    _required(
        "fs_params",
        "keyexchange",
        "Strong parameters of the key exchange",
        "Ephemeral keys on X25519, X448, P-256, P-384, P-521 or Brainpool; of finite fields only RFC 7919's groups from 3072 bits, "
        "and those are to be phased out.",
        "RFC 7919, RFC 8422; NCSC-NL 2025-05",
        "Offer X25519, P-256 and P-384 only, and switch DHE off.",
    ),
    _required(
        "kex_hash_func",
        "keyexchangehash",
        "No old hashes in the key exchange",
        "The server does not sign its key exchange with SHA-1 or SHA-224, even when a client offers nothing else.",
        "RFC 9155, RFC 9325 4.2.1",
        "Restrict SignatureAlgorithms in the OpenSSL configuration to SHA-256 and up: "
        "`ECDSA+SHA256:ECDSA+SHA384:RSA-PSS+SHA256:RSA+SHA256:ed25519`.",
    ),
    _required(
        "tls_compression",
        "compress",
        "No compression in TLS",
        "Compression inside TLS tells lengths and so secrets (CRIME).",
        "RFC 9325 3.3",
        "Switch TLS compression off (SSL_OP_NO_COMPRESSION; off in every current library).",
    ),
    _required(
        "renegotiation_secure",
        "secreneg",
        "Renegotiation is bound to the connection",
        "The server knows the extension that binds a renegotiation to what was before, or speaks TLS 1.3 only.",
        "RFC 5746",
        "Update the TLS library, and do not switch safe renegotiation off.",
    ),
    Subtest(
        "renegotiation_client",
        "tls",
        "mail_starttls_tls_clientreneg",
        "Clients cannot renegotiate at will",
        Level.RECOMMENDED,
        _INFO,
        _INFO,
        10,
        "A client that may ask for new handshakes without end makes the server work much for little.",
        "RFC 9325 3.4",
        "Switch renegotiation by clients off (SSL_OP_NO_RENEGOTIATION), or speak TLS 1.3 only.",
    ),
    _required(
        "extended_master_secret",
        "extendedmastersecret",
        "Extended master secret at TLS 1.2",
        "The keys of a TLS 1.2 connection are bound to its whole handshake.",
        "RFC 7627, RFC 9325 3.5",
        "Do not switch ExtendedMasterSecret off; update a library that does not know it.",
    ),
    _required(
        "zero_rtt",
        "0rtt",
        "No early data",
        "Early data of TLS 1.3 can be replayed. internet.nl does not look any more at mail servers; the strict column does.",
        "RFC 8446 8, RFC 9325 3.6",
        "Switch early data off (max_early_data 0).",
    ),
)
