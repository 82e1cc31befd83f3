"""A host that mail may go to. Pure."""

from __future__ import annotations

from dataclasses import dataclass

PORT = 25


@dataclass(frozen=True, slots=True)
class Host:
    """A host to try. `canonical`: its name after CNAMEs; `proven`: DNSSEC proves all its addresses (RFC 7672 2.2.2)."""

    name: str
    addresses: tuple[str, ...]
    port: int = PORT
    canonical: str = ""
    proven: bool = False
    preference: int = 0
