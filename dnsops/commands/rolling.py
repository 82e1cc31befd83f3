"""`mailsrv tlsa roll`: the story of one key's successor, told while it happens.

Each look is a whole reconciliation, and stopping at any point leaves what a later run or the timer goes on with.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from dnsops.base import files
from dnsops.base.errors import Exit, ForUser
from dnsops.certs.chain import LARGEST_PEM
from dnsops.certs.generations import Generations
from dnsops.commands import request
from dnsops.commands.reconciling import last, look, progress
from dnsops.reconcile import report
from dnsops.reconcile.target import Outcome
from dnsops.rollover.machine import Phase


def roll(options: dict[str, Any], csr: bool, chain: Path | None, wait: bool, every: float) -> None:
    """One call of the command; ends by exiting."""
    own = not options["sources"]
    if own:
        options["sources"] = ("mailsrv:",)
    asked = request.from_options(options)
    keys = Generations(Path(options["certs"] or asked.state / "certs"))
    name = asked.targets[0].host
    if own:
        _prepare(keys, name, chain)
    if csr:
        click.echo(keys.csr(name).decode(), nl=False)
        raise SystemExit(Exit.OK)
    outcomes = look(request.reconcile_once(asked, dry_run=False), wait)
    while wait and not finished(outcomes):
        progress(report, outcomes)
        time.sleep(every)
        outcomes = look(request.reconcile_once(asked, dry_run=False), wait)
    last(report, outcomes, options["as_json"])


def _prepare(keys: Generations, host: str, chain: Path | None) -> None:
    """A next key, and its certificate when the CA gave one. The very first pair needs no announcement: nobody knows it."""
    keys.make_next(host)
    if chain:
        try:
            keys.install_chain(host, files.read_bounded(chain, LARGEST_PEM))
        except (OSError, ValueError) as error:
            raise ForUser(f"cannot be read ({error})", str(chain)) from None
    if keys.current(host) is None:
        upcoming = keys.next(host)
        if upcoming is None or upcoming.chain is None:
            return
        keys.promote(host)
        keys.make_next(host)


def finished(outcomes: list[Outcome]) -> bool:
    """Nothing left to publish, serve or retire; or a person is needed, whom waiting would not bring."""
    if not outcomes:
        return False
    if any(report.status([outcome], False) is Exit.FINDINGS for outcome in outcomes):
        return True
    return all(outcome.decision and not outcome.switched and _steady(outcome) for outcome in outcomes)


def _steady(outcome: Outcome) -> bool:
    decision = outcome.decision
    if decision is None or outcome.added or outcome.removed:
        return False
    due = any(port.next_chains for port in outcome.look.ports)
    busy = {stage.phase for stage in decision.ledger.life.stages.values()} & {Phase.ASKED, Phase.RETIRING}
    return not busy and not due
