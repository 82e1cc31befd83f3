"""Who has mail here while the server runs: the accounts of the configuration and those of the register, and when they change.

    people = People(settings, proofs, register, log)
    settings, proofs = people.everyone()        both together
    await people.changed()                      whether somebody wrote the register meanwhile
    people.upgrade(name, line)                  a better hash of a password that was right just now

Fails by: what `mailsrv.directory.register` and `joined` raise; `changed` and `upgrade` only say so in the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dnsops.base.errors import Deliberate
from dnsops.base.log import Log
from mailsrv.directory.credentials import Credentials, of_entries
from mailsrv.directory.joined import joined

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from mailsrv.directory.register import Accounts

MOST_TOLD = 1000  # accounts whose weak hash was told of


class People:
    """`settings` and `proofs`: of the configuration, where `!file` may be root's to read."""

    def __init__(self, settings: Settings, proofs: Mapping[str, Credentials], register: Accounts, log: Log) -> None:
        self._settings, self._proofs, self._register, self._log = settings, proofs, register, log
        self._seen: tuple[int, ...] = ()
        self._silent = False
        self._told: set[str] = set()
        self._writing: set[asyncio.Task[None]] = set()

    def use(self, settings: Settings, proofs: Mapping[str, Credentials]) -> None:
        """Another configuration."""
        self._settings, self._proofs = settings, proofs

    def everyone(self) -> tuple[Settings, Mapping[str, Credentials]]:
        """All accounts, and what opens them. Reads the register."""
        self._seen = self._register.version()
        entries = self._register.entries()
        settings = joined(self._settings, entries)
        return settings, {**self._proofs, **of_entries(entries)}

    async def changed(self) -> bool:
        """Whether the register is another one than `everyone` saw. One that cannot be read has not changed."""
        try:
            seen = await asyncio.to_thread(self._register.version)
        except Deliberate as error:
            if not self._silent:
                self._log("accounts.not_read", why=str(error))
            self._silent = True
            return False
        self._silent = False
        return seen != self._seen

    def upgrade(self, account: str, line: str) -> None:
        """In the register it is replaced; of one in the configuration a person is told, once."""
        if account in self._proofs:
            if account not in self._told and len(self._told) < MOST_TOLD:
                self._told.add(account)
                self._log("accounts.weak_hash", account=account, advice="`mailsrv account hash` makes a better one")
            return
        task = asyncio.get_running_loop().create_task(self._upgrade(account, line))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _upgrade(self, account: str, line: str) -> None:
        try:
            if await asyncio.to_thread(self._register.upgrade, account, line):
                self._log("accounts.hash_upgraded", account=account)
        except Deliberate as error:
            self._log("accounts.hash_not_upgraded", account=account, why=str(error))

    async def close(self) -> None:
        """What is being written is on disk."""
        if self._writing:
            await asyncio.wait(self._writing)
        self._register.close()
