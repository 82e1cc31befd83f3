"""lego:DIR#NAME - what lego keeps: DIR/certificates/NAME.crt with its chain, NAME.key, a wildcard as _.example.org.

DIR is lego's --path (or its certificates directory); without #NAME the host's own name is taken.
Fails by: `ForUser`; when the name is not there, with the names that are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dnsops.base.errors import ForUser
from dnsops.certs.chain import Chain
from dnsops.certs.sources.door import Kind, Place, entries, near, read_chain, split

MOST_FILES = 50_000


@dataclass(frozen=True, slots=True)
class Lego(Place):
    """One certificate in lego's directory; an empty name means the host's."""

    path: Path
    name: str = ""

    def find(self, host: str) -> Chain:
        folder = self.path if self.path.name == "certificates" else self.path / "certificates"
        found = {entry.name for entry in entries(folder, MOST_FILES, "give the directory that lego has as --path")}
        name = (self.name or host).replace("*", "_")
        if f"{name}.crt" not in found:
            there = (n.removesuffix(".crt") for n in found if n.endswith(".crt") and not n.endswith(".issuer.crt"))
            raise ForUser(f"lego has no certificate named {name}", str(folder), near(name, there))
        return read_chain(folder / f"{name}.crt", "see `lego list`", folder / f"{name}.key")

    def describe(self) -> str:
        return f"lego's {self.path}" + (f", {self.name}" if self.name else "")


def parse(kind: Kind, rest: str) -> Lego:
    path, name = split(kind, rest)
    return Lego(Path(path), name)
