"""The record that vouches for a domain's settings for mail programs: the hash of the document that they fetch. Pure.

    Uaac.of(document)     Uaac.parse("v=UAAC1; a=sha256; d=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")     str(uaac)

Standard: draft-ietf-mailmaint-pacc (a draft; clients compare the hash with the body that they got over HTTPS).
Limits: LONGEST characters. Fails by: `tags.Malformed`, with what is wrong; another algorithm than sha256 is wrong too.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from dnsops.records.txt import tags
from dnsops.records.txt.tags import Malformed

VERSION, ALGORITHM = "UAAC1", "sha256"
LONGEST = 1024
OWNER, HOST = "_ua-auto-config", "ua-auto-config"
DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Uaac:
    """digest: SHA-256 of the document's bytes."""

    digest: bytes

    @classmethod
    def of(cls, document: bytes) -> Uaac:
        return cls(hashlib.sha256(document).digest())

    @classmethod
    def parse(cls, text: str) -> Uaac:
        found = tags.parse(text, LONGEST)
        if next(iter(found.items()), None) != ("v", VERSION):
            raise Malformed(f"not a UAAC record: it begins with v={VERSION}")
        if found.get("a") != ALGORITHM:
            raise Malformed(f"its algorithm is not {ALGORITHM}: {found.get('a', '')[:20]!r}")
        return cls(_digest(found.get("d", "")))

    def __str__(self) -> str:
        return tags.write([("v", VERSION), ("a", ALGORITHM), ("d", base64.b64encode(self.digest).decode())])

    def vouches(self, document: bytes) -> bool:
        """Whether these are the bytes that it means."""
        return self.digest == hashlib.sha256(document).digest()


def _digest(text: str) -> bytes:
    try:
        digest = base64.b64decode(tags.compact(text), validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("d= is not base64") from None
    if len(digest) != DIGEST_BYTES:
        raise Malformed(f"d= has {DIGEST_BYTES} bytes, not {len(digest)}")
    return digest
