"""What our servers offer in a TLS handshake and Python's `ssl` has no call for: signature algorithms and groups.

    reason = narrowed()        "" when every context made from now on is narrow; else why not, and TLS goes on as it was

OpenSSL's own defaults still sign with SHA-224 for who asks, and take part in finite field groups (RFC 7919) in TLS 1.3. A
configuration of OpenSSL's mends both, and every context made after it was read follows (`config(5)`, `system_default`).
Why it is handed over by `CONF_modules_load_file`, a documented call of the library that `ssl` itself is linked to: OPENSSL_CONF
in the environment is read once, before the first hash is made, so it would take a second start of the program, would reach every
child of ours, and would put aside what the administrator wrote in /etc/ssl/openssl.cnf (providers, FIPS); writing into the context
behind Python's object would depend on how each Python lays it out, and end the process where that changed.
The contexts that meet anybody's server, however old (RFC 7435), are made before, so that they stay as wide as they were.
Standards: RFC 8446 4.2.3 and 4.2.7, RFC 9155 (no SHA-1 signatures). Fails by: a reason; nothing is changed then.
"""

from __future__ import annotations

import ctypes
import os
import ssl
from functools import cache

SIGNATURES = (
    *(f"ECDSA+SHA{bits}" for bits in (256, 384, 512)),
    "ed25519",
    "ed448",
    *(f"rsa_pss_{key}_sha{bits}" for key in ("pss", "rsae") for bits in (256, 384, 512)),
    *(f"RSA+SHA{bits}" for bits in (256, 384, 512)),
)
GROUPS = ("X25519", "P-256", "P-384", "P-521", "X448")
HYBRID = "X25519MLKEM768"  # known since OpenSSL 3.5, and its first choice
TEXT = """openssl_conf = ours
[ours]
ssl_conf = contexts
[contexts]
system_default = narrow
[narrow]
SignatureAlgorithms = {signatures}
Groups = {groups}
"""
NOTHING = TEXT[: TEXT.index("SignatureAlgorithms")]


@cache
def narrowed() -> str:
    """Done once in a process; why it could not be, empty when it was."""
    from mailsrv.send.encrypting import anyone

    anyone()
    return loaded(text(ssl.OPENSSL_VERSION_INFO[:2]))


def text(version: tuple[int, int]) -> str:
    """OpenSSL's configuration for its version."""
    groups = (HYBRID, *GROUPS) if version >= (3, 5) else GROUPS
    return TEXT.format(signatures=":".join(SIGNATURES), groups=":".join(groups))


def loaded(configuration: str) -> str:
    """Use it from now on, or say why not; one that no context can be made with is put away again."""
    reason = _load(configuration)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    except ssl.SSLError as error:
        reason = f"OpenSSL makes no context with the configuration: {error.reason}"
    if reason:
        _load(NOTHING)
    return reason


def _load(configuration: str) -> str:
    """Only what it names is changed: the rest of OpenSSL's configuration stays as it is."""
    import _ssl

    try:
        load = ctypes.CDLL(getattr(_ssl, "__file__", None)).CONF_modules_load_file
        handle = os.memfd_create("openssl.cnf", os.MFD_CLOEXEC)
    except (OSError, AttributeError) as error:
        return f"OpenSSL's configuration is out of reach: {error}"
    load.argtypes, load.restype = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong), ctypes.c_int
    try:
        os.write(handle, configuration.encode("ascii"))
        return "" if load(f"/proc/self/fd/{handle}".encode(), None, 0) == 1 else "OpenSSL refuses the configuration"
    finally:
        os.close(handle)
