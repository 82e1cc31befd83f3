"""Where mail for an address goes: exactly that address, then without its tag, then postmaster and abuse, then the catch-all.

Standards: RFC 5321 4.5.1 (postmaster, also without a domain), RFC 2142 (abuse), RFC 5233 (tags), RFC 5321 3.9 (aliases).
Limits: 10 aliases deep, 1000 places; more than that delivers nowhere. Fails by: the `Outcome` of the route.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mailsrv.directory.accounts import Delivery, Forward, Outcome, Route, Table, Target, ToAccount, ToAddress
from mailsrv.directory.address import Mailbox, parse

DEEPEST = 10
MOST_PLACES = 1000
RESERVED = ("postmaster", "abuse")


def resolve(table: Table, address: str) -> Route:
    """The route of an address, as RCPT TO has it without brackets."""
    if address.lower() == "postmaster":
        address = f"{address}@{table.home}"
    mailbox = parse(address)
    if mailbox is None:
        return Route(Outcome.NO_ADDRESS, address)
    return _Walk(table).route(mailbox)


def bases(mailbox: Mailbox, separators: str) -> Iterator[tuple[Mailbox, str]]:
    """The mailbox without its tag, and the tag; the longest first, as a name may hold a separator itself."""
    for at in range(len(mailbox.local) - 1, 0, -1):
        if mailbox.local[at] in separators:
            yield Mailbox(mailbox.local[:at], mailbox.domain), mailbox.local[at + 1 :]


def found(table: Table, mailbox: Mailbox) -> tuple[Mailbox, str, tuple[Target, ...]] | None:
    """The mailbox that someone has, the tag behind it, and where its mail goes."""
    if targets := table.at(mailbox):
        return mailbox, "", targets
    for base, tag in bases(mailbox, table.separators):
        if targets := table.at(base):
            return base, tag, targets
    return None


@dataclass
class _Walk:
    """One expansion: what was met so far."""

    table: Table
    met: set[Mailbox] = field(default_factory=set)
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    forwards: dict[str, Forward] = field(default_factory=dict)
    outcome: Outcome = Outcome.KNOWN
    circle: bool = False

    def route(self, mailbox: Mailbox) -> Route:
        if not self.ours(mailbox):
            return Route(Outcome.ELSEWHERE, str(mailbox))
        self.visit(mailbox, "", 0)
        if self.outcome is not Outcome.KNOWN:
            return Route(self.outcome, str(mailbox))
        if not self.deliveries and not self.forwards:
            return Route(Outcome.CIRCLE if self.circle else Outcome.UNKNOWN, str(mailbox))
        return Route(Outcome.KNOWN, str(mailbox), tuple(self.deliveries.values()), tuple(self.forwards.values()))

    def ours(self, mailbox: Mailbox) -> bool:
        """Of a domain of ours, or postmaster at one of our names."""
        return self.table.serves(mailbox.domain) or bool(self.table.reserved(mailbox))

    def visit(self, mailbox: Mailbox, tag: str, depth: int) -> None:
        if mailbox in self.met:
            self.circle = True
        elif depth > DEEPEST or len(self.met) >= MOST_PLACES:
            self.outcome = Outcome.TOO_MANY
        else:
            self.met.add(mailbox)
            self.expand(mailbox, tag, depth)

    def expand(self, mailbox: Mailbox, tag: str, depth: int) -> None:
        if one := found(self.table, mailbox):
            _, own_tag, targets = one
            tag = own_tag or tag
        else:
            targets = self.table.reserved(mailbox) or self.table.catch_all(mailbox.domain)
        for target in targets:
            self.follow(target, mailbox, tag, depth)
            if len(self.deliveries) + len(self.forwards) > MOST_PLACES:
                self.outcome = Outcome.TOO_MANY
            if self.outcome is not Outcome.KNOWN:
                return

    def follow(self, target: Target, via: Mailbox, tag: str, depth: int) -> None:
        match target:
            case ToAccount(name):
                self.deliveries.setdefault(name, Delivery(name, str(via), tag))
            case ToAddress(text) if mailbox := parse(text):
                if self.ours(mailbox):
                    self.visit(mailbox, tag, depth + 1)
                else:
                    outside = f"{text.rpartition('@')[0]}@{mailbox.domain}"
                    self.forwards.setdefault(str(mailbox), Forward(outside, str(via)))
