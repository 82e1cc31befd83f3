"""The values of the directory: an account, and where an address leads. Pure types."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

from dnsops.base.settings.patterns import Pattern
from mailsrv.directory.address import Mailbox


@dataclass(frozen=True)
class Account:
    """Someone with mail here. `addresses`: the first is the main one. `groups`: addresses it may also send as. `quota`: octets."""

    name: str
    addresses: tuple[Mailbox, ...] = ()
    may_send_as: tuple[Pattern, ...] = ()
    groups: tuple[Mailbox, ...] = ()
    enabled: bool = True
    quota: int | None = None


@dataclass(frozen=True, slots=True)
class ToAccount:
    """Mail for an address lies in this account."""

    name: str


@dataclass(frozen=True, slots=True)
class ToAddress:
    """Mail for an address goes to this one, here or elsewhere; as it was written, for elsewhere reads its own case."""

    text: str


Target: TypeAlias = ToAccount | ToAddress


class Table(Protocol):
    """What routing and rights ask of the place where addresses are kept: the configuration's, or later a database's."""

    @property
    def separators(self) -> str:
        """The characters that may stand before a tag."""
        ...

    @property
    def home(self) -> str:
        """The domain of a bare `postmaster`."""
        ...

    def serves(self, domain: str) -> bool: ...

    def at(self, mailbox: Mailbox) -> tuple[Target, ...]:
        """Where mail for exactly this mailbox goes; empty when nobody has it."""
        ...

    def catch_all(self, domain: str) -> tuple[Target, ...]: ...

    def reserved(self, mailbox: Mailbox) -> tuple[Target, ...]:
        """Where mail for postmaster and abuse goes when nobody has them; empty for any other mailbox."""
        ...

    def account(self, name: str) -> Account | None: ...


class Outcome(Enum):
    """How an address was resolved."""

    KNOWN = "the mail goes to the accounts and addresses of the route"
    UNKNOWN = "nobody here has this address"
    ELSEWHERE = "the domain is not one of ours"
    NO_ADDRESS = "this is no mail address"
    CIRCLE = "the aliases lead in a circle"
    TOO_MANY = "the aliases lead to more places than are allowed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A copy for an account. `delivered_to`: the address of ours that led there; `tag`: what stood behind its separator."""

    account: str
    delivered_to: str
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Forward:
    """A copy for an address elsewhere. `delivered_to`: the address of ours that forwards it, to tell a loop by."""

    address: str
    delivered_to: str


@dataclass(frozen=True, slots=True)
class Route:
    """Where mail for `address` goes: each account and each outside address once."""

    outcome: Outcome
    address: str
    deliveries: tuple[Delivery, ...] = ()
    forwards: tuple[Forward, ...] = ()
