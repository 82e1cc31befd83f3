"""What would a spam filter say of a message: a score out of 10, and under it every reason with its cost and its fix.

Exit status: 0 at 10, 1 with findings, 75 when nothing came to the one-time address, 64 wrong usage.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from checks.commands import asking
from checks.commands.asking import telling_options
from dnsops.base.errors import Misused
from mailsrv.store import STORE

if TYPE_CHECKING:
    from checks.deliverability.gathering import Given
    from checks.finding import Report
    from dnsops.base.settings import Settings

LARGEST = 64 << 20
PATIENCE = 600.0  # seconds


@click.command(name="deliverability")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--mailbox", is_flag=True, help="Give a one-time address of this server, and score what comes to it.")
@click.option("--generate", nargs=2, metavar="FROM TO", help="Score a message made up between two addresses.")
@click.option("--account", default="", help="Whose address --mailbox gives; the first account's unless said.")
@click.option(
    "--wait", default=PATIENCE, show_default=True, type=click.FloatRange(1, 86400), help="Seconds for --mailbox."
)
@click.option("--address", default="", metavar="IP", help="The address that the message is sent from.")
@click.option("--helo", default="", metavar="NAME", help="What the sending server calls itself.")
@click.option("--mail-from", "sender", default="", metavar="ADDRESS", help="The envelope's sender; else From's.")
@click.option("--ask/--no-ask", default=True, show_default=True, help="Ask the DNS, block lists and scanners.")
@click.option("--fetch", is_flag=True, help="Also ask whether linked pages answer.")
@click.option("--local", is_flag=True, help="Linked pages in this network may be asked, too.")
@telling_options
def deliverability(
    file: Path | None,
    mailbox: bool,
    generate: tuple[str, str] | None,
    account: str,
    wait: float,
    config_file: str | None,
    **options: Any,
) -> int:
    """Score a message from 0 to 10: FILE, or - for stdin.

    \b
    mailsrv check deliverability newsletter.eml --address 192.0.2.25
    mailsrv check deliverability --mailbox              send a mail to the address that it prints
    mailsrv check deliverability --generate news@example.org you@example.net
    """
    from checks.commands.telling import Telling
    from checks.deliverability.gathering import Given

    if sum((file is not None, mailbox, generate is not None)) != 1:
        raise Misused(
            "say which message", "deliverability", "name a file, - for stdin, --mailbox or --generate FROM TO"
        )
    given = Given(**{name: options.pop(name) for name in Given.__dataclass_fields__})
    settings = asking.settings_at(config_file)
    history = asking.history(settings, options.pop("state"), options.pop("no_history"))
    forms = asking.forms(options)
    quiet = forms.as_json or forms.nagios
    if mailbox:
        raw = _by_mail(settings, account, wait)
    elif generate:
        raw = _generated(*generate)
    else:
        raw = _read(file or Path("-"))
    report = asyncio.run(score(raw, given, settings))
    with Telling(forms, history, 1, "DELIVERABILITY") as telling:
        if not quiet:
            _headline(report)
        telling.take(report, _author(raw))
    return telling.status


def _author(raw: bytes) -> str:
    """As whose message it is remembered: that of the domain in From."""
    from checks.deliverability.gathering import author

    return author(raw).rpartition("@")[2].lower()[:255] or "nobody"


async def score(raw: bytes, given: Given, settings: Settings | None) -> Report:
    """The whole story: found out, then judged."""
    from checks.deliverability.gathering import gather
    from checks.deliverability.judging import score_message

    content, known = await gather(raw, given, settings)
    return score_message(content, known)


def _headline(report: Report) -> None:
    from checks.deliverability.judging import out_of_ten

    click.secho(f"{out_of_ten(report)} of 10", bold=True)


def _read(file: Path) -> bytes:
    from mailsrv.commands.explaining import of_file

    if str(file) != "-":
        return of_file(file)
    content = sys.stdin.buffer.read(LARGEST + 1)
    if not content.strip() or len(content) > LARGEST:
        raise Misused("no message, or one of more than 64 MiB", "stdin", "pipe one message into it")
    return content


def _generated(sender: str, recipient: str) -> bytes:
    import secrets

    from checks.deliverability.generating import generate
    from dnsops.base import clock
    from mailsrv.directory import address

    for text in (sender, recipient):
        if address.parse(text) is None:
            raise Misused(f"no mail address: {text[:80]!r}", "--generate", "write FROM and TO as user@example.org")
    return generate(sender, recipient, clock.now().wall, secrets.token_hex(12))


def _by_mail(settings: Settings | None, account: str, seconds: float) -> bytes:
    from checks.deliverability import mailbox
    from dnsops.base.places import state_directory

    if settings is None:
        raise Misused("no configuration named, so there is no server of ours", "--mailbox", "say --config FILE")
    name, wanted = mailbox.address(settings, account)
    store = state_directory(settings.state.directory) / STORE

    def ready() -> None:
        click.echo(f"send the message to {wanted} (waiting {seconds:g} s)", err=True)

    return asyncio.run(mailbox.wait(store, name, wanted, seconds, ready))
