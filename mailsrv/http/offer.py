"""What a domain offers to mail programs: which servers, which ports, how encrypted. One value that every format is written from. Pure.

    offer(settings, "example.org").incoming[0]        Service(IMAP, "mx1.example.org", 993, implicit=True)

A service stands where people should use it: TLS from the first byte before STARTTLS (RFC 8314 3). The login name is always the
whole address: every account may log in by its own addresses, and an answer that says so tells nothing about who has one.
Fails by: nothing; a listener that is off is not offered.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dnsops.base.settings import Settings


class Kind(Enum):
    """The value is what Outlook calls it."""

    IMAP = "IMAP"
    SMTP = "SMTP"


@dataclass(frozen=True, slots=True)
class Service:
    """implicit: TLS from the first byte, else STARTTLS."""

    kind: Kind
    host: str
    port: int
    implicit: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """For one domain, best first. name: what people call the provider."""

    domain: str
    name: str
    incoming: tuple[Service, ...]
    outgoing: tuple[Service, ...]


def offer(settings: Settings, domain: str) -> Offer:
    """What this configuration serves for a domain of its own."""
    return Offer(
        domain,
        settings.web.display_name or domain,
        _services(settings, Kind.IMAP, ("imaps", "imap")),
        _services(settings, Kind.SMTP, ("submissions", "submission")),
    )


def _services(settings: Settings, kind: Kind, listeners: tuple[str, ...]) -> tuple[Service, ...]:
    found = [getattr(settings.listeners, name) for name in listeners]
    services = [Service(kind, settings.hostname, one.port, one.implicit_tls) for one in found if one.enabled]
    return tuple(sorted(services, key=lambda service: not service.implicit))
