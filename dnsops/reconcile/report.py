"""A run's outcomes as a document for programs and sentences for people, and its exit status. Pure.

`SCHEMA` is the JSON Schema of the document; the wing's README shows it as a table, and a test holds every run to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from dnsops.base.errors import Exit, ForUser, Later
from dnsops.certs.chain import matches
from dnsops.reconcile.target import Outcome
from dnsops.records.tlsa import Tlsa
from dnsops.resolve.answer import Told
from dnsops.rollover.look import Finding, Port, Shown, tlsa_only
from dnsops.rollover.machine import Phase
from dnsops.rollover.tlsa import Action

Json = dict[str, object]

# From what needs a person first down to what needs nobody: the document's own action is the first that occurs.
URGENCY = (Action.LATER, Action.REFUSE, Action.PUBLISH, Action.SWITCH, Action.PRUNE, Action.WAIT, Action.NONE)
CHANGES = (Action.PUBLISH, Action.SWITCH, Action.PRUNE)


def action_of(outcome: Outcome, dry_run: bool) -> Action:
    """The one word for an outcome. Ready for a switch but not switched means that another port of the host is not."""
    if outcome.error is not None or outcome.decision is None:
        return Action.LATER if isinstance(outcome.error, Later) else Action.REFUSE
    action = outcome.decision.action
    if outcome.switched:
        return Action.SWITCH
    return Action.WAIT if action is Action.SWITCH and not dry_run else action


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
    look, decision = outcome.look, outcome.decision
    action = action_of(outcome, dry_run)
    return {
        "name": look.place,
        "zone": outcome.zone,
        "action": action.name.lower(),
        "why": action.value,
        "ports": [_port(port, look.present) for port in look.ports],
        "wanted": _texts(decision.wanted.current if decision else ()),
        "next": _texts(decision.wanted.next if decision else ()),
        "published": _texts(look.present),
        "servers": [server(told) for told in look.consensus.told],
        "add": _texts((decision.publish if decision else frozenset()) if dry_run else outcome.added),
        "remove": _texts((decision.prune if decision else frozenset()) if dry_run else outcome.removed),
        "switched": list(outcome.switched),
        "ready": bool(decision and decision.ready),
        "foreign": _texts(decision.foreign if decision else ()),
        "records": _phases(outcome),
        "wait_seconds": _wait(outcome),
        "findings": [{"what": f.what, "advice": f.advice, "trouble": f.trouble} for f in findings_of(outcome)],
    }


def _port(port: Port, present: frozenset[Tlsa]) -> Json:
    answer = port.answer
    return {
        "host": port.host,
        "port": port.port,
        "owner": answer.name,
        "security": answer.security.name.lower(),
        "why": answer.why,
        "ede": list(answer.ede),
        "validated_by": answer.by,
        "shown": [_shown(shown, present) for shown in port.shown],
    }


def _shown(shown: Shown, present: frozenset[Tlsa]) -> Json:
    matched = [record for record in present if shown.chain and matches(record, shown.chain)]
    return {"address": shown.address, "matches": _texts(matched), "error": shown.error}


def server(told: Told) -> Json:
    """One authoritative server's word; `records` is null when it did not answer."""
    known = told.items is not None
    return {
        "name": told.server.name,
        "address": told.server.address,
        "records": _texts(tlsa_only(told.items or ())) if known else None,
        "ttl": told.ttl,
        "error": told.why,
    }


def _phases(outcome: Outcome) -> Json:
    stages = outcome.decision.ledger.life.stages if outcome.decision else {}
    return {
        str(record): {"phase": stage.phase.name.lower(), "since": stage.since.wall.isoformat(timespec="seconds")}
        for record, stage in sorted(stages.items())
    }


def _wait(outcome: Outcome) -> int | None:
    if not outcome.decision or outcome.decision.wait is None:
        return None
    return round(outcome.decision.wait.total_seconds())


def _texts(records: Iterable[Tlsa]) -> list[str]:
    return sorted(map(str, records))


def sentence(outcome: Outcome, dry_run: bool) -> str:
    """One line for a table: what was done, or would be, and what is waited for."""
    action, decision = action_of(outcome, dry_run), outcome.decision
    would = "would " if dry_run else ""
    match action:
        case Action.PUBLISH if decision:
            return f"{would}publish {_short(decision.publish)}"
        case Action.PRUNE if decision:
            return f"{would}remove {_short(outcome.removed or decision.prune)}"
        case Action.SWITCH:
            return f"{would}serve the next key" if dry_run else "the next key is served now"
        case Action.WAIT if decision:
            return f"waiting: {_waiting_for(outcome)}"
    return str(action.value)


def _waiting_for(outcome: Outcome) -> str:
    decision = outcome.decision
    if decision is None:
        return ""
    phases = {stage.phase for stage in decision.ledger.life.stages.values()}
    if Phase.ASKED in phases:
        return "not every name server shows the new record yet"
    seconds = _wait(outcome)
    return f"caches run out in {seconds} s" if seconds else "for what the findings say"


def _short(records: frozenset[Tlsa]) -> str:
    return ", ".join(record.short for record in sorted(records))


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
_NUMBER: Json = {"type": "integer"}
_RECORDS: Json = _list({"type": "string", "pattern": "^[0-9]+ [0-9]+ [0-9]+ [0-9a-f]+$"})
_ACTION: Json = {"enum": [action.name.lower() for action in Action]}

SCHEMA: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "mailsrv tlsa reconcile --json",
    **_object(
        schema={"const": 1},
        time=_TEXT,
        dry_run=_FLAG,
        status={"enum": [0, 1, 2, 75]},
        action=_ACTION,
        results=_list(
            _object(
                name=_TEXT,
                zone=_TEXT,
                action=_ACTION,
                why=_TEXT,
                ports=_list(
                    _object(
                        host=_TEXT,
                        port=_NUMBER,
                        owner=_TEXT,
                        security={"enum": ["secure", "insecure", "bogus", "failed"]},
                        why=_TEXT,
                        ede=_list(_NUMBER),
                        validated_by=_TEXT,
                        shown=_list(_object(address=_TEXT, matches=_RECORDS, error=_TEXT)),
                    )
                ),
                wanted=_RECORDS,
                next=_RECORDS,
                published=_RECORDS,
                servers=_list(
                    _object(
                        name=_TEXT,
                        address=_TEXT,
                        records={"anyOf": [_RECORDS, {"type": "null"}]},
                        ttl=_NUMBER,
                        error=_TEXT,
                    )
                ),
                add=_RECORDS,
                remove=_RECORDS,
                switched=_list(_TEXT),
                ready=_FLAG,
                foreign=_RECORDS,
                records={
                    "type": "object",
                    "additionalProperties": _object(
                        phase={"enum": [phase.name.lower() for phase in Phase]}, since=_TEXT
                    ),
                },
                wait_seconds={"type": ["integer", "null"]},
                findings=_list(_object(what=_TEXT, advice=_TEXT, trouble=_FLAG)),
            )
        ),
    ),
}
