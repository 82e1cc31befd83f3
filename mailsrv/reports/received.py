"""What the ledger says of a report that came, and of a policy that was seen. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Received:
    """A report that came: who made it, about which of our domains, for which time, and its sums (messages or sessions).

    kind: dmarc or tls.  proven: the domain whose DMARC passed for the mail that brought it, "" for nobody's.
    """

    kind: str
    organization: str
    report: str
    domain: str
    proven: str
    begin: datetime
    end: datetime
    arrived: datetime
    total: int
    failed: int
    number: int = 0


@dataclass(frozen=True, slots=True)
class Published:
    """The policy of a domain as it was seen last on a day."""

    record: str = ""
    organizational: str = ""
