"""mailsrv: - our own generations (dnsops/certs/generations): the current pair, and the next key before anyone sees it.

mailsrv:DIR for another directory than the state's. Fails by: `ForUser` while there is no current pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dnsops.base.errors import ForUser
from dnsops.certs.chain import Chain
from dnsops.certs.generations import Generation, Generations, default_directory
from dnsops.certs.sources.door import Kind, Place, near


@dataclass(frozen=True, slots=True)
class Ours(Place):
    """The generations under a directory."""

    generations: Generations

    def find(self, host: str) -> Chain:
        """The current chain."""
        pair = self.generations.current(host)
        if pair is None or pair.chain is None:
            there = self.generations.hosts()
            advice = "its first certificate is not issued yet" if host in there else near(host, there)
            raise ForUser(f"no certificate of our own for {host}", str(self.generations.directory), advice)
        if pair.spki != pair.chain.spki:
            raise ForUser("key mismatch: key.pem is not the certificate's", str(pair.path), "restore the directory")
        return pair.chain

    def upcoming(self, host: str) -> Generation | None:
        """The next key, whose record must be out before it is served."""
        return self.generations.next(host)

    def describe(self) -> str:
        return f"our own keys in {self.generations.directory}"


def parse(kind: Kind, rest: str) -> Ours:
    return Ours(Generations(Path(rest) if rest else default_directory()))
