"""What is known of a domain's MTA-STS policy. Pure values.

Standard: RFC 8461 3, RFC 8460 4.3.2.2 (how a fetch fails).
"""

from __future__ import annotations

from dataclasses import dataclass

from dnsops.records.txt.mtasts import Sts
from mailsrv.transport.outcome import Trouble


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is no policy to be had."""

    trouble: Trouble
    details: str


@dataclass(frozen=True, slots=True)
class Found:
    """The policy in force, None for none; why; and what went wrong on the way, for the TLS report."""

    sts: Sts | None
    why: str
    fault: Fault | None = None


NOTHING = Found(None, "no MTA-STS policy is announced")
