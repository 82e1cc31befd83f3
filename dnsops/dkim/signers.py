"""The keys that a running server signs with: read once, and swapped live when the ring changes.

    signers = Signers(Keys(state / "dkim"), ("example.org",), log)
    signers.look()                       # now and then; costs one stat a domain
    for signer in signers.of("example.org"): ...

Standard: RFC 8463 3 (both algorithms sign, each with its own selector).
Fails by: keeping what it has, and saying so in the log; without anything yet, by signing nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from dnsops.base.errors import ForUser
from dnsops.base.log import Log
from dnsops.dkim.keys import Keys, Signer, Stamp


class Signers:
    """See the module."""

    def __init__(self, keys: Keys, domains: Iterable[str], log: Log) -> None:
        self._keys, self._log = keys, log
        self._stamps: dict[str, Stamp | None] = dict.fromkeys(domains)
        self._held: dict[str, tuple[Signer, ...]] = {}
        self._troubles: dict[str, str] = {}

    def of(self, domain: str) -> tuple[Signer, ...]:
        """What may sign for a domain (lower case) now; empty for strangers, and before the first keys are known."""
        return self._held.get(domain, ())

    def look(self) -> bool:
        """Take up what changed on disk; whether anything did."""
        changed = [domain for domain in self._stamps if self._look_at(domain)]
        return bool(changed)

    def _look_at(self, domain: str) -> bool:
        stamp = self._keys.stamp(domain)
        if stamp is None or stamp == self._stamps[domain]:
            return False
        try:
            found = self._keys.signers(domain)
            for signer in found:
                _ = signer.key  # parsed now, and not while a message waits
        except (ForUser, ValueError) as error:
            self._complain(domain, str(error))
            return False
        self._stamps[domain] = stamp
        self._troubles.pop(domain, None)
        if found == self.of(domain):
            return False
        self._held[domain] = found
        self._log("dkim.signing", domain=domain, selectors=[signer.selector for signer in found])
        return True

    def _complain(self, domain: str, why: str) -> None:
        """Once; the next look tries again."""
        if self._troubles.get(domain) != why:
            self._troubles[domain] = why
            self._log("dkim.kept", domain=domain, why=why)
