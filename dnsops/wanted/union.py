"""Every record that our host and domains should have. Pure."""

from __future__ import annotations

from dnsops.wanted.door import Wanted
from dnsops.wanted.house import House


def wanted(house: House) -> Wanted:
    """What should stand in DNS, what others must write, and what a person should know."""
    return Wanted()
