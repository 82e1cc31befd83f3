"""From what a person wrote - options or configuration - to targets. Decides; the doors it names are opened by others.

Fails by: `Misused` for options, with what is missing and how to write it.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache

from dnsops.base.errors import ForUser, Misused
from dnsops.certs.wire import how_for
from dnsops.providers.door import Provider
from dnsops.reconcile.target import DEFAULT_TTL, LONGEST_TTL, SHORTEST_TTL, Keys, Source, Target
from dnsops.records import names
from dnsops.records.tlsa import MATCHINGS, SELECTORS
from dnsops.rollover.look import Form, Policy

_PORT = re.compile(r"([0-9]{1,5})(?:/([a-z0-9]+))?", re.IGNORECASE)


@dataclass(frozen=True)
class Wish:
    """What was asked, still as text. ports: `25` or `2525/smtp`. sources, next: `pem:PATH` and the like."""

    hosts: tuple[str, ...]
    ports: tuple[str, ...] = ("25",)
    sources: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    provider: str = ""
    ttl: int = DEFAULT_TTL
    forms: tuple[str, ...] = ("3 1 1",)
    addresses: tuple[str, ...] = ()
    reload: tuple[str, ...] = ()
    allow_insecure: bool = False
    probe: bool = True
    adopt: bool = False


@dataclass(frozen=True)
class Doors:
    """How names become things: a source's, a provider's, our own keys'."""

    source: Callable[[str], Source]
    provider: Callable[[str], Provider]
    keys: Callable[[], Keys]
    where: str = field(default="")


def targets(wish: Wish, doors: Doors, need_source: bool = True) -> list[Target]:
    """One target for each host and port."""
    if not wish.hosts:
        raise Misused("no host is named", doors.where, "add --host mx1.example.org (or --domain example.org)")
    if need_source and not wish.sources:
        raise Misused(
            "no source is named", doors.where, "add --source pem:PATH; `mailsrv cert sources` lists all kinds"
        )
    policy = Policy(
        forms=tuple(form(text) for text in wish.forms),
        allow_insecure=wish.allow_insecure,
        probe=wish.probe,
        adopt=wish.adopt,
    )
    own = any(spec.partition(":")[0] == "mailsrv" for spec in wish.sources)
    sources, later = _opened(wish.sources, doors), _opened(wish.next, doors)
    provider = cache(lambda: doors.provider(wish.provider)) if wish.provider else None
    return [
        Target(
            host=name,
            port=number,
            sources=sources,
            policy=policy,
            ttl=ttl(wish.ttl, doors.where),
            how=how,
            addresses=tuple(map(address, wish.addresses)),
            next_sources=later,
            keys=doors.keys() if own else None,
            reload=wish.reload,
            provider=provider,
        )
        for name in dict.fromkeys(host(text, doors.where) for text in wish.hosts)
        for number, how in _spoken(wish)
    ]


def _opened(specs: Iterable[str], doors: Doors) -> tuple[Source, ...]:
    return tuple(doors.source(spec) for spec in specs)


def host(text: str, where: str = "") -> str:
    """A host's name in the one spelling: A-labels, lower case."""
    try:
        return names.host(text)
    except ForUser as error:
        raise Misused(error.what, where or "--host", error.advice or "write a name such as mx1.example.org") from None


def address(text: str) -> str:
    """An address to probe."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        raise Misused(f"{text!r} is no address", "--address", "write 192.0.2.25 or 2001:db8::25") from None


def command(text: str) -> tuple[str, ...]:
    """A command line as a shell would split it; no shell ever sees it."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise Misused(f"{text!r} cannot be split into words ({error})", "--reload", "close the quotation") from None


def _spoken(wish: Wish) -> list[tuple[int, str]]:
    """The ports, each with what it speaks before TLS when somebody is to look at it."""
    ports = dict(port(text) for text in wish.ports)
    for number, how in ports.items() if wish.probe else ():
        how_for(number, how)
    return list(ports.items())


def port(text: str) -> tuple[int, str]:
    """`25` -> (25, ""); `2525/smtp` -> (2525, "smtp")."""
    match = _PORT.fullmatch(text.strip())
    if not match or not 1 <= int(match[1]) <= 65535:
        raise Misused(f"{text!r} is not a port", "--port", "write a number from 1 to 65535, or 2525/smtp")
    return int(match[1]), match[2] or ""


def form(text: str) -> Form:
    """`3 1 1` or `311` -> (3, 1, 1): usage, selector and matching type that mean something for mail."""
    words = tuple(text.split()) if " " in text.strip() else tuple(text.strip())
    if len(words) != 3 or not all(word.isdigit() for word in words):
        raise Misused(f"{text!r} is not a form of TLSA", "--form", "write usage, selector and matching type: 3 1 1")
    usage, selector, matching = (int(word) for word in words)
    if usage not in (2, 3):
        raise Misused(f"{text!r}: usage {usage} means nothing for mail (RFC 7672 3.1.3)", "--form", "write 3 1 1")
    if selector not in SELECTORS or matching not in MATCHINGS:
        raise Misused(f"{text!r}: no such selector or matching type", "--form", "write 3 1 1")
    return usage, selector, matching


def ttl(seconds: int, where: str = "") -> int:
    """A TTL that can be waited for twice."""
    place = where or "--ttl"
    if seconds == 0:
        raise Misused("TTL 0: resolvers would ask each time, and some treat it badly", place, "write 300")
    if seconds == 1:
        raise Misused("TTL 1 means automatic at Cloudflare, and a wait of two TTLs needs a number", place, "write 300")
    if not SHORTEST_TTL <= seconds <= LONGEST_TTL:
        raise Misused(f"TTL {seconds} is not between {SHORTEST_TTL} and {LONGEST_TTL} seconds", place, "write 300")
    return seconds


def combined(lists: Iterable[list[Target]]) -> list[Target]:
    """All targets, each port of a host once: two domains may share an MX, which may be named itself, too."""
    seen: dict[tuple[str, int], Target] = {}
    for target in (target for entry in lists for target in entry):
        seen.setdefault((target.host, target.port), target)
    return list(seen.values())
