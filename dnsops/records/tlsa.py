"""The TLSA record: what it says, how it is written, and what must never be published.

Standards: RFC 6698 2 and 7 (fields, presentation), RFC 7218 (acronyms), RFC 7671 and 7672 3.1 (which to use for mail).
Fails by: `ForUser` from `parse`; `flaw` says why a record must not leave this house.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from dnsops.base.errors import ForUser

USAGES = {0: "PKIX-TA", 1: "PKIX-EE", 2: "DANE-TA", 3: "DANE-EE"}
SELECTORS = {0: "Cert", 1: "SPKI"}
MATCHINGS = {0: "Full", 1: "SHA2-256", 2: "SHA2-512"}
DIGEST_BYTES = {1: 32, 2: 64}
LONGEST_DATA = 8192  # a whole certificate, matching type 0

_NOTHING = frozenset({hashlib.sha256(b"").digest(), hashlib.sha512(b"").digest()})


@dataclass(frozen=True, slots=True, order=True)
class Tlsa:
    """One association. `data` is a digest (matching 1, 2) or the whole certificate or key (0)."""

    type: ClassVar[str] = "TLSA"
    usage: int
    selector: int
    matching: int
    data: bytes

    @classmethod
    def parse(cls, text: str) -> Tlsa:
        """`3 1 1 ABCD EF01` -> Tlsa; the digits may be split by blanks (RFC 6698 2.2)."""
        words = text.split()
        try:
            usage, selector, matching = (int(word) for word in words[:3])
            data = bytes.fromhex("".join(words[3:]))
        except ValueError:
            raise ForUser(f"not a TLSA record: {text[:80]!r}", "", "write: 3 1 1 and 64 hex digits") from None
        if max(usage, selector, matching) > 255 or min(usage, selector, matching) < 0 or len(data) > LONGEST_DATA:
            raise ForUser(f"not a TLSA record: {text[:80]!r}", "", "a field is out of range")
        return cls(usage, selector, matching, data)

    def __str__(self) -> str:
        return f"{self.usage} {self.selector} {self.matching} {self.data.hex()}"

    @property
    def short(self) -> str:
        """For people: the parameters and the first digits."""
        return f"{self.usage} {self.selector} {self.matching} {self.data.hex()[:8]}"


def flaw(record: Tlsa) -> str | None:
    """Why this record must not be published; None when it may be.

    RFC 7672 3.1.3: for SMTP only usages 2 and 3 mean anything. The digest of nothing is what broken pipelines publish.
    """
    if record.usage not in (2, 3):
        return f"usage {record.usage} means nothing for mail (RFC 7672 3.1.3)"
    if record.selector not in SELECTORS:
        return f"selector {record.selector} does not exist"
    if record.matching not in MATCHINGS:
        return f"matching type {record.matching} does not exist"
    if not record.data:
        return "it has no data"
    wanted = DIGEST_BYTES.get(record.matching)
    if wanted and len(record.data) != wanted:
        return f"matching type {record.matching} needs {wanted} bytes, not {len(record.data)}"
    if record.data in _NOTHING:
        return "it is the hash of nothing"
    return None
