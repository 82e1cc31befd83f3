"""A DKIM run's outcomes as a document for programs and sentences for people, and its exit status. Pure.

`SCHEMA` is the JSON Schema of the document; the wing's README shows it as a table, and a test holds every run to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from dnsops.base.errors import Exit, ForUser, Later
from dnsops.dkim.ring import Generation, Role, Selector
from dnsops.reconcile.dkim_target import Outcome
from dnsops.resolve.answer import Told
from dnsops.rollover.dkim import Action
from dnsops.rollover.dkim_look import Sight, texts
from dnsops.rollover.look import Finding
from dnsops.rollover.machine import Phase

Json = dict[str, object]

# From what needs a person first down to what needs nobody: the document's own action is the first that occurs.
URGENCY = (
    Action.LATER, Action.REFUSE, Action.MAKE, Action.PUBLISH, Action.SWITCH, Action.PRUNE, Action.WAIT, Action.NONE,
)  # fmt: skip
CHANGES = (Action.MAKE, Action.PUBLISH, Action.SWITCH, Action.PRUNE)


def action_of(outcome: Outcome, dry_run: bool) -> Action:
    """The one word for an outcome."""
    if outcome.error is not None or outcome.decision is None:
        return Action.LATER if isinstance(outcome.error, Later) else Action.REFUSE
    action = outcome.decision.action
    fixed = action in (Action.LATER, Action.REFUSE)
    return Action.MAKE if dry_run and outcome.due and not fixed else action


def status(outcomes: Sequence[Outcome], dry_run: bool) -> Exit:
    """What needs a person beats what needs patience, and that beats what is merely pending."""
    actions = [action_of(outcome, dry_run) for outcome in outcomes]
    if Action.REFUSE in actions or any(finding.trouble for outcome in outcomes for finding in findings_of(outcome)):
        return Exit.FINDINGS
    if Action.LATER in actions:
        return Exit.LATER
    return Exit.PENDING if dry_run and any(action in CHANGES for action in actions) else Exit.OK


def findings_of(outcome: Outcome) -> tuple[Finding, ...]:
    """Everything a person should know of an outcome, its error first."""
    known = (outcome.decision.findings if outcome.decision else ()) + outcome.findings
    match outcome.error:
        case None:
            return known
        case ForUser() as error:
            what = f"{error.where}: {error.what}" if error.where else error.what
            return (Finding(what, error.advice), *known)
        case Later() as error:
            return (Finding(error.reason, "the next run tries again", trouble=False), *known)
    return (Finding(str(outcome.error)), *known)


def document(outcomes: Sequence[Outcome], dry_run: bool, now: datetime) -> Json:
    """The run as JSON values, as `SCHEMA` says."""
    actions = [action_of(outcome, dry_run) for outcome in outcomes]
    first = next((action for action in URGENCY if action in actions), Action.NONE)
    return {
        "schema": 1,
        "time": now.isoformat(timespec="seconds"),
        "dry_run": dry_run,
        "status": int(status(outcomes, dry_run)),
        "action": first.name.lower(),
        "results": [_result(outcome, dry_run) for outcome in outcomes],
    }


def _result(outcome: Outcome, dry_run: bool) -> Json:
    ring, decision = outcome.ring, outcome.decision
    action = action_of(outcome, dry_run)
    return {
        "domain": outcome.domain,
        "action": action.name.lower(),
        "why": outcome.due or action.value,
        "signing": [selector.name for selector in ring.current.selectors] if ring.current else [],
        "selectors": [_selector(one, selector, outcome) for one in ring.generations for selector in one.selectors],
        "add": _names((decision.publish if decision else frozenset()) if dry_run else outcome.added),
        "remove": _names((decision.prune if decision else frozenset()) if dry_run else outcome.removed),
        "switched": outcome.switched,
        "ready": bool(decision and decision.ready),
        "wait_seconds": wait(outcome),
        "findings": [{"what": f.what, "advice": f.advice, "trouble": f.trouble} for f in findings_of(outcome)],
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


def wait(outcome: Outcome) -> int | None:
    """Seconds until time alone allows the next step."""
    if not outcome.decision or outcome.decision.wait is None:
        return None
    return round(outcome.decision.wait.total_seconds())


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
    seconds = wait(outcome)
    if not seconds:
        return "for the next run, or for what the findings say"
    if outcome.ring.next:
        return f"caches run out in {seconds} s, then the new keys sign"
    held = Role.RETIRED in {one.role for one in outcome.ring.generations}
    return f"{'mail on its way arrives, and caches run out,' if held else 'caches run out'} in {_span(seconds)}"


def _span(seconds: int) -> str:
    return f"{seconds / 86400:.1f} days" if seconds >= 86400 else f"{seconds} s"


def _object(**properties: object) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: object) -> Json:
    return {"type": "array", "items": items}


_TEXT: Json = {"type": "string"}
_FLAG: Json = {"type": "boolean"}
_ACTION: Json = {"enum": [action.name.lower() for action in Action]}

SCHEMA: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "mailsrv dkim reconcile --json",
    **_object(
        schema={"const": 1},
        time=_TEXT,
        dry_run=_FLAG,
        status={"enum": [0, 1, 2, 75]},
        action=_ACTION,
        results=_list(
            _object(
                domain=_TEXT,
                action=_ACTION,
                why=_TEXT,
                signing=_list(_TEXT),
                selectors=_list(
                    _object(
                        selector=_TEXT,
                        algorithm={"enum": ["rsa", "ed25519"]},
                        role={"enum": [role.name.lower() for role in Role]},
                        since=_TEXT,
                        name=_TEXT,
                        place=_TEXT,
                        zone=_TEXT,
                        security={"enum": ["secure", "insecure", "bogus", "failed"]},
                        text={"type": "string", "pattern": "^v=DKIM1; "},
                        phase={"enum": [None, *(phase.name.lower() for phase in Phase)]},
                        shown={"enum": ["everywhere", "somewhere", "nowhere", "unknown"]},
                        servers=_list(
                            _object(
                                name=_TEXT,
                                address=_TEXT,
                                records={"anyOf": [_list(_TEXT), {"type": "null"}]},
                                error=_TEXT,
                            )
                        ),
                    )
                ),
                add=_list(_TEXT),
                remove=_list(_TEXT),
                switched=_FLAG,
                ready=_FLAG,
                wait_seconds={"type": ["integer", "null"]},
                findings=_list(_object(what=_TEXT, advice=_TEXT, trouble=_FLAG)),
            )
        ),
    ),
}
