"""A configuration profile signed with the key and chain that the server shows, so that a device says whom it is from.

    sealed(profile, pem) -> bytes        DER, the profile inside

Standard: RFC 5652 5 (SignedData), SHA-256. Blocks for as long as one signature takes: under 3 ms.
Fails by: None for a key that CMS does not know (Ed25519); who asked sends the profile unsigned, which devices take with a warning.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs7

from dnsops.base.secrets import Secret


def sealed(content: bytes, pem: Secret) -> bytes | None:
    """pem: private key and chain, leaf first, in one text."""
    written = pem.reveal().encode()
    try:
        key = load_pem_private_key(written, None)
        leaf, *others = x509.load_pem_x509_certificates(written)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        return None
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content).add_signer(leaf, key, hashes.SHA256())
    for one in others:
        builder = builder.add_certificate(one)
    return builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])
