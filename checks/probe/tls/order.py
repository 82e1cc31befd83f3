"""Which questions of order are asked: does the server take a better suite although worse ones stand before it? Pure.

As internet.nl asks (NCSC-NL 2025-05, reference 5.4): all accepted phase-out suites first, those with ChaCha20 behind the others
(a server may prefer ChaCha20 where the client does), and one sufficient suite at the end. Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

_AEAD = ("CHACHA20_POLY1305_SHA256", "AES_256_GCM_SHA384", "AES_128_GCM_SHA256")
_CCM = ("AES_256_CCM", "AES_128_CCM")
_CBC = ("AES_256_CBC_SHA384", "AES_128_CBC_SHA256")
_OTHER = tuple(
    f"{cipher}_{bits}"
    for cipher in ("CAMELLIA", "ARIA")
    for bits in ("256_GCM_SHA384", "256_CBC_SHA384", "128_GCM_SHA256", "128_CBC_SHA256")
)
_FINITE = (*_AEAD, *_CCM, "AES_256_CBC_SHA256", "AES_128_CBC_SHA256", *_OTHER, "CAMELLIA_256_CBC_SHA256")

SUFFICIENT = frozenset(
    {f"TLS_ECDHE_{kind}_WITH_{cipher}" for kind in ("ECDSA", "RSA") for cipher in _AEAD}
    | {f"TLS_ECDHE_ECDSA_WITH_{cipher}" for cipher in _CCM}
)
PHASE_OUT = frozenset(
    {f"TLS_ECDHE_{kind}_WITH_{cipher}" for kind in ("ECDSA", "RSA") for cipher in (*_OTHER, *_CBC)}
    | {f"TLS_DHE_RSA_WITH_{cipher}" for cipher in _FINITE if cipher != "CAMELLIA_256_CBC_SHA384"}
)


def questions(accepted: Iterable[str]) -> list[tuple[str, ...]]:
    """What to offer, the better suite last; nothing when there is nothing to compare."""
    names = list(dict.fromkeys(accepted))
    worse = sorted((name for name in names if name in PHASE_OUT), key=lambda name: "CHACHA" in name)
    return [(*worse, name) for name in names if name in SUFFICIENT] if worse else []
