"""DNSSEC care from the command line: keys, DS, signatures' time left, servers that lag, algorithms that are too old.

Exit status: 0 as it should be, 1 a person should look, 75 the DNS could not be asked. With --json one object:
    schema time status action results[{name security why signed left_days ds keys servers findings[{what advice trouble}]}]
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from dnsops.base import clock
from dnsops.base.errors import Exit, ForUser, Misused
from dnsops.base.output import config_option, json_option, print_json, print_table
from dnsops.base.printable import printable
from dnsops.records import names

if TYPE_CHECKING:
    from datetime import datetime

    from dnsops.base.settings import Settings
    from dnsops.dnssec.facts import Facts, Place
    from dnsops.resolve.settings import Settings as ResolverSettings


@click.command(name="dnssec")
@click.argument("zones", nargs=-1, metavar="[ZONE]...")
@config_option
@json_option
def dnssec(zones: tuple[str, ...], config_file: str | None, as_json: bool) -> int:
    """Whether the zones' signatures hold, for how long, and what will break next. Only looks.

    \b
    mailsrv dns dnssec                    the zones of the configuration's hosts and domains
    mailsrv dns dnssec example.org        any zone
    Exit: 0 as it should be · 1 a person should look · 75 the DNS could not be asked
    """
    from dnsops.commands.request import settings_at
    from dnsops.resolve.settings import configured

    settings = settings_at(config_file)
    places = [] if zones else _configured(settings)
    wanted = [_checked(zone) for zone in zones] or _names(settings)
    found = asyncio.run(_look(wanted, places, configured(settings.resolver) if settings else None))
    return _tell(found, clock.now().wall, as_json)


def _checked(text: str) -> str:
    try:
        return names.canonical(text)
    except ForUser as error:
        raise Misused(error.what, "ZONE", "write a zone such as example.org") from None


def _names(settings: Settings | None) -> list[str]:
    """The names whose zones are ours."""
    if settings is None:
        raise Misused("no zone is named", "", "write one, or a configuration and name it with --config")
    return [settings.hostname, *settings.domains, *(target.host for target in settings.targets)]


def _configured(settings: Settings | None) -> list[Place]:
    """The TLSA records that senders must be able to validate."""
    targets = settings.targets if settings else ()
    return [(names.tlsa_owner(target.host, int(port)), "TLSA") for target in targets for port in target.ports]


async def _look(wanted: Sequence[str], places: Sequence[Place], how: ResolverSettings | None) -> list[Facts]:
    """All zones at once, each looked at once."""
    from dnsops.reconcile.dnssec import look, zones_of
    from dnsops.resolve.authority import Authorities
    from dnsops.resolve.choice import resolver

    async with resolver(how) as asking, Authorities(asking) as authorities:
        apexes = list(await zones_of(wanted, asking))
        own = {apex: [place for place in places if names.longest_suffix(place[0], apexes) == apex] for apex in apexes}
        return list(await asyncio.gather(*(look(apex, own[apex], asking, authorities) for apex in apexes)))


def _tell(found: Sequence[Facts], now: datetime, as_json: bool) -> Exit:
    from dnsops.dnssec import report
    from dnsops.dnssec.care import findings

    if as_json:
        print_json(report.document(found, now))
        return report.status(found, now)
    rows = [(facts.apex or ".", facts.security.name.lower(), report.sentence(facts, now)) for facts in found]
    print_table("", ("zone", "verdict", "what"), [tuple(map(printable, row)) for row in rows])
    for facts in found:
        for finding in findings(facts, now):
            mark = "!" if finding.trouble else "-"
            click.echo(f"{mark} {facts.apex or '.'}: {printable(str(finding))}", err=finding.trouble)
    return report.status(found, now)
