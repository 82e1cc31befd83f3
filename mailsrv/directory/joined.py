"""The accounts and aliases of the configuration and those of the register, as one directory. Pure.

    settings = joined(settings, accounts.entries())      as if all of them stood in the file

What the file names it holds: members of groups and names behind an alias of the file are accounts of the file; an address may
be anybody's. Fails by: `Misconfigured`, one line for each thing that both have, or that neither has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnsops.base.errors import Misconfigured
from mailsrv.directory.address import canonical_domain, parse

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from dnsops.base.settings.tree import KeyPath
    from mailsrv.directory.register import Entries


def joined(settings: Settings, entries: Entries) -> Settings:
    """The settings with what the register holds."""
    from dnsops.base.settings.rules import conflicts

    if not entries.accounts and not entries.aliases:
        return settings
    whole = settings.model_copy(
        update={
            "accounts": (*settings.accounts, *entries.accounts),
            "aliases": (*settings.aliases, *entries.aliases),
        }
    )
    broken = [
        str(Misconfigured(conflict.what, _where(settings, entries, conflict.path), _advice(conflict.advice)))
        for conflict in conflicts(whole)
    ]
    broken += [str(error) for error in _strangers(settings, entries)]
    if broken:
        raise Misconfigured("\n".join(broken))
    return whole


def _where(settings: Settings, entries: Entries, path: KeyPath) -> str:
    """A place of the file by its key, one of the register by its name."""
    from dnsops.base.settings.tree import dotted

    match path:
        case ("accounts", int(n), *_) if n >= len(settings.accounts):
            return f"the account {entries.accounts[n - len(settings.accounts)].name}, in the database"
        case ("aliases", int(n), *_) if n >= len(settings.aliases):
            return f"the alias {entries.aliases[n - len(settings.aliases)].address}, in the database"
    return f"{dotted(path)}, in the configuration"


def _advice(text: str) -> str:
    """Positions in the file mean nothing to someone who reads of the database."""
    return "one of them is in the configuration: keep one" if "already" in text else text


def _strangers(settings: Settings, entries: Entries) -> list[Misconfigured]:
    """Addresses at domains that are not ours get no mail."""
    ours = {canonical_domain(name) or name.casefold() for name in settings.domains}
    named = [(f"the account {one.name}", text) for one in entries.accounts for text in one.addresses]
    named += [(f"the alias {one.address}", one.address) for one in entries.aliases]
    return [
        Misconfigured(f"{mailbox.domain} is not one of `domains`", where, "add it to the configuration first")
        for where, text in named
        if ours and (mailbox := parse(text)) and mailbox.domain not in ours
    ]
