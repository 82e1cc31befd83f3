"""Check mail domains as internet.nl does, with its verdicts and points, and with ours beside them.

Exit status: 0 when every domain has 100 %, 1 with findings, 75 when a domain could not be looked at, 64 wrong usage.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from checks.commands import asking
from checks.commands.asking import FILE, telling_options, world_options

if TYPE_CHECKING:
    from checks.commands.telling import Telling
    from checks.journal import Journal
    from checks.many import Checked
    from checks.probe.opening import Options
    from dnsops.base.settings import Settings


@click.command(name="mail")
@click.argument("domains", nargs=-1, metavar="[DOMAIN]...")
@click.option("--file", "listing", type=FILE, help="Check the domains of a file, one a line.")
@click.option("--journal", type=click.Path(path_type=Path), help="Keep results there, and go on with what is left.")
@world_options
@telling_options
def mail(
    domains: tuple[str, ...], listing: Path | None, journal: Path | None, config_file: str | None, **given: Any
) -> int:
    """Check mail DOMAINs as internet.nl does, with its verdicts and points, and with ours beside them.

    Without DOMAIN those of the configuration.

    \b
    mailsrv check mail example.org
    mailsrv check mail example.org --html mail.html --junit mail.xml
    mailsrv check mail --file domains.txt --journal today.journal --json
    """
    from checks.commands.telling import Telling
    from checks.many import listed
    from checks.probe.opening import Options, configured

    settings = asking.settings_at(config_file)
    named = [*domains, *(listed(listing) if listing else ())]
    wanted = asking.domains(named, settings, "mail")
    history = asking.history(settings, given.pop("state"), given.pop("no_history"))
    forms = asking.forms(given)
    with Telling(forms, history, len(wanted)) as telling:
        asyncio.run(_check(wanted, configured(settings, Options(**given)), settings, journal, telling))
    return telling.status


async def _check(
    domains: list[str], options: Options, settings: Settings | None, journal: Path | None, telling: Telling
) -> None:
    from checks.commands.progress import Progress
    from checks.journal import Journal

    with Journal.opened(journal) if journal else nullcontext() as kept, Progress(len(domains)) as progress:
        if kept:
            telling.again(kept.results())
        left = [domain for domain in domains if kept is None or domain not in kept.done]
        progress.done(len(domains) - len(left))
        async with aclosing(each(left, options, settings)) as found:
            async for done in found:
                with progress.hidden():
                    _take(done, telling, kept)
                progress.done()


def _take(done: Checked, telling: Telling, journal: Journal | None) -> None:
    """One domain's end: told, then remembered as told."""
    value = telling.missed(done.domain, done.trouble) if done.report is None else telling.take(done.report)
    if journal:
        journal.add(done.domain, value)


async def each(domains: list[str], options: Options, settings: Settings | None) -> AsyncGenerator[Checked, None]:
    """Each domain's result as it comes, in a world opened for them."""
    from checks.many import check_each
    from checks.probe.opening import opened

    async with opened(options, settings) as world, aclosing(check_each(domains, world)) as found:
        async for done in found:
            yield done
