"""DKIM selectors that mail in our own store named: d= and s= of the newest messages' signatures, for each domain.

    heard = await received(settings)        heard("example.net") -> ("s2026", "google")

Nobody verified them here: a forger writes what he likes, and a key that signed last month may be gone; who judges knows that.
Standard: RFC 6376 3.5. Limits: MOST newest messages of all accounts, HEAD octets of each, SIGNATURES of one, SELECTORS of a domain,
DOMAINS. Only a store that is ours to open is opened. Fails by: nothing; a store that cannot be read names none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.base.errors import Deliberate, ForUser

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from mailsrv.store.door import Store

MOST, HEAD = 500, 64 << 10
SIGNATURES, SELECTORS, DOMAINS = 10, 5, 10_000

Heard = Callable[[str], tuple[str, ...]]


async def received(settings: Settings | None) -> Heard:
    """Who tells them."""
    found = await _scanned(settings) if settings is not None else {}
    return lambda domain: found.get(domain, ())


async def _scanned(settings: Settings) -> dict[str, tuple[str, ...]]:
    from dnsops.base.places import state_directory
    from mailsrv.store import STORE

    directory = state_directory(settings.state.directory) / STORE
    if not _ours(directory):
        return {}
    from mailsrv.store.sqlite import SqliteStore

    try:
        store = SqliteStore(directory)
    except (Deliberate, OSError):
        return {}
    try:
        return collected(signers(head) for head in await _heads(store, [one.name for one in settings.accounts]))
    except (Deliberate, OSError):
        return {}
    finally:
        await store.close()


def _ours(directory: Path) -> bool:
    """Whether it is there, and opening it leaves nothing of another owner behind."""
    try:
        return directory.is_dir() and os.geteuid() in (0, directory.stat().st_uid)
    except OSError:
        return False


async def _heads(store: Store, accounts: Iterable[str]) -> list[bytes]:
    """The headers of the newest messages."""
    newest: dict[int, float] = {}
    for account in accounts:
        for mailbox in await store.mailboxes(account):
            newest |= {row.blob: row.received.timestamp() for row in await store.rows(mailbox.id)}
    blobs = sorted(newest, key=lambda blob: newest[blob], reverse=True)[:MOST]
    return [await store.content(blob, 0, HEAD) for blob in blobs]


def collected(several: Iterable[Iterable[tuple[str, str]]]) -> dict[str, tuple[str, ...]]:
    """Selectors by domain, those of the newest mail first."""
    found: dict[str, dict[str, None]] = {}
    for pairs in several:
        for domain, selector in pairs:
            known = found.setdefault(domain, {}) if domain in found or len(found) < DOMAINS else {}
            if len(known) < SELECTORS:
                known[selector] = None
    return {domain: tuple(known) for domain, known in found.items()}


def signers(head: bytes) -> Iterator[tuple[str, str]]:
    """d= and s= of each signature in a header; what is no name is passed over."""
    from dnsops.records import names
    from mailsrv.auth.signature import tag_list
    from mailsrv.message.header import header

    for field in header(head).every(b"dkim-signature")[:SIGNATURES]:
        try:
            tags = tag_list(field)
            yield names.canonical(tags.get("d", "")), names.canonical(tags.get("s", ""))
        except ForUser:
            continue
