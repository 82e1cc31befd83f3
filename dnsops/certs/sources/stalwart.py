"""How Stalwart 0.8 to 0.15 stores an ACME certificate: the setting `acme.ID.cert`, base64 url-safe without padding, of one PEM
text with the private key before the chain. The same in its data store and over its API. Pure.

Fails by: `ForUser`. The key in it is compared with the certificate and goes no further.
"""

from __future__ import annotations

import base64
import binascii

from dnsops.base.errors import ForUser
from dnsops.certs.chain import LARGEST_PEM, Chain, check_key, from_pem

NOT_HERE = (
    "from Stalwart 0.16 on certificates are elsewhere: use stalwart-api:https://HOST, or starttls:HOST:25 (any version)"
)


def setting(acme_id: str) -> str:
    """The key under which an ACME provider's certificate is stored."""
    return f"acme.{acme_id}.cert"


def unpack(value: bytes, where: str) -> Chain:
    """The stored value -> the chain in it."""
    if len(value) > 2 * LARGEST_PEM:
        raise ForUser(f"larger than {2 * LARGEST_PEM} bytes: no certificate is", where)
    pem = value if value.lstrip().startswith(b"-----BEGIN") else _decoded(value, where)
    chain = from_pem(pem, where)
    check_key(chain, pem, where)
    return chain


def _decoded(value: bytes, where: str) -> bytes:
    text = b"".join(value.split()).rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error):
        raise ForUser("not what Stalwart 0.8 to 0.15 writes there (no base64)", where, NOT_HERE) from None
