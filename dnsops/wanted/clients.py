"""The names that mail programs ask for their settings, and the one that people type. Pure.

autoconfig (Thunderbird), autodiscover (Microsoft), ua-auto-config (draft-ietf-mailmaint-pacc), mail.DOMAIN (habit).
The first three need a web server behind them; without one they are not wished.
"""

from __future__ import annotations

from collections.abc import Iterator

from dnsops.records import rdata
from dnsops.records.txt.uaac import HOST, OWNER, Uaac
from dnsops.wanted.door import Family, Finding, Wish
from dnsops.wanted.house import House
from dnsops.wanted.making import alias, text, wish
from dnsops.wanted.uaac_document import uaac_document

PACC = "draft-ietf-mailmaint-pacc"


def wishes(house: House) -> Iterator[Wish]:
    """For each domain."""
    for domain in house.domains:
        if house.records.client_setup and house.web:
            yield from _setup(house, domain)
        if house.records.client_name:
            yield alias(house, f"mail.{domain}", "people type it as the server's name")


def findings(house: House) -> Iterator[Finding]:
    """Nobody answers at the web names."""
    if not house.web:
        yield Finding(
            "no web listener is enabled: mta-sts, autoconfig, autodiscover and ua-auto-config are left out",
            "enable one of `listeners`, or a reverse proxy in front of it",
        )


def _setup(house: House, domain: str) -> Iterator[Wish]:
    yield alias(house, f"autoconfig.{domain}", "Thunderbird and others fetch the settings here")
    yield alias(house, f"autodiscover.{domain}", "Microsoft's programs fetch the settings here")
    data = rdata.parse("SRV", f"0 1 443 {house.target}")
    yield wish(house, f"_autodiscover._tcp.{domain}", data, "Microsoft's programs look here when that fails")
    yield alias(house, f"{HOST}.{domain}", "programs of the next years fetch the settings here", PACC)
    content = str(Uaac.of(uaac_document(house, domain)))
    yield text(
        house, f"{OWNER}.{domain}", content, "DNSSEC vouches for those settings by their hash", PACC, Family.UAAC
    )
