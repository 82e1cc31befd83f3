"""The account's key and what it signs: requests (JWS), key authorisations, the binding to an account elsewhere.

Standards: RFC 8555 6.2 (JWS, ES256), 7.3.4 (external account binding), 8.1 (key authorisations), RFC 7638 (thumbprint).
certbot's `acme` and josepy do the work; nothing here touches a disk or a socket. Fails by: `ForUser`, never with the key in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from dnsops.acme.words import Malformed
from dnsops.base.errors import ForUser, Misconfigured
from dnsops.base.secrets import Secret

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}")


def new_key() -> Secret:
    """A P-256 key, PEM (PKCS #8)."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    return Secret(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii"))


class AccountKey:
    """A P-256 key that signs. where: its file, for people."""

    def __init__(self, pem: Secret, where: str) -> None:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
        from josepy.jwk import JWKEC

        try:
            key = load_pem_private_key(pem.reveal().encode("ascii"), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise ForUser("holds no P-256 key", where, "restore the file, or move it away: then a new account is made")
        self._key: Any = JWKEC(key=key)

    def signed(self, payload: Mapping[str, object] | None, url: str, nonce: str, account: str = "") -> bytes:
        """A request's body. payload: None for POST-as-GET.  account: its URI; "" to send the public key instead."""
        from acme.jws import JWS
        from josepy.errors import DeserializationError
        from josepy.json_util import decode_b64jose
        from josepy.jwa import ES256

        try:
            raw = decode_b64jose(nonce)
        except DeserializationError:
            raise Malformed("a nonce that is not base64url") from None
        data = b"" if payload is None else json.dumps(payload).encode()
        text: str = JWS.sign(data, self._key, ES256, raw, url, account or None).json_dumps()
        return text.encode()

    def authorisation(self, token: str) -> str:
        """TOKEN.THUMBPRINT (RFC 8555 8.1)."""
        return self._challenge("HTTP01", token)

    def dns_text(self, token: str) -> str:
        """The key authorisation's SHA-256, base64url (RFC 8555 8.4)."""
        return self._challenge("DNS01", token)

    def binding(self, key_id: str, hmac_key: Secret, new_account: str) -> dict[str, Any]:
        """externalAccountBinding for a new account."""
        from acme.messages import Directory, ExternalAccountBinding

        try:
            if not _BASE64URL.fullmatch(hmac_key.reveal()):
                raise ValueError
            return ExternalAccountBinding.from_data(
                self._key.public_key(), key_id, hmac_key.reveal(), Directory({"newAccount": new_account})
            )
        except ValueError:
            raise Misconfigured("not base64url", "acme.eab.hmac_key", "copy it anew from the authority") from None

    def _challenge(self, kind: str, token: str) -> str:
        from acme import challenges
        from josepy.errors import DeserializationError
        from josepy.json_util import decode_b64jose

        try:
            found = getattr(challenges, kind)(token=decode_b64jose(token))
        except DeserializationError:
            raise Malformed("a challenge's token that is not base64url") from None
        return str(found.validation(self._key))
