"""A host that mail may go to, and the domain that it is for. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from dnsops.base.errors import ForUser
from dnsops.records import names

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


def mail_domain(text: str) -> str:
    """A domain as policies and reports know it: A-labels, lower case, no final dot; an address literal in lower case."""
    try:
        return names.canonical(text)
    except ForUser:
        return text.lower()
