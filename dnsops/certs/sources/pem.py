"""pem:PATH - a PEM file, alone or bundled with its key; or a directory as acme.sh, NixOS, Kubernetes and certbot lay it out.

Standards: RFC 7468. Fails by: `ForUser`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dnsops.base.errors import ForUser
from dnsops.certs.chain import Chain
from dnsops.certs.sources.door import Kind, Place, incomplete, read_chain, unreadable

CHAINS = ("fullchain.pem", "fullchain.cer", "tls.crt", "cert.pem", "chain.pem")
KEYS = ("privkey.pem", "key.pem", "tls.key")


@dataclass(frozen=True, slots=True)
class Pem(Place):
    """A file or a directory."""

    path: Path

    def find(self, host: str) -> Chain:
        try:
            folder = self.path.is_dir()
            names = {entry.name for entry in self.path.iterdir()} if folder else set()
        except OSError as error:
            raise unreadable(self.path, error) from None
        if not folder:
            return read_chain(self.path, "name the file with BEGIN CERTIFICATE in it")
        chain = next((name for name in CHAINS if name in names), None)
        if chain is None:
            raise ForUser(f"a directory with none of {', '.join(CHAINS)} in it", str(self.path), "name the file itself")
        key = next((self.path / name for name in KEYS if name in names), None)
        return read_chain(self.path / chain, "name the file itself", key)

    def describe(self) -> str:
        return str(self.path)


def parse(kind: Kind, rest: str) -> Pem:
    if not rest:
        raise incomplete(kind, rest)
    return Pem(Path(rest))
