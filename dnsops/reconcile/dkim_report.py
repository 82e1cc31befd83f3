"""A DKIM run's outcomes as a document for programs and sentences for people, and its exit status. Pure.

`SCHEMA` is the JSON Schema of the document; the wing's README shows it as a table, and a test holds every run to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from dnsops.base.errors import Exit, Later
from dnsops.dkim.ring import Generation, Role, Selector
from dnsops.reconcile import telling
from dnsops.reconcile.dkim_target import Outcome
from dnsops.reconcile.telling import FINDINGS, FLAG, SECURITY, TEXT, WAIT, Json, array, shape, word
from dnsops.resolve.answer import Told
from dnsops.rollover.dkim import Action
from dnsops.rollover.dkim_look import Sight, texts
from dnsops.rollover.machine import Phase


def name_of(outcome: Outcome) -> str:
    """What it is about."""
    return outcome.domain


def action_of(outcome: Outcome, dry_run: bool) -> Action:
    """The one word for an outcome."""
    if outcome.error is not None or outcome.decision is None:
        return Action.LATER if isinstance(outcome.error, Later) else Action.REFUSE
    action = outcome.decision.action
    fixed = action in (Action.LATER, Action.REFUSE)
    return Action.MAKE if dry_run and outcome.due and not fixed else action


def status(outcomes: Sequence[Outcome], dry_run: bool) -> Exit:
    """What needs a person beats what needs patience, and that beats what is merely pending."""
    return telling.status(outcomes, dry_run, action_of)


def document(outcomes: Sequence[Outcome], dry_run: bool, now: datetime) -> Json:
    """The run as JSON values, as `SCHEMA` says."""
    return telling.document(outcomes, dry_run, now, action_of, _result)


def _result(outcome: Outcome, dry_run: bool) -> Json:
    ring, decision = outcome.ring, outcome.decision
    action = action_of(outcome, dry_run)
    return {
        "domain": outcome.domain,
        "action": word(action),
        "why": outcome.due or action.value,
        "signing": [selector.name for selector in ring.current.selectors] if ring.current else [],
        "selectors": [_selector(one, selector, outcome) for one in ring.generations for selector in one.selectors],
        "add": _names((decision.publish if decision else frozenset()) if dry_run else outcome.added),
        "remove": _names((decision.prune if decision else frozenset()) if dry_run else outcome.removed),
        "switched": outcome.switched,
        "ready": bool(decision and decision.ready),
        "wait_seconds": telling.wait(outcome),
        "findings": telling.findings(outcome),
    }


def _selector(generation: Generation, selector: Selector, outcome: Outcome) -> Json:
    sight = outcome.look.sight(selector.name)
    stages = outcome.decision.ledger.life.stages if outcome.decision else {}
    stage = stages.get(selector)
    return {
        "selector": selector.name,
        "algorithm": selector.algorithm,
        "role": generation.role.name.lower(),
        "since": generation.since.isoformat(timespec="seconds"),
        "name": selector.owner(outcome.domain),
        "place": sight.place if sight else "",
        "zone": sight.zone if sight else "",
        "security": sight.answer.security.name.lower() if sight else "failed",
        "text": selector.text,
        "phase": stage.phase.name.lower() if stage else None,
        "shown": shown(selector, sight),
        "servers": [_server(told) for told in sight.consensus.told] if sight else [],
    }


def shown(selector: Selector, sight: Sight | None) -> str:
    """Who shows the selector's record, in a word."""
    if sight is None or not sight.trusted:
        return "unknown"
    if sight.shown_by_all(selector.text):
        return "everywhere"
    return "somewhere" if sight.shown_by_any(selector.text) else "nowhere"


def _server(told: Told) -> Json:
    """One authoritative server's word; `records` is null when it did not answer."""
    known = sorted(texts(told.items)) if told.items is not None else None
    return {"name": told.server.name, "address": told.server.address, "records": known, "error": told.why}


def _names(selectors: Iterable[Selector]) -> list[str]:
    return sorted(selector.name for selector in selectors)


def sentence(outcome: Outcome, dry_run: bool) -> str:
    """One line for a table: what was done, or would be, and what is waited for."""
    action, decision = action_of(outcome, dry_run), outcome.decision
    would = "would " if dry_run else ""
    match action:
        case Action.MAKE:
            return f"would make new keys: {outcome.due}"
        case Action.PUBLISH if decision:
            return f"{would}publish {', '.join(_names(decision.publish))}"
        case Action.PRUNE if decision:
            return f"{would}remove {', '.join(_names(outcome.removed or decision.prune))}"
        case Action.SWITCH:
            return "the next keys would sign" if dry_run else f"{_signing(outcome)} sign now"
        case Action.WAIT if decision:
            return f"waiting: {_waiting_for(outcome)}"
    return str(action.value)


def _signing(outcome: Outcome) -> str:
    return ", ".join(key.name for key in outcome.ring.current.selectors) if outcome.ring.current else "no keys"


def _waiting_for(outcome: Outcome) -> str:
    stages = outcome.decision.ledger.life.stages if outcome.decision else {}
    if Phase.ASKED in {stage.phase for stage in stages.values()}:
        return "not every name server shows the new records yet"
    seconds = telling.wait(outcome)
    if not seconds:
        return "for the next run, or for what the findings say"
    if outcome.ring.next:
        return f"caches run out in {seconds} s, then the new keys sign"
    held = Role.RETIRED in {one.role for one in outcome.ring.generations}
    return f"{'mail on its way arrives, and caches run out,' if held else 'caches run out'} in {_span(seconds)}"


def _span(seconds: int) -> str:
    return f"{seconds / 86400:.1f} days" if seconds >= 86400 else f"{seconds} s"


SCHEMA = telling.schema(
    "mailsrv dkim reconcile --json",
    Action,
    shape(
        domain=TEXT,
        action=telling.actions(Action),
        why=TEXT,
        signing=array(TEXT),
        selectors=array(
            shape(
                selector=TEXT,
                algorithm={"enum": ["rsa", "ed25519"]},
                role={"enum": [role.name.lower() for role in Role]},
                since=TEXT,
                name=TEXT,
                place=TEXT,
                zone=TEXT,
                security=SECURITY,
                text={"type": "string", "pattern": "^v=DKIM1; "},
                phase={"enum": [None, *(phase.name.lower() for phase in Phase)]},
                shown={"enum": ["everywhere", "somewhere", "nowhere", "unknown"]},
                servers=array(
                    shape(
                        name=TEXT,
                        address=TEXT,
                        records={"anyOf": [array(TEXT), {"type": "null"}]},
                        error=TEXT,
                    )
                ),
            )
        ),
        add=array(TEXT),
        remove=array(TEXT),
        switched=FLAG,
        ready=FLAG,
        wait_seconds=WAIT,
        findings=FINDINGS,
    ),
)
