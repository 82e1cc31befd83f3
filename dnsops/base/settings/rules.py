"""What spans several settings: each rule looks at the whole and names the places where it is broken. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dnsops.base.settings.model import Dns, Settings
from dnsops.base.settings.tree import KeyPath, dotted


@dataclass(frozen=True)
class Conflict:
    """Where, what, and what now."""

    path: KeyPath
    what: str
    advice: str


def names_once(settings: Settings) -> Iterator[Conflict]:
    """An account's name, and an address, belongs to one account."""
    yield from _twice((("accounts", n, "name"), account.name) for n, account in enumerate(settings.accounts))
    yield from _twice(
        (("accounts", n, "addresses", m), address)
        for n, account in enumerate(settings.accounts)
        for m, address in enumerate(account.addresses)
    )
    yield from _twice((("domains", n), name) for n, name in enumerate(settings.domains))


def targets_once(settings: Settings) -> Iterator[Conflict]:
    """A port of a host has one target: two would undo each other's work."""
    yield from _twice(
        (("tlsa", "targets", n, "ports", m), f"{target.host}:{port}")
        for n, target in enumerate(settings.tlsa.targets)
        for m, port in enumerate(target.ports)
    )


def one_password(settings: Settings) -> Iterator[Conflict]:
    """A password or its hash, one of them."""
    for n, account in enumerate(settings.accounts):
        yield from _password(("accounts", n), account.password, account.password_hash)
    if settings.admin:
        yield from _password(("admin",), settings.admin.password, settings.admin.password_hash)


def provider_has_its_place(settings: Settings) -> Iterator[Conflict]:
    """RFC 2136 needs a server, a zone file its path."""
    if settings.dns:
        yield from _place(("dns",), settings.dns)
    for n, target in enumerate(settings.tlsa.targets):
        if target.dns:
            yield from _place(("tlsa", "targets", n, "dns"), target.dns)


RULES: tuple[Callable[[Settings], Iterator[Conflict]], ...] = (
    names_once,
    targets_once,
    one_password,
    provider_has_its_place,
)

_PLACES = {"rfc2136": ("server", "ns1.example.org"), "zonefile": ("path", "/var/lib/knot/example.org.zone")}
_BELONGS = {"token": "cloudflare", "server": "rfc2136", "key_file": "rfc2136", "path": "zonefile"}


def conflicts(settings: Settings) -> list[Conflict]:
    """Every broken rule."""
    return [conflict for rule in RULES for conflict in rule(settings)]


def _twice(named: Iterator[tuple[KeyPath, str]]) -> Iterator[Conflict]:
    first: dict[str, KeyPath] = {}
    for path, name in named:
        key = name.casefold()
        if key in first:
            yield Conflict(path, f"{name} is there twice", f"it is {dotted(first[key])} already: keep one")
        first.setdefault(key, path)


def _password(path: KeyPath, password: object, password_hash: object) -> Iterator[Conflict]:
    if password and password_hash:
        yield Conflict((*path, "password_hash"), "both password and password_hash are given", "keep one")
    if not password and not password_hash:
        yield Conflict(path, "has no password", "add `password: !file PATH` or `password_hash:`")


def _place(path: KeyPath, dns: Dns) -> Iterator[Conflict]:
    wanted, like = _PLACES.get(dns.provider, ("", ""))
    if wanted and not getattr(dns, wanted):
        yield Conflict(path, f"the provider {dns.provider} needs `{wanted}`", f"add `{wanted}: {like}`")
    for key, provider in _BELONGS.items():
        if getattr(dns, key) and provider != dns.provider:
            yield Conflict(
                (*path, key), f"means nothing to the provider {dns.provider}", f"it is for {provider}: remove it"
            )
