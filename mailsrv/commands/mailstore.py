"""An account's mail store at the command line, beside a running server: found by the configuration, opened as its owner.

who, directory = place("user1", config_file)
become_owner(directory)
async with mailstore(directory) as store: ...
"""

from __future__ import annotations

import os
import pwd
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.base.errors import ForUser, Misused
from mailsrv.commands.registering import opened
from mailsrv.store import STORE

if TYPE_CHECKING:
    from mailsrv.directory.accounts import Account
    from mailsrv.store.door import Store


def place(name: str, config_file: str | None) -> tuple[Account, Path]:
    """The account, and the directory of its store."""
    from mailsrv.directory.book import Book

    register = opened(config_file)
    book = Book.of(register.everyone())
    found = book.account(name)
    if found is None:
        raise Misused(f"there is no account {name}", "", f"accounts: {', '.join(list(book.accounts)[:8]) or 'none'}")
    return found, directory(register.state)


def directory(state: Path) -> Path:
    """The store of a state directory."""
    store = state / STORE
    if not store.is_dir():
        raise ForUser("there is no mail store", str(store), "it is made when `mailsrv serve` starts")
    return store


def become_owner(store: Path) -> None:
    """Root would leave files that the server cannot read."""
    from mailsrv.serving.privileges import become

    owner = store.stat().st_uid
    if os.geteuid() == 0 and owner != 0:
        become(pwd.getpwuid(owner), reading=True)


@asynccontextmanager
async def mailstore(path: Path) -> AsyncIterator[Store]:
    """The store, open."""
    from mailsrv.store.sqlite import SqliteStore

    store = SqliteStore(path)
    try:
        yield store
    finally:
        await store.close()
