"""Which suites, groups, keys, signatures and versions are good enough: NCSC-NL's TLS guidelines of 2025-05 as data. Pure.

Tables of reference internet.nl 6, by IANA names. What stands in none of the lists is insufficient.
"""

from __future__ import annotations

from enum import IntEnum

from checks.facts.tls import Key, Version


class Grade(IntEnum):
    """Worst first."""

    INSUFFICIENT = 0
    PHASE_OUT = 1
    SUFFICIENT = 2
    GOOD = 3


VERSIONS = {Version.TLS13: Grade.GOOD, Version.TLS12: Grade.SUFFICIENT}

_GOOD = ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
_SUFFICIENT = (
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_128_CCM_SHA256",
    *(
        f"TLS_ECDHE_ECDSA_WITH_{cipher}"
        for cipher in (
            "CHACHA20_POLY1305_SHA256",
            "AES_256_GCM_SHA384",
            "AES_256_CCM",
            "AES_128_GCM_SHA256",
            "AES_128_CCM",
        )
    ),
    *(
        f"TLS_ECDHE_RSA_WITH_{cipher}"
        for cipher in ("CHACHA20_POLY1305_SHA256", "AES_256_GCM_SHA384", "AES_128_GCM_SHA256")
    ),
)
_ECDHE_PHASE_OUT = (
    *(
        f"{cipher}_{mode}"
        for cipher in ("CAMELLIA", "ARIA")
        for mode in ("256_GCM_SHA384", "256_CBC_SHA384", "128_GCM_SHA256", "128_CBC_SHA256")
    ),
    "AES_256_CBC_SHA384",
    "AES_128_CBC_SHA256",
)
_DHE_PHASE_OUT = (
    "CHACHA20_POLY1305_SHA256",
    "AES_256_GCM_SHA384",
    "AES_256_CCM",
    "AES_256_CBC_SHA256",
    "AES_128_GCM_SHA256",
    "AES_128_CCM",
    "AES_128_CBC_SHA256",
    "CAMELLIA_256_GCM_SHA384",
    "CAMELLIA_256_CBC_SHA256",
    "CAMELLIA_128_GCM_SHA256",
    "CAMELLIA_128_CBC_SHA256",
    "ARIA_256_GCM_SHA384",
    "ARIA_256_CBC_SHA384",
    "ARIA_128_GCM_SHA256",
    "ARIA_128_CBC_SHA256",
)
_PHASE_OUT = (
    *(f"TLS_ECDHE_{key}_WITH_{cipher}" for key in ("ECDSA", "RSA") for cipher in _ECDHE_PHASE_OUT),
    *(f"TLS_DHE_RSA_WITH_{cipher}" for cipher in _DHE_PHASE_OUT),
)
SUITES = {
    **dict.fromkeys(_GOOD, Grade.GOOD),
    **dict.fromkeys(_SUFFICIENT, Grade.SUFFICIENT),
    **dict.fromkeys(_PHASE_OUT, Grade.PHASE_OUT),
}

_CURVES = ("secp256r1", "secp384r1", "secp521r1", "brainpoolp256r1", "brainpoolp384r1", "brainpoolp512r1")
GROUPS = {
    **dict.fromkeys((*_CURVES, "x25519", "x448"), Grade.GOOD),
    "secp224r1": Grade.PHASE_OUT,
    **dict.fromkeys(("ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192"), Grade.PHASE_OUT),
}
HYBRIDS = ("x25519mlkem768", "secp256r1mlkem768", "secp384r1mlkem1024", "x25519kyber768draft00")

RSA_GOOD, RSA_LEAST = 3072, 2048
CURVE_KEYS = {**dict.fromkeys(_CURVES, Grade.GOOD), "secp224r1": Grade.PHASE_OUT}

# signature algorithms of certificates by their object identifiers (RFC 8017 A.2.4, 5758, 8410)
SIGNATURES = {
    **dict.fromkeys((f"1.2.840.113549.1.1.{last}" for last in (11, 12, 13)), Grade.SUFFICIENT),
    **dict.fromkeys((f"1.2.840.10045.4.3.{last}" for last in (2, 3, 4)), Grade.SUFFICIENT),
    **dict.fromkeys(("1.3.101.112", "1.3.101.113"), Grade.SUFFICIENT),
    "1.2.840.113549.1.1.14": Grade.PHASE_OUT,
    "1.2.840.10045.4.3.1": Grade.PHASE_OUT,
}
MOST_RENEGOTIATIONS = 10


def suite(name: str) -> Grade:
    """By its IANA name."""
    return SUITES.get(name, Grade.INSUFFICIENT)


def version(seen: Version) -> Grade:
    """Of the protocol."""
    return VERSIONS.get(seen, Grade.INSUFFICIENT)


def group(name: str) -> Grade:
    """Of a key exchange, by its name in any case; hybrids with ML-KEM are good."""
    lower = name.lower()
    return Grade.GOOD if lower in HYBRIDS else GROUPS.get(lower, Grade.INSUFFICIENT)


def key(seen: Key) -> Grade:
    """Of an ephemeral key: finite fields only with generator 2."""
    if seen.finite and seen.g not in (0, 2):
        return Grade.INSUFFICIENT
    return group(seen.group)
