"""What the tests of issuing share: an order as a program of ours makes it, and the zone looked at past us."""

from __future__ import annotations

import io
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from dnsops.acme.accounts import Terms
from dnsops.acme.authority import Acme, World
from dnsops.acme.dns01 import Dns01
from dnsops.acme.door import Wish
from dnsops.base.log import Log
from dnsops.providers import choose
from dnsops.providers.door import Provider
from tests.lab.acme import signing_request
from tests.lab.dnstree import DnsTree
from tests.lab.network import PRIMARY
from tests.lab.pki import new_key

CONTACT = "user1@example.org"
NAMES = ("example.org", "*.example.org", "mx1.example.org", "mta-sts.example.org")
STRANGER = "_acme-challenge.example.org", "somebody else is at it"


class Said(io.StringIO):
    """A log that is read afterwards."""

    def isatty(self) -> bool:
        return True


def log() -> tuple[Log, Said]:
    said = Said()
    return Log(said, json_lines=False), said


def authority(url: str, state: Path, terms: Terms | None = None, naps: list[float] | None = None) -> Acme:
    """With short naps: the servers are next door."""

    def nap(seconds: float) -> None:
        import time

        if naps is not None:
            naps.append(seconds)
        time.sleep(min(seconds, 0.05))

    return Acme(url, terms or Terms(CONTACT), World(state, Log(Said(), quiet=True), nap))


def solver(provider: Provider, state: Path) -> Dns01:
    return Dns01(provider, state, Log(Said(), quiet=True))


def knot(tree: DnsTree) -> Provider:
    return choose.parse(f"rfc2136:{PRIMARY}", key_file=tree.tsig_file, environ={})


def wish(*names: str, key: EllipticCurvePrivateKey | None = None, **fields: object) -> Wish:
    names = names or NAMES
    return Wish(names, signing_request(key or new_key(), names), **fields)  # type: ignore[arg-type]


def names_of(pem: bytes) -> set[str]:
    leaf = x509.load_pem_x509_certificates(pem)[0]
    found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(found.get_values_for_type(x509.DNSName))


def challenges_out(tree: DnsTree) -> set[tuple[str, str]]:
    """Every _acme-challenge record in the zone: owner and text."""
    return {
        (name, data.to_text().strip('"'))
        for name, _, data in tree.axfr("example.org")
        if name.startswith("_acme-challenge") and data.rdtype.name == "TXT"
    }
