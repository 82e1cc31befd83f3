"""What an ACME server says, read as from a stranger: its directory, orders, authorisations, challenges and problems. Pure.

Standards: RFC 8555 7.1 (resources), 6.7 (problems; RFC 9457), RFC 9773 3 (renewalInfo), draft-ietf-acme-profiles,
draft-ietf-acme-dns-persist. Every address must be https (RFC 8555 6.1).
Limits: LARGEST octets an answer, MOST_AUTHORISATIONS, MOST_CHALLENGES, texts of LONGEST characters.
Fails by: `Malformed`, a `ForUser` that says which part is not as the standard has it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from dnsops.base.errors import ForUser
from dnsops.base.printable import printable

LARGEST = 1 << 18
MOST_AUTHORISATIONS, MOST_CHALLENGES, MOST_PROFILES, MOST_IDENTITIES, MOST_SUBPROBLEMS = 200, 20, 50, 20, 10
LONGEST = 2048
LONGEST_DETAIL = 600
LONGEST_WAIT = 86400.0  # seconds; who asks for more is asked again tomorrow
PREFIX = "urn:ietf:params:acme:error:"
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}")  # RFC 8555 8.1
_ADDRESS = re.compile(r"https://[!-~]+")

Json = Mapping[str, Any]


class Malformed(ForUser):
    """An answer that is none."""

    def __init__(self, what: str) -> None:
        super().__init__(f"its answer is not as RFC 8555 says: {what}", "the authority", "check acme.directory")


@dataclass(frozen=True, slots=True)
class Directory:
    """Where everything is (RFC 8555 7.1.1). renewal_info, terms: "" when there is none.  profiles: name -> description."""

    new_nonce: str
    new_account: str
    new_order: str
    renewal_info: str = ""
    terms: str = ""
    identities: tuple[str, ...] = ()
    binding_required: bool = False
    profiles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the server says no. kind: the last word of an ACME error's type, else "".  name: the identifier it is about."""

    kind: str
    detail: str
    status: int = 0
    name: str = ""
    more: tuple[Problem, ...] = ()
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A challenge that may be answered. issuers: dns-persist-01's names for the authority."""

    kind: str
    url: str
    status: str
    token: str = ""
    issuers: tuple[str, ...] = ()
    error: Problem | None = None


@dataclass(frozen=True, slots=True)
class Authorisation:
    """One name's (RFC 8555 7.1.4); `name` without `*.`."""

    name: str
    wildcard: bool
    status: str
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """RFC 8555 7.1.3. certificate: "" until there is one."""

    url: str
    status: str
    authorisations: tuple[str, ...]
    finalize: str
    certificate: str = ""
    error: Problem | None = None


def document(body: bytes) -> Json:
    """A JSON object."""
    if len(body) > LARGEST:
        raise Malformed(f"larger than {LARGEST} octets")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None
    if not isinstance(found, dict):
        raise Malformed("not a JSON object")
    return found


def directory(data: Json) -> Directory:
    meta = data.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    profiles = meta.get("profiles")
    return Directory(
        address(data.get("newNonce"), "newNonce"),
        address(data.get("newAccount"), "newAccount"),
        address(data.get("newOrder"), "newOrder"),
        _optional(data.get("renewalInfo"), "renewalInfo").rstrip("/"),
        _text(meta.get("termsOfService")),
        tuple(_text(one).lower() for one in _list(meta.get("caaIdentities"), MOST_IDENTITIES, "caaIdentities")),
        meta.get("externalAccountRequired") is True,
        _profiles(profiles if isinstance(profiles, dict) else {}),
    )


def order(data: Json, url: str) -> Order:
    urls = _list(data.get("authorizations"), MOST_AUTHORISATIONS, "authorizations")
    return Order(
        url,
        _text(data.get("status")),
        tuple(address(one, "authorizations") for one in urls),
        address(data.get("finalize"), "finalize"),
        _optional(data.get("certificate"), "certificate"),
        _error(data),
    )


def authorisation(data: Json) -> Authorisation:
    identifier = data.get("identifier")
    if not isinstance(identifier, dict) or identifier.get("type") != "dns":
        raise Malformed("an authorisation for something that is no name")
    offers = _list(data.get("challenges"), MOST_CHALLENGES, "challenges")
    return Authorisation(
        _text(identifier.get("value")).lower().removeprefix("*."),
        data.get("wildcard") is True,
        _text(data.get("status")),
        tuple(_offer(one) for one in offers if isinstance(one, dict)),
    )


def problem(data: Json, status: int = 0) -> Problem:
    """A problem document; whatever of it is missing or odd is left empty."""
    kind = _text(data.get("type"))
    identifier = data.get("identifier")
    more = data.get("subproblems")
    return Problem(
        kind.removeprefix(PREFIX) if kind.startswith(PREFIX) else "",
        printable(_text(data.get("detail")))[:LONGEST_DETAIL],
        status,
        printable(_text(identifier.get("value") if isinstance(identifier, dict) else ""))[:253],
        tuple(problem(one) for one in more[:MOST_SUBPROBLEMS] if isinstance(one, dict) and "subproblems" not in one)
        if isinstance(more, list)
        else (),
        _text(data.get("instance")),
    )


def retry_after(text: str, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110 10.2.3): digits or a date; None when it is neither."""
    text = text.strip()[:64]
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_WAIT)
    try:
        when = parsedate_to_datetime(text)
        return min(max((when - now).total_seconds(), 0.0), LONGEST_WAIT)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def address(value: object, what: str) -> str:
    """An https address."""
    if not isinstance(value, str) or len(value) > LONGEST or not _ADDRESS.fullmatch(value):
        raise Malformed(f"{what} is not an https address")
    return value


def _optional(value: object, what: str) -> str:
    return address(value, what) if value else ""


def _offer(data: Json) -> Offer:
    token = _text(data.get("token"))
    several = data.get("issuer-domain-names")
    issuers: Sequence[object] = several if isinstance(several, list) else [data.get("issuer-domain-name")]
    return Offer(
        _text(data.get("type")),
        address(data.get("url"), "a challenge's url"),
        _text(data.get("status")),
        token if TOKEN.fullmatch(token) else "",
        tuple(name.lower() for name in map(_text, issuers[:MOST_IDENTITIES]) if name),
        _error(data),
    )


def _error(data: Json) -> Problem | None:
    found = data.get("error")
    return problem(found) if isinstance(found, dict) else None


def _profiles(found: Json) -> dict[str, str]:
    return {_text(name): printable(_text(found[name])) for name in list(found)[:MOST_PROFILES]}


def _list(value: object, most: int, what: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Malformed(f"{what} is no list")
    if len(value) > most:
        raise Malformed(f"{what} has {len(value)} entries; we take {most}")
    return value


def _text(value: object) -> str:
    return value[:LONGEST] if isinstance(value, str) else ""
