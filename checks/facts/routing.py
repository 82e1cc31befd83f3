"""How an address is announced in the Internet's routing, and what the RPKI says of it, as values. Pure.

Standards: RFC 6480 (RPKI), RFC 6811 (route origin validation), RFC 9582 (ROA). Fails by: nothing; a silent source is a value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from checks.facts.looked import Evidence


class Validity(Enum):
    """RFC 6811 2, in Routinator's words."""

    VALID = "valid"
    INVALID = "invalid"
    NOT_FOUND = "not-found"


@dataclass(frozen=True, slots=True)
class Route:
    """An announcement, seen by at least 10 peers. roas: how many ROAs cover the prefix, matching or not.
    reason: of an invalid one, `as` or `length`."""

    asn: int
    prefix: str
    validity: Validity
    roas: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Routing:
    """Of one address. routes: empty when it is not announced; then `roas` counts those that cover the address itself.

    routes_known: the source of routes answered.  roas_known: the relying party (Routinator) answered.
    """

    address: str
    routes: tuple[Route, ...] = ()
    roas: int = 0
    routes_known: bool = True
    roas_known: bool = True
    evidence: Evidence = field(default=Evidence())

    @property
    def authorised(self) -> bool:
        """Whether there is any ROA for it."""
        return any(route.roas for route in self.routes) or self.roas > 0
