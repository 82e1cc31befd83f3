"""Keying material of a TLS connection, for tls-exporter (RFC 9266, RFC 8446 7.5): what Python's ssl has and does not show.

OpenSSL's own function is called on the connection behind an ssl object, whose place in CPython's object (its head, the
socket, then the SSL pointer) has been the same from 3.7 to 3.13. Anything else gets none, and -PLUS is then not offered.
Fails by: empty octets.
"""

from __future__ import annotations

import ctypes
import ssl
import sys
import sysconfig
from functools import cache

LABEL, LENGTH = b"EXPORTER-Channel-Binding", 32  # RFC 9266 2
_PLACE = 3 * ctypes.sizeof(ctypes.c_void_p)  # ob_refcnt, ob_type, Socket


def exported(connection: ssl.SSLObject | ssl.SSLSocket) -> bytes:
    """The tls-exporter binding of a connection whose handshake is done, TLS 1.3 only: RFC 9266 3 on what 1.2 would need."""
    import _ssl

    inner = getattr(connection, "_sslobj", None)
    library = _openssl()
    if library is None or type(inner) is not getattr(_ssl, "_SSLSocket", None) or connection.version() != "TLSv1.3":
        return b""
    pointer = ctypes.c_void_p.from_address(id(inner) + _PLACE)
    out = ctypes.create_string_buffer(LENGTH)
    done = library.SSL_export_keying_material(pointer, out, LENGTH, LABEL, len(LABEL), None, 0, 0)
    return out.raw if done == 1 else b""


@cache
def _openssl() -> ctypes.CDLL | None:
    """The OpenSSL that the ssl module uses itself; None where the place of the pointer is not known."""
    import _ssl

    known = sys.implementation.name == "cpython" and (3, 11) <= sys.version_info[:2] <= (3, 13)
    plain = not sysconfig.get_config_var("Py_DEBUG") and not sysconfig.get_config_var("Py_GIL_DISABLED")
    if not known or not plain:
        return None
    try:
        library = ctypes.CDLL(getattr(_ssl, "__file__", None))
        function = library.SSL_export_keying_material
    except (OSError, AttributeError):
        return None
    sizes, text = ctypes.c_size_t, ctypes.c_char_p
    function.argtypes = [ctypes.c_void_p, ctypes.c_char_p, sizes, text, sizes, text, sizes, ctypes.c_int]
    function.restype = ctypes.c_int
    return library
