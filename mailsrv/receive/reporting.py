"""The addresses for reports as a station: what is a report is read and kept; what is none is a person's mail.

Fails by: as `mailsrv.reports.receiving` does, a verdict in the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailsrv.receive.stations import Arrived
from mailsrv.reports.receiving import Receiving
from mailsrv.store.door import Message


@dataclass(frozen=True)
class Reporting:
    """See the module."""

    receiving: Receiving

    async def take(self, arrived: Arrived) -> Sequence[Message] | None:
        proven = arrived.judged.proven if arrived.judged else ""
        taken = await self.receiving.take(arrived.content, arrived.recipient, arrived.envelope.when, proven)
        return None if taken.is_mail else []
