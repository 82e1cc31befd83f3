"""traefik:FILE#NAME - Traefik's acme.json: certificates per resolver (version 2 and 3), or all at the top (version 1).

The values are base64 of PEM, certificate and key apart. NAME is a main name or an alternative; without it the host's.
Fails by: `ForUser`. The file also holds keys: it is read into memory and forgotten.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dnsops.base import clock
from dnsops.base.errors import ForUser
from dnsops.certs.chain import Chain, check_key, from_pem
from dnsops.certs.sources.door import Kind, Place, best, near, read_file, split

LARGEST_FILE = 32 << 20
_ADVICE = "give the file that certificatesResolvers.*.acme.storage names"


@dataclass(frozen=True, slots=True)
class Traefik(Place):
    """One name in one file; an empty name means the host's."""

    path: Path
    name: str = ""

    def find(self, host: str) -> Chain:
        wanted = (self.name or host).lower()
        held = list(_certificates(self._load()))
        fitting = [entry for entry in held if wanted in _names(entry)]
        if not fitting:
            there = (name for entry in held for name in _names(entry))
            raise ForUser(f"Traefik has no certificate for {wanted}", str(self.path), near(wanted, there))
        where = f"{self.path}#{wanted}"
        chain = best([_chain(entry, where) for entry in fitting], host, clock.now().wall)
        if chain is None:
            raise ForUser("no certificate", where)
        return chain

    def describe(self) -> str:
        return f"Traefik's {self.path}" + (f", {self.name}" if self.name else "")

    def _load(self) -> object:
        data = read_file(self.path, LARGEST_FILE, _ADVICE)
        if not data.strip():
            raise ForUser("is empty: Traefik has no certificate yet", str(self.path), "wait until it has one")
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise ForUser("is not JSON: no acme.json of Traefik's", str(self.path), _ADVICE) from None


def _certificates(document: object) -> Iterator[dict[str, Any]]:
    """Every certificate's object, of every resolver, its keys in lower case (version 1 wrote them capitalised)."""
    top = _lower(document)
    for resolver in (top, *(_lower(value) for value in top.values())):
        held = resolver.get("certificates")
        if isinstance(held, list):
            yield from (_lower(entry) for entry in held)


def _names(entry: dict[str, Any]) -> list[str]:
    domain = _lower(entry.get("domain"))
    alternatives = domain.get("sans")
    names = [domain.get("main"), *(alternatives if isinstance(alternatives, list) else [])]
    return [name.lower() for name in names if isinstance(name, str)]


def _chain(entry: dict[str, Any], where: str) -> Chain:
    chain = from_pem(_pem(entry.get("certificate"), where), where)
    check_key(chain, _pem(entry.get("key") or "", where), where)
    return chain


def _pem(text: object, where: str) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except (ValueError, binascii.Error):
        raise ForUser("not base64 where a certificate or key should be", where, _ADVICE) from None


def _lower(value: object) -> dict[str, Any]:
    return {key.lower(): item for key, item in value.items()} if isinstance(value, dict) else {}


def parse(kind: Kind, rest: str) -> Traefik:
    path, name = split(kind, rest)
    return Traefik(Path(path), name)
