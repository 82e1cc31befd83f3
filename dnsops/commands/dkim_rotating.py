"""`mailsrv dkim rotate`: new keys now, told while they come into use.

Each look is a whole reconciliation, and stopping at any point leaves what a later run or the timer goes on with.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import click

from dnsops.base import clock
from dnsops.base.errors import Exit, Later
from dnsops.base.output import print_json
from dnsops.commands import dkim_request
from dnsops.commands.dkim_request import Request
from dnsops.reconcile import dkim_report, telling
from dnsops.reconcile.dkim_target import Outcome


def rotate(options: dict[str, Any], wait: bool, every: float) -> None:
    """One call of the command; ends by exiting."""
    outcomes = _look(dkim_request.from_options(options, rotate=True), wait)
    begun = bool(outcomes)  # new keys are made once, however long another run holds us up
    while wait and not finished(outcomes):
        _progress(outcomes)
        time.sleep(every)
        outcomes = _look(dkim_request.from_options(options, rotate=not begun), wait)
        begun = begun or bool(outcomes)
    if options["as_json"]:
        print_json(dkim_report.document(outcomes, False, clock.now().wall))
    else:
        _progress(outcomes)
    raise SystemExit(dkim_report.status(outcomes, False))


def _look(asked: Request, wait: bool) -> list[Outcome]:
    try:
        return asyncio.run(dkim_request.reconcile_once(asked, dry_run=False))
    except Later as error:  # another run is at it, and may do the same work
        if not wait:
            raise
        click.echo(f"{clock.now().wall:%H:%M:%S} {error}", err=True)
        return []


def finished(outcomes: list[Outcome]) -> bool:
    """Every domain's new keys sign; or a person is needed, whom waiting would not bring."""
    if not outcomes:
        return False
    if any(dkim_report.status([outcome], False) is Exit.FINDINGS for outcome in outcomes):
        return True
    return all(outcome.decision and outcome.ring.current and not outcome.ring.next for outcome in outcomes)


def _progress(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        line = dkim_report.sentence(outcome, False)
        click.echo(f"{clock.now().wall:%H:%M:%S} {outcome.domain}: {line}", err=True)
        for finding in telling.findings_of(outcome):
            click.echo(f"         {finding}", err=True)
