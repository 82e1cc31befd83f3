"""caddy:DIR#NAME - Caddy's storage: DIR/certificates/CA/NAME/NAME.crt with its chain and NAME.key, for each CA it has used.

DIR is $XDG_DATA_HOME/caddy (or its certificates directory); a wildcard is stored as wildcard_.example.org. Of several CAs'
certificates the newest that is fit counts, as Caddy itself serves it.
Fails by: `ForUser`; a damaged one beside a good one does not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dnsops.base import clock
from dnsops.base.errors import ForUser
from dnsops.certs.chain import Chain
from dnsops.certs.sources.door import Kind, Place, best, entries, near, read_chain, split

MOST_AUTHORITIES = 64
MOST_NAMES = 50_000
_ADVICE = "give the directory of Caddy's storage, such as /var/lib/caddy/.local/share/caddy"


@dataclass(frozen=True, slots=True)
class Caddy(Place):
    """One name over all CAs; an empty name means the host's."""

    path: Path
    name: str = ""

    def find(self, host: str) -> Chain:
        folder = self.path if self.path.name == "certificates" else self.path / "certificates"
        authorities = entries(folder, MOST_AUTHORITIES, _ADVICE)
        name = (self.name or host).replace("*", "wildcard_")
        holding = [entry for entry in authorities if (entry / name / f"{name}.crt").exists()]
        if not holding:
            there = (e.name for ca in authorities if ca.is_dir() for e in entries(ca, MOST_NAMES, _ADVICE))
            raise ForUser(f"Caddy has no certificate named {name}", str(folder), near(name, there))
        chains, errors = _read([entry / name for entry in holding])
        newest = best(chains, host, clock.now().wall)
        if newest is None:
            raise errors[0]
        return newest

    def describe(self) -> str:
        return f"Caddy's {self.path}" + (f", {self.name}" if self.name else "")


def _read(folders: list[Path]) -> tuple[list[Chain], list[ForUser]]:
    chains, errors = [], []
    for folder in folders:
        try:
            chains.append(read_chain(folder / f"{folder.name}.crt", _ADVICE, folder / f"{folder.name}.key"))
        except ForUser as error:
            errors.append(error)
    return chains, errors


def parse(kind: Kind, rest: str) -> Caddy:
    path, name = split(kind, rest)
    return Caddy(Path(path), name)
