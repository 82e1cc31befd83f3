"""The keys that our signatures are verified by. Pure. Standards: RFC 6376 3.6, RFC 8463 4.

Their story (reconcile/dkim) writes and removes them; here they are shown with the rest, as long as they must stand.
"""

from __future__ import annotations

from collections.abc import Iterator

from dnsops.dkim.ring import Role
from dnsops.wanted.door import Family, Finding, Keeper, Wish
from dnsops.wanted.house import House
from dnsops.wanted.making import text

WHY = {
    Role.NEXT: "the next key: everybody shall know it before it signs",
    Role.CURRENT: "the key that our signatures are verified by",
    Role.RETIRED: "the last key: mail that it signed is still on its way",
}
STANDARDS = {"rsa": "RFC 6376 3.6", "ed25519": "RFC 8463 4"}


def wishes(house: House) -> Iterator[Wish]:
    """One record a selector, until its generation is gone."""
    for one in house.signings:
        if one.role in WHY:
            standard = STANDARDS[one.selector.algorithm]
            owner = one.selector.owner(one.domain)
            yield text(house, owner, one.selector.text, WHY[one.role], standard, Family.DKIM, Keeper.DKIM)


def findings(house: House) -> Iterator[Finding]:
    """Domains that shall sign and have no key yet."""
    with_keys = {one.domain for one in house.signings}
    for domain in house.signing_domains:
        if domain not in with_keys:
            advice = "`mailsrv dkim reconcile` makes them, and so does the timer"
            yield Finding(f"{domain} has no DKIM keys yet", advice, trouble=True)
