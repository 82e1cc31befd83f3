"""The DKIM key record at SELECTOR._domainkey.DOMAIN: `v=DKIM1; k=rsa; p=...`, read and written. Pure.

Standards: RFC 6376 3.6.1 (tags), RFC 8463 4 (ed25519: p= is the bare key of 32 bytes), RFC 8301 (which hashes count).
Limits: LONGEST octets; names of services, hashes and flags are those of the record, at most MOST_WORDS each.
Fails by: `tags.Malformed`, with what is wrong. A record with an empty p= is well formed, and revoked.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from dnsops.records.txt import tags
from dnsops.records.txt.tags import Malformed

VERSION = "DKIM1"
LONGEST = 8192  # octets; a key of 8192 bits takes 1400
MOST_WORDS = 16
ED25519_BYTES = 32


@dataclass(frozen=True, slots=True)
class DkimKey:
    """One key record. key: the octets of p= - a SubjectPublicKeyInfo for rsa, the bare key for ed25519; none: revoked.

    hashes, services, flags: h=, s=, t=; empty where the record has no such tag.  notes: n=, as it stands.
    """

    key: bytes
    kind: str = "rsa"
    hashes: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    notes: str = ""

    @classmethod
    def parse(cls, text: bytes | str) -> DkimKey:
        """`v=DKIM1; k=ed25519; p=11qY...` -> DkimKey. Text without v= is a key too (RFC 6376 3.6.1); p= there must be."""
        found = tags.parse(text, LONGEST)
        # v= must be the first tag, but only another version is to be discarded: everybody reads one that comes late
        if found.get("v", VERSION) != VERSION:
            raise Malformed(f"not a DKIM key: it is of version {found['v'][:20]!r}")
        if "p" not in found:
            raise Malformed("not a DKIM key: it has no p=")
        kind = found.get("k", "rsa")
        key = _octets(found["p"])
        if kind == "ed25519" and key and len(key) != ED25519_BYTES:
            raise Malformed(f"an ed25519 key has {ED25519_BYTES} bytes, not {len(key)}")
        hashes, services, flags = (_words(found, name) for name in ("h", "s", "t"))
        return cls(key, kind, hashes, services, flags, found.get("n", ""))

    def __str__(self) -> str:
        optional = [("h", ":".join(self.hashes)), ("k", self.kind), ("n", self.notes)]
        optional += [("s", ":".join(self.services)), ("t", ":".join(self.flags))]
        given = [(name, value) for name, value in optional if value]
        return tags.write([("v", VERSION), *given, ("p", base64.b64encode(self.key).decode())])

    @property
    def revoked(self) -> bool:
        return not self.key

    @property
    def testing(self) -> bool:
        """t=y: the domain tries DKIM out; a verifier treats its mail no worse than unsigned mail (RFC 6376 3.6.1)."""
        return "y" in self.flags

    @property
    def exact(self) -> bool:
        """t=s: i= must be of the very domain of d=, not of one below it."""
        return "s" in self.flags

    @property
    def for_mail(self) -> bool:
        return not self.services or "*" in self.services or "email" in self.services

    def allows(self, hash_name: str) -> bool:
        return not self.hashes or hash_name in self.hashes


def owner(selector: str, domain: str) -> str:
    """Where the record stands."""
    return f"{selector}._domainkey.{domain}"


def _words(found: Mapping[str, str], name: str) -> tuple[str, ...]:
    words = tags.words(found.get(name, ""))
    if len(words) > MOST_WORDS:
        raise Malformed(f"more than {MOST_WORDS} words in {name}=")
    return words


def _octets(value: str) -> bytes:
    plain = tags.compact(value)
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("p= is not base64") from None
