"""Is this host well? Ports, queue, disk, clock, certificate, TLSA records, timers, backups, the log.

Exit status: 0 well, 1 with findings that failed, 64 wrong usage; with --nagios its own.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from checks.commands import asking
from checks.commands.asking import telling_options
from dnsops.base.errors import Misused

if TYPE_CHECKING:
    from checks.finding import Finding, Report
    from dnsops.base.settings import Settings


@click.command(name="health")
@click.option("--ask/--no-ask", default=True, show_default=True, help="Also ask the DNS for the TLSA records.")
@telling_options
def health(ask: bool, config_file: str | None, **options: Any) -> int:
    """Look whether this host is well.

    \b
    mailsrv check health
    mailsrv check health --nagios      as a monitoring plugin: one line, and its exit status
    """
    from checks.commands.telling import Telling
    from dnsops.base.places import state_directory

    settings = asking.settings_at(config_file)
    if settings is None:
        raise Misused("no configuration named, so it is not known what should be here", "health", "say --config FILE")
    state = options.pop("state")
    history = asking.history(settings, state, options.pop("no_history"))
    place = Path(state) if state else state_directory(settings.state.directory)
    with Telling(asking.forms(options), history, 1, "HEALTH") as telling:
        telling.take(asyncio.run(of_host(settings, place, ask)))
    return telling.status


async def of_host(settings: Settings, place: Path, ask: bool = True) -> Report:
    """The host's report: with whether its server relays, by RCPT only, and its mailbox where `checks.mailbox` wants that.

    place: the state directory.
    """
    from checks.commands import relay
    from checks.commands.mailbox import of_own
    from checks.finding import Category, strict_verdict
    from checks.health.judging import judge
    from checks.health.looking import look
    from checks.mailbox.judging import findings
    from checks.relay.judging import relays
    from checks.relay.trying import glance

    report = judge(await look(settings, place, ask))
    further: list[Finding] = []
    if settings.listeners.smtp.enabled:
        further.append(relays(await glance(relay.of_own(settings))))
    if settings.checks.mailbox:
        further += findings(await of_own(settings))
    if not further or report.beyond is None:
        return report
    found = (*report.findings, *further)
    return replace(report, beyond=Category(report.beyond.id, found, strict_verdict(found)))
