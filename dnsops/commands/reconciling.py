"""What the commands around a reconciliation share: their options, and how a run's outcomes reach a person or a program.

`report` is the room that knows the words: `dnsops.reconcile.report` or `dkim_report`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

import click

from dnsops.base import clock
from dnsops.base.errors import Exit, Later
from dnsops.base.output import config_option, json_option, print_json, print_table

if TYPE_CHECKING:
    from datetime import datetime
    from enum import Enum

    from dnsops.reconcile.telling import Json, Outcome

O = TypeVar("O", bound="Outcome")  # noqa: E741
Told = TypeVar("Told", bound="Outcome", contravariant=True)
Command = TypeVar("Command", bound=Callable[..., Any])
Option = Callable[[Any], Any]

PROVIDER = click.option(
    "--provider",
    metavar="SPEC",
    help="Who holds the zone: cloudflare, rfc2136:SERVER, zonefile:PATH, octodns:FILE#NAME.",
)
TSIG_KEY = click.option("--tsig-key", "tsig_key", metavar="FILE", help="The TSIG key for rfc2136.")
DRY_RUN = click.option(
    "--dry-run", is_flag=True, help="Say what would be done; write nothing.  [exit 2 when something would]"
)
EVERY = click.option(
    "--every",
    type=click.FloatRange(0.2, 3600),
    default=30.0,
    metavar="SECONDS",
    help="How often to look with --wait.  [30]",
)


def asking(*options: Option) -> Callable[[Command], Command]:
    """These options, and those that every command has."""

    def with_options(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return config_option(json_option(command))

    return with_options


class Report(Protocol[Told]):
    """The words of one kind of run. name_of: what an outcome is about, in a table."""

    def name_of(self, outcome: Told) -> str: ...

    def action_of(self, outcome: Told, dry_run: bool) -> Enum: ...

    def sentence(self, outcome: Told, dry_run: bool) -> str: ...

    def document(self, outcomes: Sequence[Told], dry_run: bool, now: datetime) -> Json: ...

    def status(self, outcomes: Sequence[Told], dry_run: bool) -> Exit: ...


def end(report: Report[O], column: str, outcomes: Sequence[O], dry_run: bool, as_json: bool) -> NoReturn:
    """The end of one run: its document; or a line an outcome, then everything a person should know."""
    if as_json:
        print_json(report.document(outcomes, dry_run, clock.now().wall))
    else:
        rows = [
            (report.name_of(one), report.action_of(one, dry_run).name.lower(), report.sentence(one, dry_run))
            for one in outcomes
        ]
        print_table("", (column, "action", "what"), rows)
        for outcome in outcomes:
            say_findings(outcome)
    raise SystemExit(report.status(outcomes, dry_run))


def say_findings(outcome: Outcome) -> None:
    """What is wrong goes to stderr."""
    from dnsops.reconcile.telling import findings_of

    for finding in findings_of(outcome):
        click.echo(f"{'!' if finding.trouble else '-'} {finding}", err=finding.trouble)


# of the commands that may stay until a key has changed


def look(run: Coroutine[Any, Any, list[O]], wait: bool) -> list[O]:
    """One run's outcomes; none, and a line that says so, when it is not possible now and we stay."""
    try:
        return asyncio.run(run)
    except Later as error:  # another run is at it, and may do the same work
        if not wait:
            raise
        click.echo(f"{clock.now().wall:%H:%M:%S} {error}", err=True)
        return []


def progress(report: Report[O], outcomes: Sequence[O]) -> None:
    """A line an outcome, with the time."""
    from dnsops.reconcile.telling import findings_of

    for outcome in outcomes:
        line = report.sentence(outcome, False)
        click.echo(f"{clock.now().wall:%H:%M:%S} {report.name_of(outcome)}: {line}", err=True)
        for finding in findings_of(outcome):
            click.echo(f"         {finding}", err=True)


def last(report: Report[O], outcomes: Sequence[O], as_json: bool) -> NoReturn:
    """The end of the last run."""
    if as_json:
        print_json(report.document(outcomes, False, clock.now().wall))
    else:
        progress(report, outcomes)
    raise SystemExit(report.status(outcomes, False))
