"""Check mail domains as internet.nl does, with its verdicts and points, and with ours beside them.

Exit status: 0 when every domain has 100 %, 1 with findings, 75 when a domain could not be looked at, 64 wrong usage.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dnsops.base.errors import Exit, Misused
from dnsops.base.output import config_option, json_option, print_json, print_table
from dnsops.base.printable import printable

if TYPE_CHECKING:
    from checks.finding import Report
    from checks.many import Checked
    from checks.probe.opening import Options
    from dnsops.base.settings import Settings

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def world_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What all checks of a domain may be told about the world; passes the fields of `checks.probe.opening.Options`."""
    for option in (
        click.option("--resolver", default="", metavar="ADDRESS", help="A validating resolver on this machine to ask."),
        click.option("--ca", "trust", type=FILE, help="Certificates to trust beside the system's, PEM."),
        click.option("--suffixes", type=FILE, help="A public suffix list instead of the one brought along."),
        click.option("--whois", default="", metavar="HOST:PORT", help="Who tells routes as RISwhois does."),
        click.option("--routinator", default="", metavar="URL", help="Who tells whether a route is valid."),
        click.option("--local", is_flag=True, help="Addresses that are not global count as the Internet's."),
    ):
        command = option(command)
    return command


@click.command(name="mail")
@click.argument("domains", nargs=-1, metavar="[DOMAIN]...")
@click.option("--file", "listing", type=FILE, help="Check the domains of a file, one a line.")
@click.option("--journal", type=click.Path(path_type=Path), help="Keep results there, and go on with what is left.")
@world_options
@json_option
@config_option
def mail(
    domains: tuple[str, ...],
    listing: Path | None,
    journal: Path | None,
    as_json: bool,
    config_file: str | None,
    **given: Any,
) -> int:
    """Check mail DOMAINs as internet.nl does, with its verdicts and points, and with ours beside them.

    \b
    mailsrv check mail example.org
    mailsrv check mail --file domains.txt --journal today.journal --json
    """
    from checks.many import listed
    from checks.probe.opening import Options, configured
    from checks.run import domain_of

    wanted = [*map(domain_of, domains), *(listed(listing) if listing else ())]
    if not wanted:
        raise Misused("no domain to check", "mail", "write mailsrv check mail example.org")
    settings = _settings(config_file)
    return asyncio.run(_check(wanted, configured(settings, Options(**given)), settings, journal, as_json))


def _settings(config_file: str | None) -> Settings | None:
    if config_file is None:
        return None
    from dnsops.base import settings
    from dnsops.records import names

    return settings.load(config_file, names.host)


async def _check(
    domains: list[str], options: Options, settings: Settings | None, journal: Path | None, as_json: bool
) -> int:
    from checks.journal import Journal

    status = Exit.OK
    with Journal.opened(journal) if journal else nullcontext() as kept:
        left = [domain for domain in domains if kept is None or domain not in kept.done]
        results = []
        async with aclosing(_each(left, options, settings)) as each:
            async for done in each:
                value = document(done)
                results.append(value)
                status = max(status, _status(done))
                if kept:
                    kept.add(done.domain, value)
                if not as_json:
                    _tell(done)
    if as_json:
        print_json({"results": results})
    return status


async def _each(domains: list[str], options: Options, settings: Settings | None) -> AsyncIterator[Checked]:
    from checks.many import check_each
    from checks.probe.opening import opened

    async with opened(options, settings) as world, aclosing(check_each(domains, world)) as each:
        async for done in each:
            yield done


def _status(done: Checked) -> Exit:
    if done.report is None:
        return Exit.LATER
    return Exit.OK if done.report.all_good else Exit.FINDINGS


def document(done: Checked) -> dict[str, object]:
    """One domain for a program."""
    if done.report is None:
        return {"name": done.domain, "score": None, "trouble": done.trouble}
    return _document(done.report)


def _document(report: Report) -> dict[str, object]:
    return {
        "name": report.domain,
        "score": report.score,
        "mx": report.mx,
        "categories": {
            category.id: {
                "percent": category.percent,
                "max_points": category.max_points,
                "verdict": category.verdict.word,
                "subtests": {
                    one.id: {"status": one.status.word, "worst": one.worst.word, "verdict": one.verdict}
                    for one in category.findings
                },
            }
            for category in report.categories
        },
    }


def _tell(done: Checked) -> None:
    if done.report is None:
        click.echo(printable(f"{done.domain}: {done.trouble}"))
        return
    rows = [(one.id, f"{one.percent} %", one.verdict.word) for one in done.report.categories]
    print_table(f"{done.domain}: {done.report.score} %", ("category", "score", "verdict"), rows)
