"""All that can be seen of a mail domain from outside: internet.nl's test, what is beyond it, and DANE on every port; of our own domains
also the host and its server.

Exit status: 0 at 100 % with nothing failed in DANE either, 1 with findings, 75 when a domain could not be looked at, 64 wrong usage.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from checks.commands import asking
from checks.commands.asking import telling_options, world_options

if TYPE_CHECKING:
    from checks.commands.dane import Reports
    from checks.commands.telling import Telling
    from checks.finding import Report
    from checks.probe.opening import Options
    from dnsops.base.settings import Settings


@click.command(name="all")
@click.argument("domains", nargs=-1, metavar="[DOMAIN]...")
@click.option(
    "--host/--no-host",
    "host",
    default=True,
    show_default=True,
    help="Also this host's health, and its own server's relay test, when the configuration's domains are checked.",
)
@world_options
@telling_options
def all_(domains: tuple[str, ...], host: bool, config_file: str | None, **given: Any) -> int:
    """All that can be seen of DOMAIN's mail from outside: `check mail` and `check dane` in one report.

    Without DOMAIN the configuration's domains, and then this host as well: `check health` and `check relay`.
    """
    from checks.commands.telling import Telling
    from checks.probe.opening import Options, configured

    settings = asking.settings_at(config_file)
    wanted = asking.domains(domains, settings, "all")
    state = given.pop("state")
    history = asking.history(settings, state, given.pop("no_history"))
    own = settings if host and wanted and not domains else None
    with Telling(asking.forms(given), history, len(wanted) + (2 if own else 0)) as telling:
        asyncio.run(_check(wanted, configured(settings, Options(**given)), settings, telling))
        if own:
            asyncio.run(_host(own, state, telling))
    return telling.status


async def _host(settings: Settings, state: str | None, telling: Telling) -> None:
    """This host, and its server."""
    from checks.commands import health, relay
    from checks.relay.judging import judge
    from dnsops.base.places import state_directory

    place = Path(state) if state else state_directory(settings.state.directory)
    telling.take(await health.of_host(settings, place))
    if settings.listeners.smtp.enabled:
        telling.take(judge(await relay.tried(relay.of_own(settings), settings, "", False, state)))


async def _check(domains: list[str], options: Options, settings: Settings | None, telling: Telling) -> None:
    from checks.commands.dane import opened
    from checks.commands.mail import each
    from checks.commands.progress import Progress

    with Progress(len(domains)) as progress:
        async with opened(options.resolver, settings) as report_of, aclosing(each(domains, options, settings)) as found:
            async for done in found:
                report = None if done.report is None else await _with_dane(done.report, report_of)
                with progress.hidden():
                    telling.missed(done.domain, done.trouble) if report is None else telling.take(report)
                progress.done()


async def _with_dane(report: Report, report_of: Reports) -> Report:
    """The mail report, and behind it what DANE on every port gave."""
    further, why = await report_of(report.domain)
    if further is None or further.beyond is None:
        return replace(report, notes=(*report.notes, f"DANE on every port was not looked at: {why}"))
    return joined(report, further)


def joined(report: Report, further: Report) -> Report:
    """Two reports about one domain; the second has no score."""
    from checks.finding import Category, strict_verdict

    own = report.beyond.findings if report.beyond else ()
    told = {(finding.id, finding.host) for finding in own}
    more = further.beyond.findings if further.beyond else ()
    found = (*own, *(finding for finding in more if (finding.id, finding.host) not in told))
    beyond = Category("beyond", found, strict_verdict(found))
    return replace(report, beyond=beyond, notes=(*report.notes, *further.notes))
