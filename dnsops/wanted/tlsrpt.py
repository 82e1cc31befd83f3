"""Where others report what they saw of our encryption. Pure. Standard: RFC 8460 3; at the host's name for DANE, as its section 3 says."""

from __future__ import annotations

from collections.abc import Iterator

from dnsops.records.txt.tlsrpt import TlsRpt, owner
from dnsops.wanted.door import Family, Wish
from dnsops.wanted.house import House
from dnsops.wanted.making import mailto, text

STANDARD = "RFC 8460 3"


def wishes(house: House) -> Iterator[Wish]:
    """One a domain, and one for the host."""
    for domain in house.domains:
        content = str(TlsRpt((mailto(house.tls_to or f"postmaster@{domain}"),)))
        why = "senders report when they could not encrypt, so that an outage is seen"
        yield text(house, owner(domain), content, why, STANDARD, Family.TLS_RPT)
    if house.hostname not in house.domains:
        content = str(TlsRpt((mailto(house.tls_to or f"postmaster@{_home(house)}"),)))
        why = "the same for the host: some senders look there when DANE fails"
        yield text(house, owner(house.hostname), content, why, STANDARD, Family.TLS_RPT)


def _home(house: House) -> str:
    """Whose postmaster looks after the host."""
    return next(iter(house.domains), house.hostname)
