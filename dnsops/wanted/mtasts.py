"""The announcement of our MTA-STS policy, and the name that it is fetched from. Pure. Standard: RFC 8461 3.1 and 3.3."""

from __future__ import annotations

from collections.abc import Iterator

from dnsops.records.txt.mtasts import HOST, OWNER, Announcement
from dnsops.wanted.door import Family, Wish
from dnsops.wanted.house import House
from dnsops.wanted.making import alias, text
from dnsops.wanted.policies import policy_id, policy_text


def wishes(house: House) -> Iterator[Wish]:
    """Both for each domain, where the policy is served."""
    for domain in house.domains if house.web else ():
        announcement = str(Announcement(policy_id(policy_text(house)))).removesuffix(";")
        why = "there is a policy that asks senders for TLS; the id changes when the policy does"
        yield text(house, f"{OWNER}.{domain}", announcement, why, "RFC 8461 3.1", Family.MTA_STS)
        yield alias(house, f"{HOST}.{domain}", "the policy is fetched here", "RFC 8461 3.3")
