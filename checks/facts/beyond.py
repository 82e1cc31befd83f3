"""What internet.nl does not look at, and the strict column does: reverse names, blocklists, policies on the web. Pure values.

Standards: RFC 8461 (MTA-STS), RFC 8460 (TLS-RPT), RFC 5782 (DNSBL), RFC 1912 2.1 (reverse names). Fails by: nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from checks.facts.looked import Evidence
from checks.facts.setup import Setup
from dnsops.dnssec.facts import Facts as Zone
from dnsops.reconcile.zone_checks import Public


@dataclass(frozen=True, slots=True)
class Reverse:
    """Reverse names of an address that speaks SMTP. confirmed: those of them whose own addresses have this one.

    known: False when the look-up failed.  helo: what the server calls itself in its greeting.
    """

    address: str
    names: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()
    helo: str = ""
    known: bool = True
    why: str = ""
    evidence: Evidence = field(default=Evidence())


@dataclass(frozen=True, slots=True)
class Listing:
    """One blocklist's word on an address. listed: None when it did not say (refused, silent).  text: what it says, harmless."""

    zone: str
    address: str
    listed: bool | None = None
    codes: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document by HTTPS. body: None when it could not be had, and `why` says why. At most 64 KiB of it."""

    url: str
    body: str | None = None
    content_type: str = ""
    why: str = ""
    evidence: Evidence = field(default=Evidence())


@dataclass(frozen=True, slots=True)
class Beyond:
    """All of it. sts_policy: None when it was not looked for. The records (`_mta-sts`, `_smtp._tls`, BIMI) are in the book.

    zones: that the domain and its mail hosts stand in; None when nobody looks at zones, empty when there was no time.
    ours: for a domain of the configuration, what DNS says of every record that we wish; None for strangers' domains.
    ours_why: why that is not known.  setup: what mail programs find; None when it was not looked for.
    """

    reverse: tuple[Reverse, ...] = ()
    listings: tuple[Listing, ...] = ()
    sts_policy: Fetched | None = None
    zones: tuple[Zone, ...] | None = None
    ours: Public | None = None
    ours_why: str = ""
    setup: Setup | None = None
