"""Records that prove our names to an authority for good, instead of a challenge each time. Pure.

Standard: draft-ietf-acme-dns-persist (a draft): TXT at _validation-persist.NAME with the authority's name and our account;
policy=wildcard lets it stand for the names below too, which the web names of a domain are.
"""

from __future__ import annotations

from collections.abc import Iterator

from dnsops.records.txt.caa import PERSIST, Issuer
from dnsops.wanted.door import Family, Finding, Wish
from dnsops.wanted.house import House
from dnsops.wanted.making import text

STANDARD = "draft-ietf-acme-dns-persist"


def wishes(house: House) -> Iterator[Wish]:
    """One for the host and one a domain, when asked for and there is an account to name."""
    if not (house.acme.persist and house.acme.issuers and house.acme.account):
        return
    why = "our account has proven this name, until the record goes"
    for name in dict.fromkeys((*house.domains, house.hostname)):
        content = Issuer.persistent(house.acme.issuers[0], house.acme.account, below=name in house.domains)
        yield text(house, f"{PERSIST}.{name}", str(content), why, STANDARD, Family.NONE)


def findings(house: House) -> Iterator[Finding]:
    """It is asked for, and cannot be written yet."""
    if house.acme.persist and not (house.acme.issuers and house.acme.account):
        yield Finding("acme.persist needs an account first", "`mailsrv cert issue` makes it")
