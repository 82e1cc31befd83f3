"""DMARC and TLS reports: list, show, export those that came; take one from a file; send ours.

`list --json`: an array of id kind domain organization report proven begin end arrived total failed; `show --json` one of these with
sentences[]; `export` prints the report itself, `--as json` as values; `take --json` {"report": one of these, "fresh": bool};
`send --json` {"sent": [KIND DAY DOMAIN ADDRESS], "later": [...], "action"}. Exit status 1: there is no such report.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dnsops.base.errors import ForUser, Misused
from dnsops.base.output import DEFAULT_CONFIG, config_option, json_option, print_json, print_table
from dnsops.base.printable import printable
from mailsrv.store import STORE

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from mailsrv.reports.aggregate import Aggregate
    from mailsrv.reports.ledger import Ledger
    from mailsrv.reports.received import Received
    from mailsrv.reports.sending import Sent
    from mailsrv.reports.tls_json import TlsReport
    from mailsrv.reports.unpack import Unpacked

COLUMNS = ("ID", "Kind", "Domain", "From", "Proven", "Day", "Total", "Failed")
MOST = 10_000


@dataclass(frozen=True)
class House:
    """What the commands work with."""

    settings: Settings
    state: Path
    ledger: Ledger


@click.group()
def report() -> None:
    """DMARC and TLS reports: list, show, export those that came; take one from a file; send ours."""


@report.command(name="list")
@click.option("--kind", type=click.Choice(["dmarc", "tls"]), help="Only these.")
@click.option("--domain", default="", help="Only about this domain.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only what ends on this day (UTC) or later.")
@click.option("--failed", is_flag=True, help="Only those in which something failed.")
@config_option
@json_option
def list_(
    kind: str | None, domain: str, since: datetime | None, failed: bool, config_file: str | None, as_json: bool
) -> None:
    """List the reports that others sent about us, the latest first."""
    from dnsops.records import names

    name = names.canonical(domain) if domain else ""
    with _house(config_file) as house:
        found = house.ledger.received(kind or "", name, since.replace(tzinfo=UTC) if since else None, MOST)
    found = [one for one in found if one.failed or not failed]
    if as_json:
        print_json([document(one) for one in found])
    else:
        print_table("", COLUMNS, [cells(one) for one in found])


@report.command()
@click.argument("number", type=int, metavar="ID")
@config_option
@json_option
def show(number: int, config_file: str | None, as_json: bool) -> None:
    """Say in sentences what a report says: who sent as us, what failed, and why."""
    from mailsrv.reports import summary
    from mailsrv.reports.aggregate import Aggregate

    received, read, _ = _one(config_file, number)
    sentences = list(summary.dmarc(received, read) if isinstance(read, Aggregate) else summary.tls(received, read))
    if as_json:
        print_json(document(received) | {"sentences": sentences})
        return
    for sentence in sentences:
        click.echo(printable(sentence))


@report.command()
@click.argument("number", type=int, metavar="ID")
@click.option(
    "--as",
    "form",
    type=click.Choice(["report", "json"]),
    default="report",
    help="As XML or JSON of the RFC, or as JSON of ours.",
)
@config_option
def export(number: int, form: str, config_file: str | None) -> None:
    """Print a report whole."""
    received, read, data = _one(config_file, number)
    if form == "json":
        print_json(document(received) | {"content": asdict(read)})
    else:
        click.echo(data)


@report.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@config_option
@json_option
def take(file: Path, config_file: str | None, as_json: bool) -> int:
    """Read a report from FILE - a mail, gzip, zip, XML or JSON - and keep it with the others."""
    from dnsops.base import clock
    from mailsrv.reports import receiving
    from mailsrv.reports.limits import Unreadable

    try:
        found = _unwrapped(file)
        received, content = receiving.read_document(found.kind, found.data, clock.now().wall)
    except Unreadable as error:
        raise ForUser(str(error), str(file)) from None
    with _house(config_file) as house:
        fresh = house.ledger.take(received, content)
    if as_json:
        print_json({"report": document(received), "fresh": fresh})
    else:
        click.echo("kept" if fresh else "this report was there already")
    return 0


@report.command()
@config_option
@json_option
def send(config_file: str | None, as_json: bool) -> None:
    """Send our reports that are due, and forget what is too old; the timer's job does it every hour."""
    told, action = _sent(config_file)
    if as_json:
        print_json({"sent": told.sent, "later": told.later, "action": action})
        return
    for line in [*told.sent, *(f"later: {why}" for why in told.later)] or [action]:
        click.echo(printable(line))


def _sent(config_file: str | None) -> tuple[Sent, str]:
    """What was sent, and that in a few words. Where no server of ours has seen anything there is nothing to do."""
    from dnsops.base import clock
    from mailsrv.reports.sending import Sent

    if config_file is None:
        return Sent(), "no configuration: nothing to send"
    now = clock.now().wall
    with _house(config_file) as house:
        if not (house.ledger.path.exists() and (house.state / STORE).is_dir()):
            return Sent(), "no mail has been seen here yet"
        house.ledger.tidy(now, timedelta(days=house.settings.reports.keep_days))
        if not house.settings.reports.send:
            return Sent(), "reports.send is false: nothing is sent"
        told = asyncio.run(_send(house, now))
    return told, f"{len(told.sent)} sent, {len(told.later)} later"


def document(received: Received) -> dict[str, object]:
    """What --json prints of a report."""
    return {
        "id": received.number,
        "kind": received.kind,
        "domain": received.domain,
        "organization": received.organization,
        "report": received.report,
        "proven": received.proven,
        "begin": received.begin.isoformat(),
        "end": received.end.isoformat(),
        "arrived": received.arrived.isoformat(),
        "total": received.total,
        "failed": received.failed,
    }


def cells(received: Received) -> list[str]:
    """A row of the table."""
    texts = (received.kind, received.domain, received.organization, received.proven or "nobody")
    counts = (f"{received.begin:%Y-%m-%d}", str(received.total), str(received.failed))
    return [str(received.number), *(printable(text) for text in texts), *counts]


def _unwrapped(file: Path) -> Unpacked:
    """The report in a file; what is neither packed nor a report by its first bytes must be a mail."""
    from dnsops.base import files
    from mailsrv.reports import limits
    from mailsrv.reports.limits import Unreadable
    from mailsrv.reports.unpack import opened, unpack

    try:
        data = files.read_bounded(file, 2 * limits.ENCODED)
    except (OSError, ValueError) as error:
        raise ForUser(f"cannot be read: {error}", str(file)) from None
    try:
        return opened(data)
    except Unreadable:
        return unpack(data)


def _one(config_file: str | None, number: int) -> tuple[Received, Aggregate | TlsReport, bytes]:
    from mailsrv.reports import dmarc_xml, tls_json

    with _house(config_file) as house:
        found = house.ledger.document(number)
    if found is None:
        raise ForUser("there is no such report", str(number), "look at `mailsrv report list`")
    received, data = found
    read = dmarc_xml.parse(data) if received.kind == "dmarc" else tls_json.parse(data)
    return received, read, data


async def _send(house: House, now: datetime) -> Sent:
    """The story of `sending`, with the real resolver and the real queue."""
    from dnsops.base.log import Log
    from dnsops.resolve.answer import Answer, Question
    from dnsops.resolve.choice import resolver
    from dnsops.resolve.settings import configured as resolver_settings
    from mailsrv.receive.outgoing import Outgoing
    from mailsrv.reports import configured
    from mailsrv.reports.posting import Posting
    from mailsrv.reports.sending import Sending
    from mailsrv.serving.signing import signing
    from mailsrv.store.sqlite import SqliteStore

    settings = house.settings
    async with resolver(resolver_settings(settings.resolver)) as chosen:

        async def ask(question: Question) -> Answer:
            return await chosen.ask(question.name, question.type)

        store = SqliteStore(house.state / STORE)
        try:
            reporter, own = configured.reporter(settings), configured.own(settings)
            outgoing = Outgoing(settings.hostname, signing(settings, house.state, Log()).signers)
            sending = Sending(
                house.ledger,
                reporter,
                ask,
                store,
                partial(outgoing.signed, now=now),
                Posting().post,
                Log(),
                own,
                frozenset(settings.reports.exclude),
            )
            return await sending.run(now)
        finally:
            await store.close()


@contextmanager
def _house(config_file: str | None) -> Iterator[House]:
    from dnsops.base import places, settings
    from dnsops.records import names
    from mailsrv.reports.ledger import LEDGER, Ledger

    if config_file is None:
        raise Misused("no configuration named, and none at the usual place", DEFAULT_CONFIG, "say --config FILE")
    loaded = settings.load(config_file, names.host)
    state = places.state_directory(loaded.state.directory)
    ledger = Ledger(state / LEDGER)
    try:
        yield House(loaded, state, ledger)
    finally:
        ledger.close()
