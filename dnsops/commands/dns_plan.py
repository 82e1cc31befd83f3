"""`mailsrv dns plan`: what `apply` would change, why, whose each record is, and what is left alone. Writes nothing.

Exit: 0 no changes · 2 changes are pending · 1 only a person can go on (a stranger's record is in the way) · 75 not now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dnsops.base.errors import Exit
from dnsops.base.output import config_option, json_option, print_json

if TYPE_CHECKING:
    from dnsops.commands.dns_keys import Story
    from dnsops.commands.dns_request import Request
    from dnsops.plan.door import Plan
    from dnsops.reconcile.zone_target import Outcome

DOMAIN = click.option(
    "--domain", "domains", multiple=True, metavar="NAME", help="Only this domain's zone; may be given several times."
)
STATE = click.option("--state", metavar="DIR", help="Where ledgers and keys are.  [/var/lib/mailsrv or the user's own]")


@click.command()
@config_option
@json_option
@DOMAIN
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Keep the plan there, for `dns apply --plan`."
)
@click.option("--all", "everything", is_flag=True, help="Show what is in place, too.")
@STATE
def plan(as_json: bool, out: Path | None, everything: bool, **options: Any) -> None:
    """What `dns apply` would change in the zones, line by line with the reason.

    \b
    + add   ~ replace   - remove   o not ours, left alone   ! you decide
    Exit: 0 no changes · 2 changes are pending · 1 a person must decide · 75 not now
    """
    from dnsops.commands import dns_keys, dns_request
    from dnsops.reconcile import zone, zone_report

    asked = dns_request.from_options(options)
    outcomes = asyncio.run(zone.plan(asked.wishes, asked.world(), asked.others))
    stories = dns_keys.stories(asked, dry_run=True)
    if out:
        keep(out, [outcome.plan for outcome in outcomes if outcome.plan])
    if as_json:
        print_json(document(asked, outcomes, stories, dry_run=True))
    else:
        tell(asked, outcomes, everything)
        dns_keys.tell(stories)
    status = zone_report.status(outcomes, dry_run=True)
    pending = status is Exit.OK and any(story.pending for story in stories)
    if not as_json:
        click.echo("no changes but to the records of keys" if pending else total(outcomes))
    raise SystemExit(Exit.PENDING if pending else status)


def keep(path: Path, plans: Iterable[Plan]) -> None:
    """A plan for later."""
    from dnsops.base import clock
    from dnsops.plan.saved import Kind, Saved
    from dnsops.reconcile.zone_files import write_saved

    write_saved(path, Saved(Kind.PLAN, clock.now().wall.isoformat(timespec="seconds"), tuple(plans)))


def document(asked: Request, outcomes: Sequence[Outcome], stories: Sequence[Story], dry_run: bool) -> object:
    """The run for a program."""
    from dnsops.base import clock
    from dnsops.commands import dns_keys
    from dnsops.reconcile import zone_report

    now = clock.now().wall
    return zone_report.document(outcomes, dry_run, now, asked.found.findings, dns_keys.documents(stories, now))


def tell(asked: Request, outcomes: Sequence[Outcome], everything: bool = False) -> None:
    """Each zone's plan, and what a person should know."""
    from dnsops.plan import telling
    from dnsops.reconcile.telling import findings_of

    for outcome in outcomes:
        for line in telling.lines(outcome.plan, everything) if outcome.plan else ():
            click.secho(line.text, fg=line.colour or None)
        for finding in findings_of(outcome):
            click.echo(f"! {finding}", err=True)
    for note in asked.found.findings:
        click.echo(f"note: {note}")


def total(outcomes: Sequence[Outcome]) -> str:
    """The last line."""
    from dnsops.plan import telling

    return telling.totals([outcome.plan for outcome in outcomes if outcome.plan])
