"""The address book of a configuration: accounts, aliases, groups and catch-alls, ready to be looked up. Pure.

    book = Book.of(settings)
    book.resolve("info+x@example.org")      where mail for it goes, a Route
    book.login("user1")                     the account of a login name, or None

Fails by: `Misconfigured`, naming an address or pattern that cannot be read; what spans several settings was refused before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dnsops.base.errors import Misconfigured
from dnsops.base.settings.patterns import BadPattern, Pattern, pattern
from mailsrv.directory.accounts import Account, Route, Target, ToAccount, ToAddress
from mailsrv.directory.address import Mailbox, canonical_domain, folded, parse
from mailsrv.directory.routing import RESERVED, resolve

if TYPE_CHECKING:
    from dnsops.base.settings.mailserver import Account as AccountSettings
    from dnsops.base.settings.model import Settings

LONGEST_LOGIN = 254
REMEMBERED = 4096  # routes
_POSTMASTERS = ("postmaster", "admin")  # account names, by preference


@dataclass(frozen=True)
class Book:
    """A `Table` in memory. Made by `of`."""

    accounts: dict[str, Account]
    targets: dict[Mailbox, tuple[Target, ...]]
    domains: frozenset[str]
    home: str = "localhost"
    hosts: frozenset[str] = frozenset()  # names of ours that are no mail domains: they have a postmaster all the same
    catch_alls: dict[str, tuple[Target, ...]] = field(default_factory=dict)
    postmaster: str = ""
    separators: str = "+"
    _routes: dict[str, Route] = field(default_factory=dict, repr=False, compare=False)  # those asked for lately

    @classmethod
    def of(cls, settings: Settings) -> Book:
        """The book of a configuration."""
        groups = _group_rights(settings)
        accounts = {folded(one.name): _account(one, groups.get(one.name, ())) for one in settings.accounts}
        _one_owner(accounts.values())
        domains = [_domain(name) for name in settings.domains] or _domains_of(accounts)
        return cls(
            accounts,
            dict(_targets(settings, accounts)),
            frozenset(domains),
            domains[0] if domains else settings.hostname,
            frozenset({_domain(settings.hostname)}),
            {_domain(domain): (_target(to, accounts),) for domain, to in settings.catch_all.items()},
            _postmaster(settings.postmaster, accounts),
            settings.subaddress_separator,
        )

    def resolve(self, address: str) -> Route:
        known = self._routes.get(address)
        if known is None:
            if len(self._routes) >= REMEMBERED:
                self._routes.clear()
            known = self._routes[address] = resolve(self, address)
        return known

    def exact(self, address: str) -> bool:
        """Whether someone has just this address: no tag taken off, no catch-all."""
        mailbox = parse(address)
        return mailbox is not None and bool(self.at(mailbox))

    def login(self, name: str) -> Account | None:
        """The account of a login name: its name, or an address of its own. Nothing is guessed: no tags, no aliases."""
        if not name or len(name) > LONGEST_LOGIN or name != name.strip() or not name.isprintable():
            return None
        account = self.accounts.get(folded(name))
        if account is None and (mailbox := parse(name)):
            account = self.owner(mailbox)
        return account if account and account.enabled else None

    def owner(self, mailbox: Mailbox) -> Account | None:
        """The account that has exactly this address as its own."""
        return next((one for one in self._accounts_at(mailbox) if mailbox in one.addresses), None)

    def _accounts_at(self, mailbox: Mailbox) -> Iterator[Account]:
        for target in self.at(mailbox):
            if isinstance(target, ToAccount) and (account := self.account(target.name)):
                yield account

    def account(self, name: str) -> Account | None:
        return self.accounts.get(folded(name))

    def serves(self, domain: str) -> bool:
        return domain in self.domains

    def at(self, mailbox: Mailbox) -> tuple[Target, ...]:
        return self.targets.get(mailbox, ())

    def catch_all(self, domain: str) -> tuple[Target, ...]:
        return self.catch_alls.get(domain, ())

    def reserved(self, mailbox: Mailbox) -> tuple[Target, ...]:
        if mailbox.local not in RESERVED or not self.postmaster:
            return ()
        return (ToAccount(self.postmaster),) if mailbox.domain in self.domains | self.hosts else ()


def _account(one: AccountSettings, groups: tuple[Mailbox, ...]) -> Account:
    addresses = tuple(_mailbox(text, f"the account {one.name}") for text in one.addresses)
    patterns = tuple(_pattern(text, one.name) for text in one.may_send_as)
    return Account(one.name, tuple(dict.fromkeys(addresses)), patterns, groups, one.enabled, octets(one.quota))


def octets(size: str | None) -> int | None:
    """`10 GiB`, `500M`, `2000 KB` -> octets; K, M, G and T are 1024 each time, however they are written."""
    if size is None:
        return None
    count = "".join(char for char in size if char.isdigit())
    unit = size[len(count) :].strip()[:1] or "B"
    return int(count) << (10 * " KMGT".index(unit) if unit in "KMGT" else 0)


def _one_owner(accounts: Iterable[Account]) -> None:
    """Two spellings of one mailbox must not make two owners."""
    owners: dict[Mailbox, str] = {}
    for account in accounts:
        for mailbox in account.addresses:
            if (owner := owners.setdefault(mailbox, account.name)) != account.name:
                raise Misconfigured(
                    f"{mailbox} is an address of two accounts, {owner} and {account.name}", "accounts", "keep one"
                )


def _group_rights(settings: Settings) -> dict[str, tuple[Mailbox, ...]]:
    rights: dict[str, tuple[Mailbox, ...]] = {}
    for group in settings.groups:
        if group.members_may_send:
            for name in group.members:
                rights[name] = (*rights.get(name, ()), _mailbox(group.address, "a group"))
    return rights


def _targets(settings: Settings, accounts: dict[str, Account]) -> Iterator[tuple[Mailbox, tuple[Target, ...]]]:
    """What stands later replaces what stands before: an alias may take over an account's address, and name the account."""
    for account in accounts.values():
        yield from ((mailbox, (ToAccount(account.name),)) for mailbox in account.addresses)
    for group in settings.groups:
        yield _mailbox(group.address, "a group"), tuple(ToAccount(name) for name in group.members)
    for alias in settings.aliases:
        yield _mailbox(alias.address, "an alias"), tuple(_target(to, accounts) for to in alias.to)


def _target(text: str, accounts: dict[str, Account]) -> Target:
    if account := accounts.get(folded(text)):
        return ToAccount(account.name)
    _mailbox(text, "an alias")
    return ToAddress(text)


def _mailbox(text: str, where: str) -> Mailbox:
    mailbox = parse(text)
    if mailbox is None:
        raise Misconfigured(f"not a mail address: {text[:80]!r}", where, "write it like postmaster@example.org")
    return mailbox


def _pattern(text: str, name: str) -> Pattern:
    """A pattern may name an internationalised domain as people write it."""
    local, _, domain = text.rpartition("@")
    if not text.startswith("re:") and not domain.isascii():
        text = f"{local}@{canonical_domain(domain) or domain}"
    try:
        return pattern(text)
    except BadPattern as error:
        raise Misconfigured(
            f"not a pattern: {error}", f"may_send_as of the account {name}", "write it like user1+*@example.org"
        ) from None


def _domain(text: str) -> str:
    return canonical_domain(text) or folded(text)


def _domains_of(accounts: dict[str, Account]) -> list[str]:
    """Without `domains` in the configuration: those of the accounts."""
    return list(dict.fromkeys(mailbox.domain for account in accounts.values() for mailbox in account.addresses))


def _postmaster(wanted: str | None, accounts: dict[str, Account]) -> str:
    """The account for postmaster and abuse where nobody has them."""
    holders = [one.name for one in accounts.values() if any(a.local == RESERVED[0] for a in one.addresses)]
    named = [accounts[name].name for name in _POSTMASTERS if name in accounts]
    first = [one.name for one in accounts.values()]
    return wanted or next(iter(holders + named + first), "")
