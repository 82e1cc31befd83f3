"""Does a real mailbox work over IMAP: login, TLS, a message put in, read and taken out?

Exit status: 0 as wanted, 1 with findings that failed, 64 wrong usage, 78 a configuration without an account whose password is known.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from checks.commands import asking
from checks.commands.asking import telling_options
from dnsops.base.errors import Misconfigured, Misused

if TYPE_CHECKING:
    from checks.mailbox.judging import Visit
    from dnsops.base.settings import Settings


@click.command(name="mailbox")
@click.option("--account", default="", help="Whose mailbox.  [checks.echo_account]")
@click.option("--password-file", type=asking.FILE, help="A file with its password.  [checks.echo_password]")
@click.option("--server", default="", metavar="HOST", help="Another mail server than this host's, at port 993.")
@click.option("--ca", "trust", type=asking.FILE, help="Certificates to trust beside the system's, PEM, for --server.")
@telling_options
def mailbox(
    account: str,
    password_file: Path | None,
    server: str,
    trust: Path | None,
    config_file: str | None,
    **options: Any,
) -> int:
    """Log in to a mailbox by IMAP, put a marked message into a folder of ours, read it, take it out, and remove the folder."""
    from checks.commands.telling import Telling
    from checks.echo import ways
    from checks.mailbox.judging import judge
    from checks.mailbox.trying import try_mailbox
    from dnsops.base import secrets

    settings = asking.settings_at(config_file)
    if settings is None:
        raise Misused("no configuration named, so there is no account of ours", "mailbox", "say --config FILE")
    history = asking.history(settings, options.pop("state"), options.pop("no_history"))
    secret = secrets.from_file(password_file, "--password-file") if password_file else None
    way = ways.of(settings, account, secret, server, trust)
    with Telling(asking.forms(options), history, 1, "MAILBOX") as telling:
        telling.take(judge(asyncio.run(try_mailbox(way))))
    return telling.status


async def of_own(settings: Settings) -> Visit:
    """For the host's health: a configuration without an account is no trouble there."""
    from datetime import UTC, datetime

    from checks.echo import ways
    from checks.mailbox.judging import Visit
    from checks.mailbox.trying import try_mailbox

    try:
        return await try_mailbox(ways.of(settings))
    except Misconfigured as error:
        return Visit(datetime.now(UTC), settings.hostname, untold=error.what)
