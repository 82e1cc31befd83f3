"""`mailsrv dns apply`: make the zones say what is wanted, after a person said yes, and see that they do.

It reads again, leaves every line that a human touched since, adds before it removes, writes a way back first, and is not
done before every authoritative server and the validating resolver show it. `--undo` goes that way back.
Exit: 0 done, or nothing to do · 1 a person should look · 64 nobody said yes · 75 not now, or not seen everywhere yet.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from dnsops.base.errors import Exit, ForUser, Misused
from dnsops.base.output import config_option, json_option, print_json, print_table
from dnsops.commands.dns_plan import DOMAIN, STATE, document, tell

if TYPE_CHECKING:
    from dnsops.commands.dns_request import Request
    from dnsops.plan.door import Plan
    from dnsops.plan.saved import Kind, Saved
    from dnsops.reconcile.zone_target import Outcome

NEWEST = "the newest"


@click.command()
@config_option
@json_option
@DOMAIN
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="What `dns plan --out` kept, and no more.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--force", is_flag=True, help="Also past records.most_removed.")
@click.option(
    "--additions", is_flag=True, help="Only put back what we wrote and is gone; tell the rest. For the timer."
)
@click.option(
    "--undo", is_flag=False, flag_value=NEWEST, metavar="[FILE]", help="Go back: what the last run, or FILE's, changed."
)
@click.option(
    "--wait",
    type=click.FloatRange(0, 3600),
    default=60.0,
    metavar="SECONDS",
    help="How long to look for what was written.  [60]",
)
@STATE
def apply(as_json: bool, yes: bool, undo: str | None, **options: Any) -> None:
    """Write what `dns plan` shows, and see that every name server and DNSSEC show it.

    \b
    Exit: 0 done, or nothing to do · 1 a person should look · 64 nobody said yes · 75 not now, or not seen everywhere yet
    """
    from dnsops.commands import dns_keys, dns_request, request
    from dnsops.reconcile import zone_report

    asked = dns_request.from_options(options)
    if options["additions"] and not asked.applied:
        _nothing(as_json)
    with request.locked(asked.state, "zone"):
        outcomes = _back(asked, undo, yes, as_json) if undo else _forward(asked, options, yes, as_json)
    stories = [] if undo or options["additions"] else dns_keys.stories(asked, dry_run=False)
    if as_json:
        print_json(document(asked, outcomes, stories, dry_run=False))
    else:
        _report(outcomes)
        dns_keys.tell(stories)
    raise SystemExit(zone_report.status(outcomes, dry_run=False))


def _nothing(as_json: bool) -> NoReturn:
    """No person applied anything from here yet, so that a timer has nothing to put back."""
    from dnsops.base import clock
    from dnsops.reconcile import zone_report

    if as_json:
        print_json(zone_report.document((), False, clock.now().wall))
    else:
        click.echo("nothing was applied from here yet: `mailsrv dns plan`")
    raise SystemExit(Exit.OK)


def _forward(asked: Request, options: dict[str, Any], yes: bool, as_json: bool) -> list[Outcome]:
    """Show the plan, ask, carry it out."""
    from dnsops.plan.saved import Kind
    from dnsops.reconcile import zone
    from dnsops.reconcile.zone_target import Terms

    terms = Terms(additions=options["additions"], force=options["force"])
    if options["plan_file"]:
        agreed = _saved(options["plan_file"], Kind.PLAN)
        _consent(agreed.plans, yes, shown=as_json)
        terms = Terms({plan.zone: plan for plan in agreed.plans}, force=options["force"])
    elif not yes:
        shown = asyncio.run(zone.plan(asked.wishes, asked.world(), asked.others))
        if not as_json:
            tell(asked, shown)
        plans = [one.plan for one in shown if one.plan]
        _consent(plans, yes, shown=True)
        terms = Terms({plan.zone: plan for plan in plans}, force=options["force"], additions=options["additions"])
    world = replace(asked.world(), ours=frozenset(filter(None, asked.zones.values())))
    return asyncio.run(zone.apply(asked.wishes, world, terms, asked.others))


def _back(asked: Request, undo: str, yes: bool, as_json: bool) -> list[Outcome]:
    """Show the way back, ask, go."""
    from dnsops.plan.saved import Kind
    from dnsops.reconcile import zone

    world = asked.world()
    way = _saved(world.ways_back.newest() if undo == NEWEST else Path(undo), Kind.UNDO)
    _consent(way.plans, yes, shown=as_json)
    return asyncio.run(zone.undo(way, world))


def _saved(path: Path, kind: Kind) -> Saved:
    from dnsops.reconcile.zone_files import read_saved

    found = read_saved(path)
    if found.kind is not kind:
        option = "--undo" if kind.value == "plan" else "--plan"
        raise Misused(f"{path} is of another kind ({found.kind.value})", "dns apply", f"it goes with {option}")
    return found


def _consent(plans: Sequence[Plan], yes: bool, shown: bool) -> None:
    """Somebody says yes: by an option, or on a terminal after seeing the changes."""
    from dnsops.plan import telling

    if not shown:
        for plan in plans:
            for line in telling.lines(plan):
                click.secho(line.text, fg=line.colour or None)
    if yes or not any(plan.changes for plan in plans):
        return
    if not sys.stdin.isatty():
        raise Misused("there are changes, and nobody is here to say yes to them", "dns apply", "say --yes")
    if not click.confirm(f"{telling.totals(plans)}. Shall it be so?", err=True):
        raise ForUser("nothing was changed", "dns apply")


def _report(outcomes: Sequence[Outcome]) -> None:
    from dnsops.commands.reconciling import say_findings
    from dnsops.reconcile import zone_report
    from dnsops.reconcile.telling import word

    rows = [(one.zone, word(zone_report.action_of(one, False)), zone_report.sentence(one)) for one in outcomes]
    print_table("", ("zone", "action", "what"), rows)
    for outcome in outcomes:
        say_findings(outcome)
