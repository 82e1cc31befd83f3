"""Opening the world of a check: from what the user and the configuration say to resolvers, sources and ports.

    async with opened(Options(resolver="127.0.0.1")) as world:
        report = await check_mail("example.org", world)

Which resolver: the one that is named (its AD bit is believed, so it should be on this machine); else our own libunbound; else, when
the root is out of its reach, what /etc/resolv.conf has on loopback.
Fails by: `Misused` and `Misconfigured` for what cannot be opened.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from checks.facts import Question, Tls
from checks.probe import reach
from checks.probe.asking import Asker, Own, Stub
from checks.probe.received import received
from checks.probe.routes import Routes, door
from checks.probe.selectors import known
from checks.probe.tls.visit import Gate
from checks.probe.wanted import wanted
from checks.probe.world import BUDGET, World
from checks.probe.zones import Zones
from dnsops.base.errors import Misused
from dnsops.resolve.adbit import RESOLV_CONF, listed, loopback
from mailsrv.auth.suffixes import by_list

if TYPE_CHECKING:
    from dnsops.base.settings import Settings

OF_TLS = 0.7  # of the budget, for one host's port
ROOT_WITHIN = 4.0  # seconds for our own resolver to find the root


@dataclass(frozen=True, slots=True)
class Options:
    """What may be said about the world. resolver: ADDRESS or ADDRESS@PORT.  trust, suffixes: files.  whois: HOST:PORT.

    selectors: DKIM's.  routinator: the URL before /ASN/PREFIX.  local: addresses that are not global may have routes, and policies are fetched from
    them; a source of routes on this machine is believed about them anyway.  budget: seconds for one domain.
    """

    resolver: str = ""
    trust: Path | None = None
    suffixes: Path | None = None
    whois: str = ""
    routinator: str = ""
    local: bool = False
    selectors: tuple[str, ...] = ()
    blocklists: tuple[str, ...] = ()
    budget: float = BUDGET


def configured(settings: Settings | None, given: Options) -> Options:
    """The user's word, else the configuration's."""
    if settings is None:
        return given
    kept = settings.checks
    return Options(
        given.resolver or kept.resolver or "",
        given.trust or kept.trust,
        given.suffixes or kept.suffixes,
        given.whois or kept.whois or "",
        given.routinator or kept.routinator or "",
        given.local or kept.local,
        given.selectors,
        given.blocklists or kept.blocklists,
        min(given.budget, kept.budget.total_seconds()),
    )


@asynccontextmanager
async def opened(options: Options, settings: Settings | None = None) -> AsyncIterator[World]:
    """Everything a check needs, closed at the end."""
    async with AsyncExitStack() as stack:
        dns, gate = await _resolver(options, settings, stack), Gate()
        yield World(
            dns=dns,
            look_tls=prober(options, gate),
            try_server=partial(reach.name_server, now=now),
            try_host=partial(reach.mail_host, now=now),
            now=now,
            organizational=by_list(options.suffixes),
            routes=_routes(options),
            selectors=known(options.selectors, settings),
            blocklists=options.blocklists,
            local=options.local,
            budget=options.budget,
            roots=options.trust,
            zones=Zones(dns),
            heard=await received(settings),
            wanted=wanted(dns, settings),
            gate=gate,
        )


def now() -> datetime:
    return datetime.now(UTC)


# the resolver


async def _resolver(options: Options, settings: Settings | None, stack: AsyncExitStack) -> Asker:
    if options.resolver:
        address, _, port = options.resolver.partition("@")
        return await stack.enter_async_context(_stub(address, port))
    own = await _own(settings, stack)
    if own is not None and await _sees_the_root(own):
        return own
    local = [server for server in listed(RESOLV_CONF) if loopback(server)]
    if local:
        return await stack.enter_async_context(Stub(local[0], now))
    if own is not None:
        return own
    raise Misused("nobody validates DNSSEC here", "--resolver", "install libunbound8, or name a validating resolver")


def _stub(address: str, port: str) -> Stub:
    try:
        ipaddress.ip_address(address)
        number = int(port or 53)
        return Stub(address, now, number)
    except ValueError:
        raise Misused(f"not an address: {address[:80]!r}", "--resolver", "write ADDRESS or ADDRESS@PORT") from None


async def _own(settings: Settings | None, stack: AsyncExitStack) -> Own | None:
    from dnsops.resolve import libunbound
    from dnsops.resolve.settings import configured as resolving
    from dnsops.resolve.settings import from_env
    from dnsops.resolve.validator import Validator

    if libunbound.load() is None:
        return None
    chosen = resolving(settings.resolver) if settings is not None else from_env()
    return Own(await stack.enter_async_context(Validator(chosen)), now)


async def _sees_the_root(own: Own) -> bool:
    try:
        async with asyncio.timeout(ROOT_WITHIN):
            return (await own.look(Question("", "NS"))).answered
    except TimeoutError:
        return False


# the others


def prober(options: Options, gate: Gate) -> Callable[[str, str], Awaitable[Tls]]:
    from checks.probe.tls.looking import look
    from checks.probe.tls.trust import SYSTEM, read_roots
    from checks.probe.tls.visit import Limits, Place

    trusted = [path for path in (SYSTEM, options.trust) if path and (path == options.trust or path.exists())]
    roots, limits = read_roots(*trusted), Limits(whole=options.budget * OF_TLS)

    async def look_tls(host: str, address: str) -> Tls:
        return await look(Place(host, address), roots, now(), limits, gate)

    return look_tls


def _routes(options: Options) -> Routes | None:
    if not options.whois and not options.routinator:
        return None
    if not options.whois or not options.routinator:
        given, missing = ("--whois", "--routinator") if options.whois else ("--routinator", "--whois")
        raise Misused("routing needs both a source of routes and a relying party", given, f"give {missing} too")
    everywhere = options.local or _here(door(options.whois)[0])
    return Routes(options.whois, options.routinator, now, everywhere)


def _here(host: str) -> bool:
    return host == "localhost" or loopback(host)
