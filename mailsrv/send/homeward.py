"""Mail of the queue that comes back into the house: notices to senders, and what turns out to be for a mailbox of ours.

Standards: RFC 3464 (notices; their form is mailsrv.message.dsn's), RFC 3461 6.2, RFC 5321 4.4 (Return-Path) and 6.1, RFC 8689 5
(a notice about a message with REQUIRETLS carries its header only, and asks for TLS itself).
Fails by: `Later` of directory and store; None when there is nobody to send it to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from mailsrv.directory.accounts import Outcome as Found
from mailsrv.directory.accounts import Route
from mailsrv.message import dsn, limits
from mailsrv.message.digest import digest
from mailsrv.message.received import delivered_to, return_path, was_delivered_to
from mailsrv.send.settlement import Kind, Notice, Told
from mailsrv.store.door import Absent, Hop, Message, Place, Queued

AT_ONCE = 64 << 10  # bytes that are worked on in the event loop; more goes to a thread
UNTOLD = ("NOTIFY=NEVER",)
OUTCOMES = {Kind.FAILED: dsn.Outcome.FAILED, Kind.DELAYED: dsn.Outcome.DELAYED, Kind.RELAYED: dsn.Outcome.RELAYED}


class Directory(Protocol):
    """Where addresses lead. Fails by `Later`."""

    def resolve(self, address: str) -> Route: ...


class Contents(Protocol):
    """Of the Store."""

    async def content(self, blob: int, start: int = 0, length: int | None = None) -> bytes: ...


class Homeward:
    """`host`: who reports. `token`: something that never comes twice. `signed`: a message of ours, as it leaves.

    `back`: whose address it was that an alias of ours has rewritten; None for any other.
    """

    def __init__(
        self,
        host: str,
        directory: Directory,
        store: Contents,
        token: Callable[[], str],
        signed: Callable[[bytes, datetime], bytes] = lambda content, now: content,
        back: Callable[[str, datetime], str | None] = lambda address, now: None,
    ) -> None:
        self._host, self._directory, self._store, self._token = host, directory, store, token
        self._signed, self._back = signed, back

    async def notice(self, notice: Notice, now: datetime) -> Message | None:
        """The notice, from the null sender to wherever its sender's mail goes."""
        sender = self._back(notice.sender, now) or notice.sender
        places, hops = _ways(self._directory.resolve(sender))
        if not places and not hops:
            return None
        try:
            # one byte more than may be returned whole tells that there is more
            content = await self._store.content(notice.blob, 0, limits.RETURNED + 1)
        except Absent:  # dropped by the administrator meanwhile: there is nothing to tell of
            return None
        report = self._report(notice, sender, content, now)

        def compose() -> Message | None:
            text = dsn.notification(report)
            if not text:
                return None
            text = self._signed(text, now)
            return Message(text, digest(text), now, places, hops, "", _options(notice))

        return compose() if len(content) <= AT_ONCE else await asyncio.to_thread(compose)

    async def keep(self, queued: Queued, now: datetime) -> Message | None:
        """With what a final delivery writes above it; what an alias sends on once more must not come back for ever."""
        route = self._directory.resolve(queued.hop.recipient)
        if route.outcome is not Found.KNOWN:
            return None
        content = await self._store.content(queued.blob)
        if was_delivered_to(content, route.address):
            return None
        places = tuple(Place(delivery.account) for delivery in route.deliveries)
        hops = tuple(Hop(forward.address, queued.hop.options) for forward in route.forwards)
        trace = return_path(queued.sender) if places and not hops else b""
        whole = trace + delivered_to(route.address) + content
        return Message(whole, digest(whole), now, places, hops, queued.sender, queued.options)

    def _report(self, notice: Notice, sender: str, content: bytes, now: datetime) -> dsn.Report:
        options = {key.upper(): value for key, _, value in (option.partition("=") for option in notice.options)}
        full = None if "RET" not in options else options["RET"].upper() == "FULL"
        return dsn.Report(
            host=self._host,
            sender=sender,
            fates=tuple(_fate(notice.kind, told) for told in notice.told),
            now=now,
            token=self._token(),
            content=content,
            received=notice.received,
            envid=options.get("ENVID", ""),
            full=False if "REQUIRETLS" in options else full,
            utf8="SMTPUTF8" in options,
        )


def _fate(kind: Kind, told: Told) -> dsn.Fate:
    verdict = told.verdict
    orcpt = next((o.partition("=")[2] for o in told.options if o.upper().startswith("ORCPT=")), "")
    return dsn.Fate(
        recipient=told.recipient,
        outcome=OUTCOMES[kind],
        status=verdict.code,
        reply=verdict.reply or verdict.reason,
        remote=verdict.host if verdict.reply else "",
        orcpt=orcpt,
        tried=told.attempted,
        until=told.until,
    )


def _options(notice: Notice) -> tuple[str, ...]:
    return tuple(option for option in notice.options if option.upper() in ("SMTPUTF8", "REQUIRETLS"))


def _ways(back: Route) -> tuple[tuple[Place, ...], tuple[Hop, ...]]:
    if back.outcome is Found.ELSEWHERE:
        return (), (Hop(back.address, UNTOLD),)
    places = tuple(Place(delivery.account) for delivery in back.deliveries)
    return places, tuple(Hop(forward.address, UNTOLD) for forward in back.forwards)
