"""One subtest as a value, and a finding made of it. Pure.

Capping (reference internet.nl 1.2): a status worse than the subtest's worst is shown as that; overridden, it is not.
Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from checks.facts.looked import Evidence
from checks.finding import Finding, Status

CATEGORIES = {
    "ipv6": "Reachable by modern address (IPv6)",
    "dnssec": "Names signed (DNSSEC)",
    "auth": "Marks of authenticity (DMARC, DKIM, SPF)",
    "tls": "Secure connection (STARTTLS and DANE)",
    "rpki": "Routes authorised (RPKI)",
    "beyond": "Beyond internet.nl",
}


class Level(Enum):
    """How much is asked."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True)
class Subtest:
    """api: its name in internet.nl's batch API.  initial: how bad it may get before it was really tested; worst: afterwards.
    max_points: None when it has no points of its own.  meaning, standard, mend: for `explain`; mend is the fix in general."""

    id: str
    category: str
    api: str
    title: str
    level: Level
    worst: Status
    initial: Status
    max_points: int | None
    meaning: str
    standard: str
    mend: str

    def untested(self, verdict: str = "not-tested", worst: Status | None = None, points: int | None = None) -> Finding:
        """As it stands before anything was looked at."""
        return self.finding(Status.NOT_TESTED, verdict, points, worst=self.initial if worst is None else worst)

    def finding(
        self,
        status: Status,
        verdict: str,
        points: int | None = None,
        *,
        worst: Status | None = None,
        override: bool = False,
        host: str = "",
        details: Sequence[str] = (),
        fix: str = "",
        strict: Status | None = None,
        strict_details: Sequence[str] = (),
        evidence: Sequence[Evidence] = (),
    ) -> Finding:
        """`status` is the raised one; it is capped here. worst: other than of a tested one.  fix: other than `mend`."""
        limit = self.worst if worst is None else worst
        shown = status if override else max(status, limit)
        wrong = min(shown, status if strict is None else strict) < Status.NOT_TESTED
        return Finding(
            self.id,
            self.category,
            shown,
            verdict,
            limit,
            points,
            self.max_points,
            host,
            self.title,
            tuple(details),
            (fix or self.mend) if wrong else "",
            strict,
            tuple(strict_details),
            tuple(evidence),
        )
