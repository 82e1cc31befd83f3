"""DANE on every port of a domain's mail hosts: records, keys, days that certificates and signatures have left, the next key.

Exit status: 0 as it should be, 1 with findings, 75 when a domain could not be looked at, 64 wrong usage.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from checks.commands import asking
from checks.commands.asking import telling_options

if TYPE_CHECKING:
    from checks.commands.telling import Telling
    from checks.finding import Report
    from dnsops.base.settings import Settings
    from dnsops.resolve.answer import Resolver
    from dnsops.resolve.authority import Authorities

    Reports: TypeAlias = Callable[[str], Awaitable[tuple[Report | None, str]]]


@click.command(name="dane")
@click.argument("domains", nargs=-1, metavar="[DOMAIN]...")
@click.option("--resolver", default="", metavar="ADDRESS", help="A validating resolver on this machine to ask.")
@telling_options
def dane(domains: tuple[str, ...], resolver: str, config_file: str | None, **given: Any) -> int:
    """DANE on every port of DOMAIN's mail hosts; without DOMAIN of the configuration's domains.

    Port 25, and every port that has TLSA records, at every address. With the days that certificates and the zones' signatures have
    left, and by when the next key's record should be published.
    """
    from checks.commands.telling import Telling

    settings = asking.settings_at(config_file)
    wanted = asking.domains(domains, settings, "dane")
    history = asking.history(settings, given.pop("state"), given.pop("no_history"))
    with Telling(asking.forms(given), history, len(wanted), "DANE") as telling:
        asyncio.run(_check(wanted, resolver, settings, telling))
    return telling.status


async def _check(domains: Sequence[str], named: str, settings: Settings | None, telling: Telling) -> None:
    from checks.commands.progress import Progress

    with Progress(len(domains)) as progress:
        async with opened(named, settings) as report_of:
            for domain in domains:
                report, why = await report_of(domain)
                with progress.hidden():
                    telling.missed(domain, why) if report is None else telling.take(report)
                progress.done()


@asynccontextmanager
async def opened(named: str, settings: Settings | None) -> AsyncIterator[Reports]:
    """What tells of a domain: its report, or why there is none. named: the resolver of the command line."""
    from checks.probe.ports import asked_of
    from dnsops.resolve.authority import Authorities
    from dnsops.resolve.settings import configured

    named = named or (settings.checks.resolver or "" if settings else "")
    async with asked_of(named, configured(settings.resolver) if settings else None) as asked:
        async with Authorities(asked) as authorities:
            yield partial(_report, asked=asked, authorities=authorities)


async def _report(domain: str, asked: Resolver, authorities: Authorities) -> tuple[Report | None, str]:
    from checks.judge import ports
    from checks.probe.ports import look
    from dnsops.base import clock

    seen = await look(domain, asked, authorities)
    if seen.why:
        return None, seen.why
    return ports.report(domain, clock.now().wall, seen.ports, seen.zones, seen.notes), ""
