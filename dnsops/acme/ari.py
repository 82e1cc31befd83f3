"""Renewal information: a certificate's identifier, and when the authority wants it renewed. Pure.

Standards: RFC 9773 4.1 (identifier), 4.2 (window), 4.3 (Retry-After), 5 (`replaces`).
A window in the past means now (4.2). One that is no window is told as `Odd` and then counts as none: the age decides, as
without ARI. Fails by: `Odd`; a certificate without a key identifier has no identifier ("").
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from cryptography import x509

from dnsops.acme.door import Window
from dnsops.acme.words import Json

USUAL = 21600.0  # seconds until it is asked again (RFC 9773 4.3.2 suggests six hours)
SHORTEST, LONGEST = 60.0, 86400.0  # RFC 9773 4.3: reasonable bounds are the client's to set


class Odd(Exception):
    """Renewal information that cannot be meant."""


def identifier(der: bytes) -> str:
    """base64url(authority key identifier) "." base64url(serial); "" when the certificate has none."""
    certificate = x509.load_der_x509_certificate(der)
    try:
        issuer = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except (x509.ExtensionNotFound, ValueError):
        return ""
    if not issuer:
        return ""
    serial = certificate.serial_number
    # the octets of the DER INTEGER: with a zero in front where the first bit is set
    octets = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    return f"{_text(issuer)}.{_text(octets)}"


def window(data: Json, certificate: bytes, wait: float | None) -> Window:
    """What a renewalInfo answer says of a certificate (DER). wait: its Retry-After, in seconds."""
    found = data.get("suggestedWindow")
    if not isinstance(found, dict):
        raise Odd("no suggestedWindow in it")
    start, end = _moment(found.get("start"), "start"), _moment(found.get("end"), "end")
    until = x509.load_der_x509_certificate(certificate).not_valid_after_utc
    if start >= end:
        raise Odd(f"its window ends ({end:%Y-%m-%d %H:%M}) before it begins ({start:%Y-%m-%d %H:%M})")
    if start >= until:
        raise Odd(f"its window begins ({start:%Y-%m-%d %H:%M}) after the certificate's end ({until:%Y-%m-%d %H:%M})")
    explanation = data.get("explanationURL")
    again = USUAL if wait is None else min(max(wait, SHORTEST), LONGEST)
    return Window(start, min(end, until), again, explanation[:2048] if isinstance(explanation, str) else "")


def _moment(value: Any, what: str) -> datetime:
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        raise Odd(f"{what} is not a time: {str(value)[:40]!r}") from None


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")
