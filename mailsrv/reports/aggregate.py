"""The DMARC aggregate report as values: who saw which messages under a domain's name, and what became of them. Pure.

Standard: RFC 9990 3.1; RFC 7489 appendix C for what only old reports have.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Policy:
    """What the domain published; "" where it said nothing. testing: y or n.  discovery: psl or treewalk.  pct: RFC 7489's."""

    domain: str
    p: str = ""
    sp: str = ""
    np: str = ""
    adkim: str = ""
    aspf: str = ""
    discovery: str = ""
    fo: str = ""
    testing: str = ""
    pct: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """One DKIM signature: d=, s=, its result in the words of RFC 8601."""

    domain: str
    selector: str = ""
    result: str = ""
    human: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """One SPF check. scope: mfrom, or helo in old reports."""

    domain: str
    result: str = ""
    scope: str = ""
    human: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the policy was not applied: a word of RFC 9990 3.1.6 (old reports have others), and a comment."""

    type: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """So many messages of one source with one outcome. disposition: none, pass, quarantine, reject. dkim, spf: aligned ones.

    envelope_from: None when it was not said, "" for the null sender.
    """

    source: str
    count: int
    disposition: str
    dkim: str
    spf: str
    header_from: str
    envelope_from: str | None = None
    envelope_to: str = ""
    reasons: tuple[Reason, ...] = ()
    signatures: tuple[Signature, ...] = ()
    checks: tuple[Checked, ...] = ()

    @property
    def passed(self) -> bool:
        return "pass" in (self.dkim, self.spf)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One report: who made it, for which span of time (UTC, whole seconds), of which policy, and its rows."""

    organization: str
    email: str
    id: str
    begin: datetime
    end: datetime
    policy: Policy
    rows: tuple[Row, ...]
    contact: str = ""
    errors: tuple[str, ...] = ()
    generator: str = ""

    @property
    def messages(self) -> int:
        return sum(row.count for row in self.rows)

    @property
    def failed(self) -> int:
        return sum(row.count for row in self.rows if not row.passed)
