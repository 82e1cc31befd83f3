"""Outcomes on their way to the TLS report: one for each session that began or failed. Pure.

Standard: RFC 8460 4.2, 4.3. Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from mailsrv.transport.host import Host
from mailsrv.transport.outcome import Outcome, Outcomes, Trouble, Unheard
from mailsrv.transport.policy import Policy


@dataclass(frozen=True)
class Notes:
    """What is the same in all of them, and where they go. helo: our name. clock: UTC now."""

    clock: Callable[[], datetime]
    outcomes: Outcomes = field(default_factory=Unheard)
    helo: str = ""

    def note(
        self,
        domain: str,
        host: Host,
        policy: Policy,
        address: str = "",
        trouble: Trouble | None = None,
        details: str = "",
    ) -> None:
        """What the policy found wrong beforehand goes before what the session came to: one session, one outcome."""
        if policy.trouble is not None:
            trouble, details = policy.trouble, policy.details
        self.outcomes.note(
            Outcome(
                domain,
                self.clock(),
                policy.type,
                policy.strings,
                policy.mx_patterns,
                host.name,
                self.helo,
                address,
                trouble,
                details,
            )
        )
