"""Return paths of mail that aliases of ours send on: SRS with our secrets, for senders whose domain is not ours. Pure.

Source: `srs`. Why: the next host checks SPF of the sender's domain, which knows nothing of us (RFC 7208 D).
Fails by: a sender that stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailsrv.receive import srs


@dataclass(frozen=True)
class Rewritten:
    """secrets: the current one first.  domain: of the new addresses, "" for the alias's own.  ours: domains that stay."""

    secrets: Sequence[bytes]
    domain: str
    ours: Collection[str]

    def forward(self, sender: str, via: str, now: datetime) -> str:
        domain = self.domain or via.rpartition("@")[2]
        if sender.rpartition("@")[2] in self.ours or not domain:
            return sender
        return srs.forward(sender, self.secrets[0], domain, now)

    def back(self, address: str, now: datetime) -> str | None:
        domain = address.rpartition("@")[2]
        if domain not in self.ours and domain != self.domain:
            return None
        return srs.reverse(address, self.secrets, now) if srs.is_rewritten(address) else None
