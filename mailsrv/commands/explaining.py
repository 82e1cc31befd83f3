"""How a message was judged, step by step: as it was written into it on arrival, and as it would be judged now.

The second look asks the DNS of today, so that one can tell a record that was mended since from one that still is wrong;
dkimpy, which nobody here wrote, says what it thinks of each signature.
Fails by: `ForUser` for what cannot be found.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.base.errors import ForUser
from mailsrv.auth.decide import Decision
from mailsrv.message.retold import Retold, retold
from mailsrv.receive import told
from mailsrv.receive.told import Told

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from mailsrv.store.door import Store

LARGEST = 64 << 20
HEAD = 4096  # octets of a message in which our own Received stands


@dataclass(frozen=True)
class Explained:
    """then: what stands in the message.  came: how it reached us, as far as it tells.  now: the decision of this moment."""

    then: Told | None
    came: Retold | None
    results: tuple[str, ...]
    now: Decision | None = None
    opinions: tuple[str, ...] = ()


def of_file(path: Path) -> bytes:
    """A message from a file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ForUser(f"cannot be read ({error.strerror})", str(path)) from None
    if len(content) > LARGEST:
        raise ForUser(f"larger than {LARGEST >> 20} MiB", str(path))
    return content if b"\r\n" in content else content.replace(b"\n", b"\r\n")


async def of_store(store: Store, accounts: list[str], wanted: str) -> bytes:
    """A message by its EMAILID (M123), or by the id that our log and its Received have."""
    if wanted[:1] == "M" and wanted[1:].isdigit():
        from mailsrv.store.door import Absent

        try:
            return await store.content(int(wanted[1:]))
        except Absent:
            raise ForUser("there is no such message", wanted, "EMAILID is what IMAP's FETCH (EMAILID) shows") from None
    async for blob in _blobs(store, accounts):
        found = retold(await store.content(blob, 0, HEAD))
        if found is not None and found.id == wanted:
            return await store.content(blob)
    raise ForUser("there is no such message", wanted, "name a file, an EMAILID (M123), or the id of `mail.received`")


async def _blobs(store: Store, accounts: list[str]) -> AsyncIterator[int]:
    seen: set[int] = set()
    for account in accounts:
        for mailbox in await store.mailboxes(account):
            for row in await store.rows(mailbox.id):
                if row.blob not in seen:
                    seen.add(row.blob)
                    yield row.blob


def read(content: bytes) -> Explained:
    """What the message says itself."""
    from mailsrv.message.header import header

    values = header(content).every(b"authentication-results")
    return Explained(told.read(content), retold(content), tuple(value.decode("utf-8", "replace") for value in values))


async def judged_now(
    content: bytes, came: Retold | None, settings: Settings | None
) -> tuple[Decision, tuple[str, ...]]:
    """The decision by the DNS of today, and dkimpy's word on each signature."""
    from dnsops.resolve.choice import resolver
    from dnsops.resolve.settings import configured, from_env
    from mailsrv.auth import decide, suffixes
    from mailsrv.auth.signatures import signatures
    from mailsrv.auth.story import Means, Origin, authenticate

    origin = Origin(came.address, came.helo, came.sender) if came else Origin("", "", "")
    body = came.content if came else content
    rules = decide.rules(settings.inbound) if settings else decide.Rules()
    find = suffixes.finder(settings.inbound.organizational) if settings else None
    async with resolver(configured(settings.resolver) if settings else from_env()) as asked:
        means = Means(asked, signatures, settings.hostname if settings else "", find)
        found = await authenticate(body, origin, means, datetime.now(UTC))
        keys = {f"{one.selector}._domainkey.{one.domain}": b"" for one in found.dkim if one.domain and one.selector}
        for name in keys:
            keys[name] = _text(str(next(iter((await asked.ask(name, "TXT")).items), "")))
    return decide.decide(found, (), rules), tuple(_second(body, keys, len(found.dkim)))


def _text(presented: str) -> bytes:
    from dnsops.records import rdata
    from dnsops.records.rdata import Generic

    return b"".join(rdata.strings(Generic("TXT", presented))) if presented else b""


def _second(content: bytes, keys: dict[str, bytes], count: int) -> Iterator[str]:
    """What dkimpy says of the signatures, from the top."""
    import dkim

    def lookup(name: bytes, timeout: int = 5) -> bytes:
        return keys.get(name.decode("ascii", "replace").removesuffix(".").lower(), b"")

    for number in range(count):
        try:
            holds = dkim.DKIM(content).verify(number, dnsfunc=lookup)
            yield f"signature {number + 1}: {'holds' if holds else 'does not hold'}"
        except (dkim.DKIMException, ValueError, ImportError) as error:
            yield f"signature {number + 1}: {error}"


def steps(decision: Decision) -> list[tuple[str, str, str]]:
    """A decision as rows: what, outcome, why."""
    return [
        (reason.what, reason.outcome, f"[outweighed] {reason.why}" if reason.outweighed else reason.why)
        for reason in decision.reasons
    ]
