"""The MTA-STS policy of our domains, its bytes and its id. Pure.

policy = mtasts_policy(house)     str(policy)     policy_id(str(policy))
"""

from __future__ import annotations

import hashlib

from dnsops.records.txt.mtasts import Mode, Sts
from dnsops.wanted.house import House

ID_LETTERS = 32  # RFC 8461 3.1: at most so many


def mtasts_policy(house: House) -> Sts:
    """The policy: the same for every domain, since their mail goes to the same hosts."""
    wish = house.records.mta_sts
    hosts = (house.hostname, *(name for _, name in house.other_mx))
    return Sts(Mode(wish.mode), tuple(dict.fromkeys(hosts)), int(wish.max_age.total_seconds()))


def policy_text(house: House) -> str:
    """The file at /.well-known/mta-sts.txt."""
    return str(mtasts_policy(house))


def policy_id(text: str) -> str:
    """The id of a policy: it changes whenever a byte of it does, and only then."""
    return hashlib.sha256(text.encode()).hexdigest()[:ID_LETTERS]
