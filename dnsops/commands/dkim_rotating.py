"""`mailsrv dkim rotate`: new keys now, told while they come into use.

Each look is a whole reconciliation, and stopping at any point leaves what a later run or the timer goes on with.
"""

from __future__ import annotations

import time
from typing import Any

from dnsops.base.errors import Exit
from dnsops.commands import dkim_request
from dnsops.commands.reconciling import last, look, progress
from dnsops.reconcile import dkim_report
from dnsops.reconcile.dkim_target import Outcome


def rotate(options: dict[str, Any], wait: bool, every: float) -> None:
    """One call of the command; ends by exiting."""
    outcomes = _look(options, rotate=True, wait=wait)
    begun = bool(outcomes)  # new keys are made once, however long another run holds us up
    while wait and not finished(outcomes):
        progress(dkim_report, outcomes)
        time.sleep(every)
        outcomes = _look(options, rotate=not begun, wait=wait)
        begun = begun or bool(outcomes)
    last(dkim_report, outcomes, options["as_json"])


def _look(options: dict[str, Any], rotate: bool, wait: bool) -> list[Outcome]:
    asked = dkim_request.from_options(options, rotate)
    return look(dkim_request.reconcile_once(asked, dry_run=False), wait)


def finished(outcomes: list[Outcome]) -> bool:
    """Every domain's new keys sign; or a person is needed, whom waiting would not bring."""
    if not outcomes:
        return False
    if any(dkim_report.status([outcome], False) is Exit.FINDINGS for outcome in outcomes):
        return True
    return all(outcome.decision and outcome.ring.current and not outcome.ring.next for outcome in outcomes)
