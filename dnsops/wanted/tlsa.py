"""Which keys the ports of the host show. Pure. Standards: RFC 6698 2, RFC 7672 3.1, RFC 7671 8.1 (the next key long before).

Their story (reconcile/tlsa) writes and removes them; here they are shown with the rest.
"""

from __future__ import annotations

from collections.abc import Iterator

from dnsops.records.names import tlsa_owner
from dnsops.wanted.door import Finding, Keeper, Wish
from dnsops.wanted.house import House
from dnsops.wanted.making import wish

STANDARD = "RFC 7672 3.1"
SERVED = "senders that verify by DANE accept this key, which is served now"
COMING = "the next key: every cache shall know it before it is served"


def wishes(house: House) -> Iterator[Wish]:
    """The current key's and the next one's at each port."""
    for one in house.tlsa:
        owner = tlsa_owner(house.hostname, one.port)
        yield wish(house, owner, one.record, COMING if one.coming else SERVED, STANDARD, Keeper.TLSA)


def findings(house: House) -> Iterator[Finding]:
    """There is no key yet, or none that comes."""
    if house.records.tlsa_ports and not house.tlsa:
        advice = "`mailsrv cert issue` makes the first one, and announces it before it is served"
        yield Finding(f"{house.hostname} has no key of ours yet, so there are no TLSA records", advice)
