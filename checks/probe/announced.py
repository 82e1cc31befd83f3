"""What sources of routing data say, read into values: RISwhois's RPSL, Routinator's validity. Pure.

    announcements("route: 192.0.2.0/24\\norigin: AS64496\\nnum-rispeers: 300\\n")   ->  (Announcement(64496, "192.0.2.0/24"),)
    validity(document)  ->  Judged(Validity.INVALID, 1, "as")

Standards: RFC 2622 2 (RPSL objects), RFC 4012 (route6), RFC 6811 2 (validity). Limits: LARGEST octets, MOST routes of an address.
Fails by: what makes no sense is passed over in RPSL; ValueError for a document that is not Routinator's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from checks.facts.routing import Validity

LARGEST = 1 << 20
MOST = 100
FEWEST_PEERS = 10  # who sees a route; fewer, and it is local or a mistake
KEPT_BITS = {4: 24, 6: 48}  # of an address that is asked about


@dataclass(frozen=True, slots=True)
class Announcement:
    """Who announces which prefix."""

    asn: int
    prefix: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What the relying party says of a route. roas: how many cover the prefix.  reason: of an invalid one."""

    validity: Validity
    roas: int = 0
    reason: str = ""


def asked(address: str) -> str:
    """The address that sources are asked about: the first of its /24 or /48, as nobody needs to know more."""
    parsed = ip_address(address)
    return str(_network(f"{parsed}/{KEPT_BITS[parsed.version]}").network_address)


def worldwide(address: str) -> bool:
    """Whether it is an address that can have routes at all."""
    return ip_address(address).is_global


def announcements(text: str) -> tuple[Announcement, ...]:
    """The routes that enough peers see, each once."""
    found: dict[Announcement, None] = {}
    for block in text[:LARGEST].replace("\r", "").split("\n\n"):
        read = _route(_attributes(block))
        if read is not None and len(found) < MOST:
            found[read] = None
    return tuple(found)


def _attributes(block: str) -> dict[str, str]:
    lines = (line.partition(":") for line in block.splitlines() if line[:1] not in ("%", "#", "", " "))
    return {key.strip().lower(): value.partition("#")[0].strip() for key, colon, value in lines if colon}


def _route(attributes: dict[str, str]) -> Announcement | None:
    prefix = attributes.get("route") or attributes.get("route6")
    origin = attributes.get("origin", "").upper().removeprefix("AS")
    peers = attributes.get("num-rispeers", "")
    if not prefix or not _number(origin) or not _number(peers) or int(peers) < FEWEST_PEERS:
        return None
    try:
        return Announcement(int(origin), str(_network(prefix)))
    except ValueError:
        return None


def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text, strict=False)


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10


def validity(document: bytes) -> Judged:
    """Routinator's answer about one route."""
    if len(document) > LARGEST:
        raise ValueError(f"longer than {LARGEST} octets")
    try:
        told = json.loads(document)["validated_route"]["validity"]
        groups = told.get("VRPs", {})
        roas = sum(len(groups.get(group, ())) for group in ("matched", "unmatched_as", "unmatched_length"))
        return Judged(Validity(told["state"]), roas, str(told.get("reason", ""))[:40])
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not what Routinator answers ({type(error).__name__})") from None
