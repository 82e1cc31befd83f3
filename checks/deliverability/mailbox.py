"""A one-time address of ours, and the mail that comes to it: looked for in the mail store, beside the running server.

    account, wanted = address(settings);  content = await wait(store, account, wanted, seconds, ready)

The address is one of the account's with a tag that is a token, so it is nobody else's and needs no register.
Limits: the account's mailboxes are looked at once a SECOND. Fails by: `Misused` when the configuration has no account or no separator
for tags, `Later` when nothing came in time.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.base.errors import Later, Misused
from mailsrv.message.header import header

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from mailsrv.store.door import Store

SECOND = 1.0
HEAD = 256 << 10  # octets of a message that are looked at


def address(settings: Settings, account: str = "") -> tuple[str, str]:
    """The account that gets it, and the address."""
    accounts = [one for one in settings.accounts if not account or one.name == account]
    if not accounts or not accounts[0].addresses:
        what = f"there is no account {account} with an address" if account else "there is no account with an address"
        raise Misused(what, "--account", "name one of `mailsrv account list`")
    if not settings.subaddress_separator:
        raise Misused("addresses have no tags here", "subaddress_separator", "set it to +, or score the message's file")
    local, _, domain = str(accounts[0].addresses[0]).rpartition("@")
    return accounts[0].name, f"{local}{settings.subaddress_separator[0]}score-{secrets.token_hex(5)}@{domain}"


@dataclass
class Waiting:
    """For the mail to one address of an account."""

    store: Store
    account: str
    address: str

    async def arrived(self, seconds: float, ready: Callable[[], None]) -> bytes:
        """The first new message that names the address as its recipient. ready: is called when what is there already is known."""
        seen: set[int] = set()
        await self._new(seen)
        ready()
        try:
            async with asyncio.timeout(seconds):
                while True:
                    for blob in await self._new(seen):
                        if self._mine(await self.store.content(blob, 0, HEAD)):
                            return await self.store.content(blob)
                    await asyncio.sleep(SECOND)
        except TimeoutError:
            raise Later(f"nothing came to {self.address} within {seconds:g} s", timedelta(0)) from None

    async def heads(self, seen: set[int]) -> list[bytes]:
        """The beginnings of the messages that are not in `seen`, which knows them then."""
        return [await self.store.content(blob, 0, HEAD) for blob in await self._new(seen)]

    async def _new(self, seen: set[int]) -> list[int]:
        found = []
        for mailbox in await self.store.mailboxes(self.account):
            found += [row.blob for row in await self.store.rows(mailbox.id) if row.blob not in seen]
        seen.update(found)
        return found

    def _mine(self, head: bytes) -> bool:
        """The token is in our own trace fields, or in what the sender wrote."""
        token = self.address.partition("@")[0].encode().lower()
        return token in head[: header(head).end].lower()


async def wait(directory: Path, account: str, wanted: str, seconds: float, ready: Callable[[], None]) -> bytes:
    """What comes to the address from when `ready` is called. directory: of the mail store."""
    if not directory.is_dir():
        raise Misused("there is no mail store", str(directory), "it is made when `mailsrv serve` starts")
    from mailsrv.store.sqlite import SqliteStore

    store = SqliteStore(directory)
    try:
        return await Waiting(store, account, wanted).arrived(seconds, ready)
    finally:
        await store.close()
