"""Groups of the key exchange and signature algorithms: numbers, names, and which of them each client offers. Pure; data.

Standards: IANA's registries "TLS Supported Groups" (RFC 8422, 7919, 7027, 8446) and "TLS SignatureScheme" (RFC 8446 4.2.3).
"""

from __future__ import annotations

import re
from functools import cache

_CURVES = (
    "sect163k1 sect163r1 sect163r2 sect193r1 sect193r2 sect233k1 sect233r1 sect239k1 sect283k1 sect283r1 sect409k1 "
    "sect409r1 sect571k1 sect571r1 secp160k1 secp160r1 secp160r2 secp192k1 secp192r1 secp224k1 secp224r1 secp256k1 "
    "secp256r1 secp384r1 secp521r1 brainpoolP256r1 brainpoolP384r1 brainpoolP512r1 x25519 x448 brainpoolP256r1tls13 "
    "brainpoolP384r1tls13 brainpoolP512r1tls13"
)
FFDHE = {0x0100: 2048, 0x0101: 3072, 0x0102: 4096, 0x0103: 6144, 0x0104: 8192}
_HYBRID = {0x11EB: "SecP256r1MLKEM768", 0x11EC: "X25519MLKEM768", 0x11ED: "SecP384r1MLKEM1024"}
NAMES: dict[int, str] = {
    **dict(enumerate(_CURVES.split(), start=1)),
    **{code: f"ffdhe{bits}" for code, bits in FFDHE.items()},
    **_HYBRID,
}
CODES = {name: code for code, name in NAMES.items()}


def _codes(names: str) -> tuple[int, ...]:
    return tuple(CODES[name] for name in names.split())


# What OpenSSL 1.1.1 and 1.0.2 offer by themselves, in their order: the two libraries of the site's scanner.
MODERN = _codes("x25519 secp256r1 x448 secp521r1 secp384r1")
LEGACY = _codes(
    "secp256r1 secp521r1 brainpoolP512r1 brainpoolP384r1 secp384r1 brainpoolP256r1 secp256k1 sect571r1 sect571k1 "
    "sect409k1 sect409r1 sect283k1 sect283r1"
)
WIDE_CURVES = (*MODERN, *(code for code in range(1, 31) if code not in MODERN))  # up to TLS 1.2
WIDE_13 = (*_HYBRID, *MODERN, 31, 32, 33, *FFDHE)

# RFC 7919 A: p = 2^b - 2^(b-64) + (floor(2^(b-130) e) + X) 2^64 - 1
_OFFSETS = {2048: 560316, 3072: 2625351, 4096: 5736041, 6144: 15705020, 8192: 10965728}


@cache
def _primes() -> dict[int, str]:
    """The primes of RFC 7919 by the recipe there, so that no digit can be mistyped."""
    return {
        (1 << bits) - (1 << bits - 64) + ((_e(bits - 130) + offset) << 64) - 1: f"ffdhe{bits}"
        for bits, offset in _OFFSETS.items()
    }


def _e(bits: int) -> int:
    """floor(2^bits e), by its series with 64 bits to spare."""
    term = total = 1 << bits + 64
    divisor = 1
    while term:
        term //= divisor
        total, divisor = total + term, divisor + 1
    return total >> 64


def finite_name(p: int, g: int) -> str:
    """Which group of RFC 7919 that is; "" for any other."""
    return _primes().get(p, "") if g == 2 else ""


def curve_size(code: int) -> int | None:
    """Bits of a curve as the site's scanner has them; None for those that it shows no size of, X25519 and X448."""
    found = re.match(r"(?:sect|secp|brainpoolP)(\d{3})", NAMES.get(code, ""))
    return int(found[1]) if found else None


# TLS 1.2: hash * 256 + signature; 1.3 gave the same numbers names of their own.
SHA1 = (0x0203, 0x0201, 0x0202)  # ECDSA, RSA, DSA
SHA224 = (0x0303, 0x0301, 0x0302)
SIGNATURES_MODERN = (
    *(0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080A, 0x080B, 0x0804, 0x0805, 0x0806),
    *(0x0401, 0x0501, 0x0601, 0x0303, 0x0203, 0x0301, 0x0201, 0x0302, 0x0202, 0x0402, 0x0502, 0x0602),
)
SIGNATURES_LEGACY = tuple(hashed << 8 | kind for hashed in (6, 5, 4, 3, 2) for kind in (1, 2, 3))
SIGNATURES_WIDE = (*SIGNATURES_MODERN, 0x081A, 0x081B, 0x081C)  # brainpool in TLS 1.3, RFC 8734
