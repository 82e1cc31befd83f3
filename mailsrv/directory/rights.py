"""Who may send as whom: one's own addresses, their tags, one's groups where they allow it, and the patterns of `may_send_as`.

The envelope's sender and every From, Sender, Resent-From and Resent-Sender of the header must be the account's.
Standards: RFC 6409 6.1 (submission rights), RFC 5322 3.6.2 (From, Sender), RFC 8098 4 (the null sender of notices).
Fails by: a `Right` that is not allowed, whose reason says what would be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from dnsops.base.printable import printable
from mailsrv.directory.accounts import Account, Table
from mailsrv.directory.address import Mailbox, parse
from mailsrv.directory.routing import found

MOST_ADDRESSES = 100  # of a header's fields together; nobody writes as more people
MOST_NAMED = 5  # in a reason: it must fit into one reply
CHECKED = ("from", "sender", "resent-from", "resent-sender")
ONCE = ("from", "sender")  # RFC 5322 3.6


@dataclass(frozen=True, slots=True)
class Right:
    """Whether, and why as a sentence of at most 400 characters."""

    allowed: bool
    why: str


class Written(Protocol):
    """A header field and the addresses in it, as text; None when it cannot be read."""

    @property
    def name(self) -> str: ...

    @property
    def addresses(self) -> Sequence[str] | None: ...


@dataclass(frozen=True)
class Field:
    """The same, as a value."""

    name: str
    addresses: Sequence[str] | None


@dataclass(frozen=True)
class Rights:
    """The rules of one directory. must_match: `auth.must_match_sender`. An account may be given by its name."""

    table: Table
    must_match: bool = True

    def may_send(self, account: Account | str, address: str) -> Right:
        """Whether the account may be the sender `address` (MAIL FROM's, or one of the header)."""
        if not self.must_match:
            return Right(True, "auth.must_match_sender is false: every sender is allowed")
        account = self._account(account)
        mailbox = parse(address)
        if mailbox is None:
            return _refused(account, f"{_short(address)!r} is no mail address", self.table.separators)
        return self._may(account, mailbox)

    def envelope(self, account: Account | str, address: str) -> Right:
        """The same for MAIL FROM, where the null sender is that of a notice; its header is checked all the same."""
        if not address:
            return Right(True, "the null sender is for notices (RFC 8098), and the header must still name the account")
        return self.may_send(account, address)

    def header(self, account: Account | str, fields: Iterable[Written]) -> Right:
        """Whether all that the header says of its writer is the account's."""
        if not self.must_match:
            return self.may_send(account, "")
        account = self._account(account)
        checked = [Field(field.name.strip().lower(), field.addresses) for field in fields]
        checked = [field for field in checked if field.name in CHECKED]
        return _form(account, checked) or self._all(account, checked)

    def _account(self, account: Account | str) -> Account:
        """An account of that name; one that is gone meanwhile may send as nobody."""
        return account if isinstance(account, Account) else self.table.account(account) or Account(account)

    def _all(self, account: Account, fields: Sequence[Field]) -> Right:
        for field in fields:
            for address in field.addresses or ():
                right = self.may_send(account, address)
                if not right.allowed:
                    return Right(False, f"{_NAMES[field.name]}: {right.why}")
        return Right(True, f"all senders in the header are the account {_short(account.name)}'s")

    def _may(self, account: Account, mailbox: Mailbox) -> Right:
        name, address = _short(account.name), _short(str(mailbox))
        if mailbox in account.addresses:
            return Right(True, f"{address} is an address of the account {name}")
        if mailbox in account.groups:
            return Right(True, f"{address} is a group whose members may send as it, and {name} is one")
        for pattern in account.may_send_as:
            if pattern.matches(mailbox.local, mailbox.domain):
                return Right(True, f"{address} matches the pattern {_short(str(pattern))} of may_send_as of {name}")
        base = found(self.table, mailbox)
        if base and base[1] and base[0] in account.addresses:
            return Right(True, f"{address} is a subaddress of {_short(str(base[0]))}, an address of the account {name}")
        return _refused(account, f"the account {name} may not send as {address}", self.table.separators)


_NAMES = {"from": "From", "sender": "Sender", "resent-from": "Resent-From", "resent-sender": "Resent-Sender"}


def _form(account: Account, fields: Sequence[Field]) -> Right | None:
    """What is wrong with the fields whoever sends; None when nothing is."""
    names = [field.name for field in fields]
    for name in ONCE:
        if names.count(name) > 1:
            return Right(False, f"the message has {names.count(name)} {_NAMES[name]} fields - send it with one")
    if "from" not in names:
        return Right(False, f"the message has no From field - add one, such as From: <{_main(account)}>")
    for field in fields:
        if not field.addresses:
            return Right(
                False, f"the field {_NAMES[field.name]} cannot be read - write one address, such as <{_main(account)}>"
            )
    if sum(len(field.addresses or ()) for field in fields) > MOST_ADDRESSES:
        return Right(False, f"the header names more than {MOST_ADDRESSES} senders - send it with fewer")
    return None


def _main(account: Account) -> str:
    return _short(str(account.addresses[0])) if account.addresses else "you@example.org"


def _refused(account: Account, what: str, separators: str) -> Right:
    return Right(False, f"{what}; it may send as {allowed(account, separators)}")


def allowed(account: Account, separators: str) -> str:
    """In words, what an account may send as."""
    parts = _few([str(mailbox) for mailbox in (*account.addresses, *account.groups)])
    if account.addresses and separators:
        example = account.addresses[0]
        parts.append(f"subaddresses such as {_short(f'{example.local}{separators[0]}tag@{example.domain}')}")
    parts += [f"what matches {text}" for text in _few([str(pattern) for pattern in account.may_send_as])]
    return (", ".join(parts) or "nobody")[:240]


def _few(texts: list[str]) -> list[str]:
    more = [f"{len(texts) - MOST_NAMED} more"] if len(texts) > MOST_NAMED else []
    return [*map(_short, texts[:MOST_NAMED]), *more]


def _short(text: str) -> str:
    text = printable(text)
    return text if len(text) <= 60 else text[:57] + "..."
