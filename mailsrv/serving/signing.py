"""The keys that this configuration signs with, by domain: the ring of `mailsrv dkim`, read again when it changes.

    keys = signing(settings, state, log)
    keys.look()                          now and then; costs one stat a domain
    keys.signers("example.org")          those that may sign now

Fails by: keeping what it has, and saying so in the log; without keys nothing is signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.base.log import Log
from dnsops.dkim.keys import Keys
from dnsops.dkim.signers import Signers
from mailsrv.auth.keys import Signer

if TYPE_CHECKING:
    from dnsops.base.settings import Settings

DKIM = "dkim"  # in the state directory


@dataclass(frozen=True)
class Ring:
    """See the module."""

    held: Signers

    def look(self) -> None:
        self.held.look()

    def signers(self, domain: str) -> Sequence[Signer]:
        return [Signer(one.domain, one.selector, one.key) for one in self.held.of(domain)]


def signing(settings: Settings, state: Path, log: Log) -> Ring:
    """Looked at once already. `dkim.sign: false` signs for nobody."""
    domains = settings.signing_domains
    ring = Ring(Signers(Keys(state / DKIM), domains, log))
    ring.look()
    return ring
