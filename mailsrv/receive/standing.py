"""A stranger's mail as it stands after it was judged: what its letters say of it, and how an alias sends it on. Pure.

Fails by: nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailsrv.auth.decide import Action
from mailsrv.receive import told
from mailsrv.receive.judging import Judged
from mailsrv.receive.outgoing import Outgoing


@dataclass(frozen=True, slots=True)
class Standing:
    """The `Verdict` that letters ask. judged: None for mail that is not judged, from a trusted network."""

    outgoing: Outgoing
    now: datetime
    judged: Judged | None = None

    def in_junk(self, account: str) -> bool:
        return self.judged is not None and self.judged.in_junk(account)

    def fields(self, account: str) -> bytes:
        if self.judged is None:
            return b""
        action = Action.JUNK if self.in_junk(account) else Action.ACCEPT
        decision = self.judged.decision(account)
        said = told.written(decision, action.name.lower()) if decision else b""
        return self.judged.results.field + said

    def seal(self, via: str, content: bytes) -> bytes:
        if self.judged is None:
            return b""
        return self.outgoing.seal(content, self.judged.found.arc, str(self.judged.results), via, self.now)

    def sender(self, via: str, sender: str) -> str:
        return self.outgoing.paths.forward(sender, via, self.now) if sender else sender
