"""The picture beside our mail. Pure. Standard: draft-brand-indicators-for-message-identification 4.2."""

from __future__ import annotations

from collections.abc import Iterator

from dnsops.base.errors import ForUser
from dnsops.records.txt.bimi import Bimi, owner
from dnsops.wanted.dmarc import policy_of
from dnsops.wanted.door import Family, Finding, Wish
from dnsops.wanted.house import House
from dnsops.wanted.making import text

STANDARD = "draft-brand-indicators-for-message-identification 4.2"


def wishes(house: House) -> Iterator[Wish]:
    """One a domain, when there is a picture."""
    bimi = house.records.bimi
    for domain in house.domains if bimi else ():
        content = _content(str(bimi.location), str(bimi.authority or "")) if bimi else ""
        yield text(house, owner(domain), content, "mail programs show this picture", STANDARD, Family.BIMI)


def findings(house: House) -> Iterator[Finding]:
    """A picture is shown only where DMARC is enforced."""
    if house.records.bimi and house.domains and policy_of(house, house.domains[0]).p not in ("quarantine", "reject"):
        yield Finding("records.bimi does nothing while records.dmarc asks for nothing", "write p=reject there")


def _content(location: str, authority: str) -> str:
    try:
        return str(Bimi.parse(str(Bimi(location, authority))))
    except ForUser as error:
        raise ForUser(error.what, "records.bimi", "write addresses that begin with https://") from None
