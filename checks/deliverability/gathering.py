"""What can be found out about a message beside its octets: authentication by the DNS of now, lists, scanners, linked pages.

    content, known = await gather(raw, Given(...), settings)

A message that was not sent yet, from one of our own domains, gets our signatures first, as it would on its way out.
Where it came from: what the command line says, else the topmost Received when it is ours, else our own addresses for mail of ours.
Limits: those of `mailsrv.auth.story` (TOTAL seconds), `spam.deadline`, PAGES linked pages. Fails by: `Misconfigured` for a resolver
that is not there; all else is in what is known.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from checks.deliverability.content import links
from checks.deliverability.fetching import page
from checks.deliverability.known import Known, Page
from checks.deliverability.letter import Letter
from mailsrv.message import addresses, dates
from mailsrv.message.header import header
from mailsrv.message.retold import retold
from mailsrv.spam.dnsbl import List
from mailsrv.spam.hints import Hint
from mailsrv.spam.mail import Mail

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from dnsops.resolve.answer import Resolver
    from mailsrv.auth.verdicts import Authentication

PAGES = 10


@dataclass(frozen=True, slots=True)
class Given:
    """What the caller says of how it comes. address: of the sending server.  ask: whether to ask anybody.  fetch: linked pages too.

    local: pages inside this network may be fetched.
    """

    address: str = ""
    helo: str = ""
    sender: str = ""
    ask: bool = True
    fetch: bool = False
    local: bool = False


async def gather(raw: bytes, given: Given, settings: Settings | None) -> tuple[bytes, Known]:
    """The message as it would arrive, and what is known of it."""
    content = raw if b"\r\n" in raw else raw.replace(b"\n", b"\r\n")
    known, body = _origin(content, given, settings)
    if not given.ask:
        return body, known
    from dnsops.resolve.choice import resolver
    from dnsops.resolve.settings import configured, from_env

    async with resolver(configured(settings.resolver) if settings else from_env()) as asked:
        found, hints, pages = await asyncio.gather(
            _authenticated(body, known, asked, settings),
            _hints(body, known, asked, settings),
            _pages(body, given, asked),
        )
    return body, replace(known, authentication=found, hints=hints, pages=pages)


def _origin(content: bytes, given: Given, settings: Settings | None) -> tuple[Known, bytes]:
    """Where it comes from, and the message without what we put above it when it arrived."""
    now = datetime.now(UTC)
    came = retold(content)
    if came is not None and not given.address:
        helo, sender = given.helo or came.helo, given.sender or came.sender
        return Known(now, _arrived(content), came.address, helo, sender), came.content
    sender = given.sender or author(content)
    if settings is None or not _ours(sender, settings) or b"received" in header(content).fields:
        return Known(now, _arrived(content), given.address, given.helo, sender), content
    address = given.address or next(iter(settings.queue.bind), "")
    return Known(now, None, str(address), given.helo or settings.hostname, sender), signed(content, settings, now)


def author(content: bytes) -> str:
    """The first address of From; "" without one."""
    found = addresses.people(addresses.addresses(header(content).first(b"from") or b"", 2))
    return found[0].spec if found else ""


def _ours(address: str, settings: Settings) -> bool:
    return address.rpartition("@")[2].lower() in settings.domains


def _arrived(content: bytes) -> datetime | None:
    """What the topmost Received says (RFC 5321 4.4: the date stands after the last semicolon)."""
    received = header(content).first(b"received") or b""
    return dates.parse(received.rpartition(b";")[2]) if b";" in received else None


def signed(content: bytes, settings: Settings, now: datetime) -> bytes:
    """With our signatures, where it has none and we have keys."""
    if b"dkim-signature" in header(content).fields:
        return content
    from dnsops.base.log import Log
    from dnsops.base.places import state_directory
    from mailsrv.auth import signing
    from mailsrv.serving.signing import signing as ring

    keys = ring(settings, state_directory(settings.state.directory), Log(quiet=True))
    domain = author(content).rpartition("@")[2].lower()
    return signing.sign(content, keys.signers(domain), now) + content


async def _authenticated(
    content: bytes, known: Known, asked: Resolver, settings: Settings | None
) -> Authentication | None:
    from mailsrv.auth import suffixes
    from mailsrv.auth.signatures import signatures
    from mailsrv.auth.story import Means, Origin, authenticate

    find = suffixes.finder(settings.inbound.organizational) if settings else None
    means = Means(asked, signatures, settings.hostname if settings else "", find)
    return await authenticate(content, Origin(known.address, known.helo, known.sender), means, known.now)


async def _hints(content: bytes, known: Known, asked: Resolver, settings: Settings | None) -> tuple[Hint, ...]:
    """The word of lists and scanners, where the configuration has any."""
    if settings is None:
        return ()
    from dnsops.base.log import Log
    from mailsrv.spam.scanning import Scanning, panel

    chosen = panel(settings.spam)
    zones = {one.zone for one in chosen.lists}
    lists = (*chosen.lists, *(List(zone) for zone in settings.checks.blocklists if zone not in zones))
    if not known.address:
        lists = tuple(one for one in lists if one.domains)
    scanning = Scanning(replace(chosen, lists=lists), asked, Log(quiet=True))
    mail = Mail(known.address or "127.0.0.1", known.helo, sender=known.sender, domain=author(content).rpartition("@")[2], content=content)  # fmt: skip
    listed, scanned = await asyncio.gather(scanning.of_client(mail), scanning.of_message(mail))
    return (*listed, *scanned)


async def _pages(content: bytes, given: Given, asked: Resolver) -> tuple[Page, ...] | None:
    if not given.fetch:
        return None
    targets = [target for target, _ in links(Letter(content)) if target.lower().startswith(("https://", "http://"))]
    return tuple(await asyncio.gather(*(page(target, asked, given.local) for target in targets[:PAGES])))
