"""Does a mail of ours go out, and does its answer come back? The round trip, and what the far side saw of it.

Exit status: 0 all answered, 1 with findings, 64 wrong usage, 78 a configuration without an account to send from.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from checks.commands import asking
from checks.commands.asking import telling_options
from dnsops.base.errors import Misused

if TYPE_CHECKING:
    from checks.echo.ways import Ways
    from checks.finding import Report
    from dnsops.base.settings import Settings


@click.command(name="echo")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@click.option("--account", default="", help="Who sends and gets the answer.  [checks.echo_account]")
@click.option("--password-file", type=asking.FILE, help="A file with its password.  [checks.echo_password]")
@click.option(
    "--server", default="", metavar="HOST", help="Another mail server than this host's, at ports 465 and 993."
)
@click.option("--ca", "trust", type=asking.FILE, help="Certificates to trust beside the system's, PEM, for --server.")
@click.option("--wait", type=click.FloatRange(1, 86400), help="Seconds to wait for the answer.  [checks.echo_wait]")
@click.option("--direct", is_flag=True, help="Hand the mail to each MX host of ADDRESS by itself, past our submission.")
@click.option("--configured", is_flag=True, help="For timers: do nothing where no echo address is configured.")
@telling_options
def echo(
    addresses: tuple[str, ...],
    account: str,
    password_file: Path | None,
    server: str,
    trust: Path | None,
    wait: float | None,
    direct: bool,
    configured: bool,
    config_file: str | None,
    **options: Any,
) -> int:
    """Send a marked mail to echo ADDRESSes, and wait for their answers.

    Without ADDRESS to those of `checks.echo`. Our own server has such an address where `echo.addresses` says so.
    """
    from checks.commands.telling import Telling
    from checks.echo import ways
    from checks.echo.trips import round_trips
    from dnsops.base import secrets

    settings = asking.settings_at(config_file)
    if settings is None:
        raise Misused("no configuration named, so there is no server of ours", "echo", "say --config FILE")
    wanted = list(dict.fromkeys(addresses or map(str, settings.checks.echo)))
    if not wanted and not configured:
        raise Misused("no echo address", "echo", "name one, or set checks.echo")
    _check(wanted)
    history = asking.history(settings, options.pop("state"), options.pop("no_history"))
    forms = asking.forms(options)
    with Telling(forms, history, 1, "ECHO") as telling:
        if wanted:
            secret = secrets.from_file(password_file, "--password-file") if password_file else None
            way = ways.of(settings, account, secret, server, trust)
            limit = timedelta(seconds=wait) if wait else settings.checks.echo_wait
            late = settings.checks.echo_late
            trips = _direct(way, wanted, settings, limit) if direct else round_trips(way, wanted, late, limit)
            telling.take(asyncio.run(trips))
    return telling.status


async def _direct(way: Ways, wanted: list[str], settings: Settings, wait: timedelta) -> Report:
    """By each mail host of theirs."""
    from checks.deliverability.gathering import signed
    from checks.echo.direct import mail_hosts
    from checks.echo.trips import Direct, each_host
    from dnsops.resolve.choice import resolver
    from dnsops.resolve.settings import configured

    async with resolver(configured(settings.resolver)) as asked:
        routes = {echo: await mail_hosts(echo, asked) for echo in wanted}
    how = Direct(settings.hostname, lambda content, now: signed(content, settings, now))
    return await each_host(way, routes, how, settings.checks.echo_late, wait)


def _check(wanted: list[str]) -> None:
    from mailsrv.directory import address

    for text in wanted:
        if address.parse(text) is None:
            raise Misused(f"no mail address: {text[:80]!r}", "echo", "write user@example.org")
