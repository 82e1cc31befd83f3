"""echo@DOMAIN as a station: the answer leaves with the commit of the mail that asked for it; the mail itself is not kept.

Standard: RFC 3834 (who is answered, and how often, in mailsrv.echo.rules). Fails by: no answer, and a line of the log that says why.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from mailsrv.auth.verdicts import Authentication
from mailsrv.echo import reply, rules
from mailsrv.echo.rules import Pace
from mailsrv.message.digest import digest
from mailsrv.message.header import header
from mailsrv.receive.outgoing import Outgoing
from mailsrv.receive.stations import Arrived
from mailsrv.smtp.house import Events
from mailsrv.store.door import Hop, Message

UNTOLD = ("NOTIFY=NEVER",)


@dataclass(eq=False)
class Echoing:
    """For all echo addresses together, as their pace is one."""

    host: str
    addresses: Collection[str]
    outgoing: Outgoing
    log: Events
    token: Callable[[], str]
    clock: Callable[[], float] = time.monotonic
    pace: Pace = field(default_factory=Pace)

    async def take(self, arrived: Arrived) -> Sequence[Message]:
        envelope = arrived.envelope
        sender = str(envelope.sender or "")
        found = arrived.judged.found if arrived.judged else Authentication()
        why = rules.why_not(header(arrived.content), sender, self.addresses, found, envelope.client.account)
        if not why and not self.pace.may(sender, self.clock()):
            why = "it was answered within the hour, or too many were"
        self.log("echo.silent" if why else "echo.answered", id=envelope.id, to=sender, why=why)
        return [] if why else [self._answer(arrived, sender, found)]

    def _answer(self, arrived: Arrived, sender: str, found: Authentication) -> Message:
        envelope = arrived.envelope
        whole = envelope.trace() + arrived.content
        seen = reply.Seen(
            arrived.recipient, self.host, sender, envelope.client, whole, envelope.when, self.token(), found
        )
        text = self.outgoing.signed(reply.answer(seen), envelope.when)
        return Message(text, digest(text), envelope.when, hops=(Hop(sender, UNTOLD),))
