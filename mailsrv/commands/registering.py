"""The register of accounts at the command line: found by the configuration, changed only to what a server can serve.

    house = opened(config_file)
    house.change(lambda pen: pen.put(account))

Fails by: `Misused` for names that are not there or belong to the file, `Misconfigured` for what would not be one directory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dnsops.base import settings as configuration
from dnsops.base.errors import Misused
from dnsops.base.output import DEFAULT_CONFIG
from dnsops.base.places import state_directory
from dnsops.records import names
from mailsrv.directory.address import folded
from mailsrv.directory.book import Book
from mailsrv.directory.credentials import of_entries
from mailsrv.directory.joined import joined
from mailsrv.directory.register import REGISTER, Accounts, Change, Entries

if TYPE_CHECKING:
    from pydantic import BaseModel

    from dnsops.base.settings import Settings
    from dnsops.base.settings.mailserver import Account

M = TypeVar("M", bound="BaseModel")
SOON = "a running server knows within two seconds"


@dataclass(frozen=True)
class Register:
    """The accounts of a configuration and those of its register."""

    settings: Settings
    accounts: Accounts
    state: Path

    def everyone(self) -> Settings:
        """Both together."""
        return joined(self.settings, self.accounts.entries())

    def mine(self, name: str) -> Account:
        """The account of that name, if it is the register's."""
        found = self.accounts.entries().account(name)
        if found is None:
            self.not_in_the_file(name)
            known = ", ".join(one.name for one in self.accounts.entries().accounts[:8]) or "none yet"
            raise Misused(f"there is no account {name}", "", f"in the database: {known}")
        return found

    def not_in_the_file(self, name: str) -> None:
        """What the configuration says is changed there."""
        if any(folded(one.name) == folded(name) for one in self.settings.accounts):
            raise Misused(f"the account {name} is in the configuration", "", "change it there, then reload the server")

    def change(self, act: Callable[[Change], None]) -> None:
        """One change, on disk when this returns; refused as a whole if no server could serve what comes of it."""
        self.accounts.change(act, self._check)

    def _check(self, before: Entries, after: Entries) -> None:
        whole = joined(self.settings, after)
        Book.of(whole)
        of_entries(after)


def named(config_file: str | None) -> str:
    """A configuration there has to be."""
    if config_file is None:
        raise Misused("no configuration named, and none at the usual place", DEFAULT_CONFIG, "say --config FILE")
    return config_file


def opened(config_file: str | None) -> Register:
    """The register that the configuration's state directory holds, or would."""
    settings = configuration.load(named(config_file), names.host)
    state = state_directory(settings.state.directory)
    return Register(settings, Accounts(state / REGISTER), state)


def everyone(config_file: str | None) -> Settings:
    """The whole directory, as the server has it."""
    return opened(config_file).everyone()


def validated(kind: type[M], values: dict[str, Any]) -> M:
    """As the configuration would take it, said without a file and a line."""
    from pydantic import ValidationError

    try:
        return kind.model_validate(values)
    except ValidationError as error:
        said = [_said(one["loc"], one["msg"]) for one in error.errors(include_url=False, include_input=False)]
        raise Misused("; ".join(said), "", "see the fields of `accounts` in `mailsrv config example`") from None


def _said(place: tuple[int | str, ...], text: str) -> str:
    return f"{'.'.join(map(str, place))}: {text.removeprefix('Value error, ')}"
