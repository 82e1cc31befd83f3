"""A certificate run's outcomes as a document for programs and sentences for people, and its exit status. Pure.

`SCHEMA` is the JSON Schema of the document; the wing's README shows it as a table, and a test holds every run to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dnsops.base.errors import Exit, Later
from dnsops.certs.chain import Chain
from dnsops.reconcile import telling
from dnsops.reconcile.certificate_target import Outcome
from dnsops.reconcile.telling import FINDINGS, FLAG, TEXT, WAIT, Json, array, shape, word
from dnsops.rollover.certificate import Action


def name_of(outcome: Outcome) -> str:
    """What it is about."""
    return outcome.host


def action_of(outcome: Outcome, dry_run: bool) -> Action:
    """The one word for an outcome."""
    if outcome.error is not None or outcome.decision is None:
        return Action.LATER if isinstance(outcome.error, Later) else Action.REFUSE
    if outcome.switched:
        return Action.SWITCH
    if outcome.issued:
        return Action.ORDER
    return outcome.decision.action


def status(outcomes: Sequence[Outcome], dry_run: bool) -> Exit:
    """What needs a person beats what needs patience, and that beats what is merely pending."""
    return telling.status(outcomes, dry_run, action_of)


def document(outcomes: Sequence[Outcome], dry_run: bool, now: datetime) -> Json:
    """The run as JSON values, as `SCHEMA` says. alarm: of the host with the fewest days left; `timers` tells each step once."""
    steps = [
        (outcome.look.current.not_after, outcome.decision.alarm)
        for outcome in outcomes
        if outcome.look.current and outcome.decision and outcome.decision.alarm
    ]
    alarm = min(steps)[1] if steps else ""
    return telling.document(outcomes, dry_run, now, action_of, _result) | {"alarm": alarm}


def _result(outcome: Outcome, dry_run: bool) -> Json:
    look, action = outcome.look, action_of(outcome, dry_run)
    return {
        "name": outcome.host,
        "action": word(action),
        "why": (outcome.decision.why if outcome.decision else "") or action.value,
        "names": list(look.names),
        "current": _chain(look.current),
        "next": _chain(look.next),
        "issued": outcome.issued,
        "switched": outcome.switched,
        "installed": outcome.installed,
        "wait_seconds": telling.wait(outcome),
        "findings": telling.findings(outcome),
    }


def _chain(chain: Chain | None) -> Json | None:
    if chain is None:
        return None
    return {
        "names": list(chain.names),
        "not_before": chain.not_before.isoformat(),
        "not_after": chain.not_after.isoformat(),
    }


def sentence(outcome: Outcome, dry_run: bool) -> str:
    """One line for a table: what was done, or would be, and what is waited for."""
    action, decision = action_of(outcome, dry_run), outcome.decision
    why = decision.why if decision else ""
    match action:
        case Action.ORDER:
            return f"would order a certificate: {why}" if dry_run else f"{_issued(outcome)}; {Action.WAIT.value}"
        case Action.SWITCH:
            said = f"{_issued(outcome)}; " if outcome.issued else ""
            return f"{said}{Action.SWITCH.value}"
        case Action.NONE:
            days = f"; a new one is due in {decision.wait.days} days" if decision and decision.wait else ""
            return f"{_until(outcome.look.current)}{days}"
        case Action.LATER if decision and decision.wait:
            minutes = decision.wait.total_seconds() / 60
            return f"{action.value}, in {minutes:.0f} min (--force does not wait): {why}"
    return str(action.value)


def _issued(outcome: Outcome) -> str:
    count = len(outcome.look.names)
    return f"a certificate for {count} name{'s' if count > 1 else ''} was issued"


def _until(chain: Chain | None) -> str:
    return f"valid until {chain.not_after:%Y-%m-%d}" if chain else Action.NONE.value


CERTIFICATE = {
    "anyOf": [shape(names=array(TEXT), not_before=TEXT, not_after=TEXT), {"type": "null"}],
}

SCHEMA = telling.schema(
    "mailsrv cert issue --json",
    Action,
    shape(
        name=TEXT,
        action=telling.actions(Action),
        why=TEXT,
        names=array(TEXT),
        current=CERTIFICATE,
        next=CERTIFICATE,
        issued=FLAG,
        switched=FLAG,
        installed=FLAG,
        wait_seconds=WAIT,
        findings=FINDINGS,
    ),
    alarm=TEXT,
)
