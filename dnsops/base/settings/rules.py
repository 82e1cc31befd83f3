"""What spans several settings: each rule looks at the whole and names the places where it is broken. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from dnsops.base.printable import printable
from dnsops.base.secrets import Secret
from dnsops.base.settings.mailserver import Account
from dnsops.base.settings.model import Dns, Settings
from dnsops.base.settings.patterns import BadPattern, pattern
from dnsops.base.settings.tree import KeyPath, Reference, dotted

# How password hashes may be marked; mailsrv.directory.hashes reads them, and its tests keep the two lists one.
# fmt: off
PASSWORD_SCHEMES = (
    "ARGON2ID", "ARGON2I", "SHA512-CRYPT", "SHA256-CRYPT", "MD5-CRYPT",
    "BLF-CRYPT", "BCRYPT", "CRYPT", "PBKDF2", "SCRYPT", "SCRAM-SHA-256", "SCRAM-SHA-1",
    "SSHA", "SSHA256", "SSHA512", "SMD5", "SHA", "SHA1", "SHA256", "SHA512",
    "MD5", "PLAIN-MD5", "LDAP-MD5", "PLAIN", "CLEAR", "CLEARTEXT",
)
# fmt: on
PASSWORD_PREFIXES = ("$argon2", "$6$", "$5$", "$1$", "$2a$", "$2b$", "$2y$", "$pbkdf2", "$scrypt$")


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
    yield from _twice(
        [
            *((("aliases", n, "address"), alias.address) for n, alias in enumerate(settings.aliases)),
            *((("groups", n, "address"), group.address) for n, group in enumerate(settings.groups)),
        ]
    )
    yield from _twice((("domains", n), name) for n, name in enumerate(settings.domains))


def targets_once(settings: Settings) -> Iterator[Conflict]:
    """A port of a host has one target: two would undo each other's work."""
    yield from _twice(
        (("tlsa", "targets", n, "ports", m), f"{target.host}:{port}")
        for n, target in enumerate(settings.tlsa.targets)
        for m, port in enumerate(target.ports)
    )


def dkim_keys_have_time(settings: Settings) -> Iterator[Conflict]:
    """Each algorithm and domain once; and a generation of keys is gone before many more are made."""
    dkim = settings.dkim
    for key, values in (("algorithms", dkim.algorithms), ("domains", dkim.domains)):
        yield from _twice((("dkim", key, n), name) for n, name in enumerate(values))
    if dkim.rotate_every and dkim.rotate_every < dkim.hold + dkim.revoked:
        yield Conflict(
            ("dkim", "rotate_every"), "keys would change faster than their records leave", "write it like 90d"
        )


def one_owner(settings: Settings) -> Iterator[Conflict]:
    """An address of an account is no other's name, no group, and an alias only of that account itself."""
    owners = {address.casefold(): account.name for account in settings.accounts for address in account.addresses}
    for n, account in enumerate(settings.accounts):
        owner = owners.get(account.name.casefold(), account.name)
        if owner != account.name:
            yield Conflict(("accounts", n, "name"), f"is an address of the account {owner}", "choose another name")
    for n, group in enumerate(settings.groups):
        if group.address.casefold() in owners:
            owner = owners[group.address.casefold()]
            yield Conflict(("groups", n, "address"), f"is an address of the account {owner}", "choose another address")
    for n, alias in enumerate(settings.aliases):
        owner = owners.get(alias.address.casefold(), "")
        if owner and owner not in alias.to:
            yield Conflict(
                ("aliases", n, "address"), f"is an address of the account {owner}", f"add {owner} to `to`, or remove it"
            )


def accounts_are_there(settings: Settings) -> Iterator[Conflict]:
    """What names an account names one that there is."""
    known = [account.name for account in settings.accounts]
    for path, name, address_too in _named(settings):
        if name not in known and not (address_too and "@" in name):
            yield Conflict(path, f"there is no account {name}", f"write one of: {', '.join(known[:8]) or 'none yet'}")
    for domain in settings.catch_all:
        if domain not in settings.domains:
            yield Conflict(("catch_all", domain), f"{domain} is not one of `domains`", "add it there, or remove this")


def patterns_are_read(settings: Settings) -> Iterator[Conflict]:
    """A pattern of may_send_as can be matched."""
    for n, account in enumerate(settings.accounts):
        for m, text in enumerate(account.may_send_as):
            try:
                pattern(text)
            except BadPattern as error:
                yield Conflict(
                    ("accounts", n, "may_send_as", m),
                    f"not a pattern: {error}",
                    "write it like user1+*@example.org or re:(sales|info)@example\\.org",
                )


def one_password(settings: Settings) -> Iterator[Conflict]:
    """A password or its hash, one of them, and of a kind that is known."""
    for n, account in enumerate(settings.accounts):
        yield from _password(("accounts", n), account.password, account.password_hash)
        yield from _scram_keys(("accounts", n, "scram_keys"), account)
        for m, app in enumerate(account.app_passwords):
            yield from _password(("accounts", n, "app_passwords", m), app.password, app.password_hash)
    if settings.admin:
        yield from _password(("admin",), settings.admin.password, settings.admin.password_hash)


def provider_has_its_place(settings: Settings) -> Iterator[Conflict]:
    """RFC 2136 needs a server, a zone file its path."""
    if settings.dns:
        yield from _place(("dns",), settings.dns)
    for n, target in enumerate(settings.tlsa.targets):
        if target.dns:
            yield from _place(("tlsa", "targets", n, "dns"), target.dns)


def pairs_are_whole(settings: Settings) -> Iterator[Conflict]:
    """A certificate has a key, a password a name, and a relay that is logged in to is a host."""
    tls, queue = settings.tls, settings.queue
    if (tls.certificate is None) != (tls.key is None):
        missing = "key" if tls.key is None else "certificate"
        yield Conflict(("tls",), f"`{missing}` is missing", "name both files, or neither")
    if (queue.user is None) != (queue.password is None):
        missing = "password" if queue.password is None else "user"
        yield Conflict(("queue",), f"`{missing}` is missing", "give both, or neither")
    elif queue.user and queue.next_hop in (None, "local"):
        yield Conflict(("queue", "user"), "there is nobody to log in to", "name the host in queue.next_hop")
    if (settings.backup.access_key is None) != (settings.backup.secret_key is None):
        missing = "secret_key" if settings.backup.secret_key is None else "access_key"
        yield Conflict(("backup",), f"`{missing}` is missing", "give both, or neither")


def echoes_are_ours(settings: Settings) -> Iterator[Conflict]:
    """An echo address is in a domain of ours, and nobody's."""
    taken = {address.casefold() for account in settings.accounts for address in account.addresses}
    taken |= {alias.address.casefold() for alias in settings.aliases}
    taken |= {group.address.casefold() for group in settings.groups}
    for n, address in enumerate(settings.echo.addresses):
        path, domain = ("echo", "addresses", n), address.rpartition("@")[2]
        if domain not in settings.domains:
            yield Conflict(path, f"{domain} is not one of `domains`", "add it there, or choose another address")
        elif address.casefold() in taken:
            yield Conflict(path, f"{address} is somebody's address", "choose another one")
    yield from _twice((("echo", "addresses", n), address) for n, address in enumerate(settings.echo.addresses))
    yield from _twice((("spam", "dnsbl", n, "zone"), one.zone) for n, one in enumerate(settings.spam.dnsbl))


RULES: tuple[Callable[[Settings], Iterator[Conflict]], ...] = (
    names_once,
    dkim_keys_have_time,
    one_owner,
    accounts_are_there,
    patterns_are_read,
    targets_once,
    one_password,
    provider_has_its_place,
    pairs_are_whole,
    echoes_are_ours,
)

_PLACES = {
    "rfc2136": {"server": "ns1.example.org"},
    "zonefile": {"path": "/var/lib/knot/example.org.zone"},
    "octodns": {"config": "/etc/octodns/production.yaml", "name": "route53"},
}
_BELONGS = {
    "token": "cloudflare",
    "server": "rfc2136",
    "key_file": "rfc2136",
    "path": "zonefile",
    "config": "octodns",
    "name": "octodns",
}


def conflicts(settings: Settings) -> list[Conflict]:
    """Every broken rule."""
    return [conflict for rule in RULES for conflict in rule(settings)]


def _twice(named: Iterable[tuple[KeyPath, str]]) -> Iterator[Conflict]:
    first: dict[str, KeyPath] = {}
    for path, name in named:
        key = name.casefold()
        if key in first:
            yield Conflict(path, f"{name} is there twice", f"it is {dotted(first[key])} already: keep one")
        first.setdefault(key, path)


def _named(settings: Settings) -> Iterator[tuple[KeyPath, str, bool]]:
    """Where accounts are named, and whether an address may stand there too."""
    for n, alias in enumerate(settings.aliases):
        yield from ((("aliases", n, "to", m), name, True) for m, name in enumerate(alias.to))
    for n, group in enumerate(settings.groups):
        yield from ((("groups", n, "members", m), name, False) for m, name in enumerate(group.members))
    yield from ((("catch_all", domain), name, True) for domain, name in settings.catch_all.items())
    if settings.postmaster:
        yield ("postmaster",), settings.postmaster, False


def _scram_keys(path: KeyPath, account: Account) -> Iterator[Conflict]:
    keys = account.scram_keys
    if keys and not isinstance(keys, Reference) and not keys.reveal().startswith("{SCRAM-SHA-"):
        yield Conflict(path, "not SCRAM keys", "`mailsrv account hash --scheme SCRAM-SHA-256` makes them")


def _password(path: KeyPath, password: Secret | None, password_hash: Secret | None) -> Iterator[Conflict]:
    if password_hash and not isinstance(password_hash, Reference) and (scheme := _unknown(password_hash.reveal())):
        yield Conflict((*path, "password_hash"), f"the scheme {scheme} is not known", f"known are {_KNOWN}")
    if password and password_hash:
        yield Conflict((*path, "password_hash"), "both password and password_hash are given", "keep one")
    if not password and not password_hash:
        yield Conflict(path, "has no password", "add `password: !file PATH` or `password_hash:`")


def _unknown(text: str) -> str:
    """The mark of a hash, if nobody here reads it."""
    if text.startswith("{"):
        name = text[1:].partition("}")[0]
        return "" if name.upper().partition(".")[0] in PASSWORD_SCHEMES else f"{{{printable(name[:20])}}}"
    return "" if text.startswith(PASSWORD_PREFIXES) else printable("$".join(text.split("$")[:2])[:20]) + "$"


_KNOWN = "$argon2id$, {ARGON2ID}, {SHA512-CRYPT}, {BLF-CRYPT}, {PBKDF2}, {SSHA512}, {SCRAM-SHA-256} and their kin"


def _place(path: KeyPath, dns: Dns) -> Iterator[Conflict]:
    for wanted, like in _PLACES.get(dns.provider, {}).items():
        if not getattr(dns, wanted):
            yield Conflict(path, f"the provider {dns.provider} needs `{wanted}`", f"add `{wanted}: {like}`")
    for key, provider in _BELONGS.items():
        if getattr(dns, key) and provider != dns.provider:
            yield Conflict(
                (*path, key), f"means nothing to the provider {dns.provider}", f"it is for {provider}: remove it"
            )
