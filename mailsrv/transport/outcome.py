"""What one attempt to encrypt a hop came to, as the sender's TLS report wants to know it. Pure values.

Standard: RFC 8460 4.2 (policy types), 4.3 (result types).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol


class PolicyType(Enum):
    """RFC 8460 4.2: which policy was applied."""

    TLSA = "tlsa"
    STS = "sts"
    NONE = "no-policy-found"


class Trouble(Enum):
    """RFC 8460 4.3: how it failed."""

    STARTTLS_NOT_SUPPORTED = "starttls-not-supported"
    CERTIFICATE_HOST_MISMATCH = "certificate-host-mismatch"
    CERTIFICATE_EXPIRED = "certificate-expired"
    CERTIFICATE_NOT_TRUSTED = "certificate-not-trusted"
    VALIDATION_FAILURE = "validation-failure"
    TLSA_INVALID = "tlsa-invalid"
    DNSSEC_INVALID = "dnssec-invalid"
    DANE_REQUIRED = "dane-required"
    STS_POLICY_FETCH_ERROR = "sts-policy-fetch-error"
    STS_POLICY_INVALID = "sts-policy-invalid"
    STS_WEBPKI_INVALID = "sts-webpki-invalid"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One session begun or failed. domain: the mail domain.  strings: the policy as it was found (TLSA records, or lines).

    mx_patterns: of an MTA-STS policy.  trouble: None for a success.  details: for a person.
    report: the session carried a report of ours, and nothing else; that is not reported.
    """

    domain: str
    when: datetime
    type: PolicyType
    strings: tuple[str, ...] = ()
    mx_patterns: tuple[str, ...] = ()
    mx: str = ""
    helo: str = ""
    address: str = ""
    trouble: Trouble | None = None
    details: str = ""
    report: bool = False


class Outcomes(Protocol):
    """Where outcomes are written down. Never fails, and never waits for a disk."""

    def note(self, outcome: Outcome) -> None: ...


class Unheard:
    """Nobody keeps them."""

    def note(self, outcome: Outcome) -> None:
        return None
