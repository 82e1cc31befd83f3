"""The channel bindings of a TLS connection.

tls-server-end-point (RFC 5929 4) is a hash of our certificate, and works on every connection. tls-exporter (RFC 9266) and
tls-unique need the connection itself: `mailsrv.directory.sasl.exporter` gets the first, `get_channel_binding` of ssl the other.
Fails by: leaving out a binding that the RFC does not define for such a certificate or connection.
"""

from __future__ import annotations

from mailsrv.directory.sasl.door import Binding


def binding(end_point: bytes = b"", exporter: bytes = b"", unique: bytes = b"") -> Binding:
    """What a connection offers. end_point: of `server_end_point`. unique: of TLS 1.2 with extended master secret only."""
    kinds = (("tls-exporter", exporter), ("tls-server-end-point", end_point), ("tls-unique", unique))
    return Binding(tuple((kind, data) for kind, data in kinds if data))


def server_end_point(certificate: bytes) -> bytes:
    """RFC 5929 4.1: the signature's hash over the certificate, SHA-256 instead of MD5 and SHA-1; empty where undefined."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes

    try:
        algorithm = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return b""
    if algorithm is None:  # Ed25519 and its like sign without a hash of their own
        return b""
    weak = isinstance(algorithm, hashes.MD5 | hashes.SHA1)
    digest = hashes.Hash(hashes.SHA256() if weak else algorithm)
    digest.update(certificate)
    return digest.finalize()
