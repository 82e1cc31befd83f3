"""A run's outcomes as a document for programs and sentences for people, and its exit status. Pure.

`SCHEMA` is the JSON Schema of the document; the wing's README shows it as a table, and a test holds every run to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from dnsops.base.errors import Exit, Later
from dnsops.certs.chain import matches
from dnsops.reconcile import telling
from dnsops.reconcile.target import Outcome
from dnsops.reconcile.telling import FINDINGS, FLAG, NUMBER, SECURITY, TEXT, WAIT, Json, array, shape, word
from dnsops.records.tlsa import Tlsa
from dnsops.resolve.answer import Told
from dnsops.rollover.look import Port, Shown, tlsa_only
from dnsops.rollover.machine import Phase
from dnsops.rollover.tlsa import Action


def name_of(outcome: Outcome) -> str:
    """What it is about."""
    return outcome.look.place


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
    return telling.status(outcomes, dry_run, action_of)


def document(outcomes: Sequence[Outcome], dry_run: bool, now: datetime) -> Json:
    """The run as JSON values, as `SCHEMA` says."""
    return telling.document(outcomes, dry_run, now, action_of, _result)


def _result(outcome: Outcome, dry_run: bool) -> Json:
    look, decision = outcome.look, outcome.decision
    action = action_of(outcome, dry_run)
    return {
        "name": look.place,
        "zone": outcome.zone,
        "action": word(action),
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
        "wait_seconds": telling.wait(outcome),
        "findings": telling.findings(outcome),
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
    seconds = telling.wait(outcome)
    return f"caches run out in {seconds} s" if seconds else "for what the findings say"


def _short(records: frozenset[Tlsa]) -> str:
    return ", ".join(record.short for record in sorted(records))


RECORDS = array({"type": "string", "pattern": "^[0-9]+ [0-9]+ [0-9]+ [0-9a-f]+$"})

SCHEMA = telling.schema(
    "mailsrv tlsa reconcile --json",
    Action,
    shape(
        name=TEXT,
        zone=TEXT,
        action=telling.actions(Action),
        why=TEXT,
        ports=array(
            shape(
                host=TEXT,
                port=NUMBER,
                owner=TEXT,
                security=SECURITY,
                why=TEXT,
                ede=array(NUMBER),
                validated_by=TEXT,
                shown=array(shape(address=TEXT, matches=RECORDS, error=TEXT)),
            )
        ),
        wanted=RECORDS,
        next=RECORDS,
        published=RECORDS,
        servers=array(
            shape(
                name=TEXT,
                address=TEXT,
                records={"anyOf": [RECORDS, {"type": "null"}]},
                ttl=NUMBER,
                error=TEXT,
            )
        ),
        add=RECORDS,
        remove=RECORDS,
        switched=array(TEXT),
        ready=FLAG,
        foreign=RECORDS,
        records={
            "type": "object",
            "additionalProperties": shape(phase={"enum": [phase.name.lower() for phase in Phase]}, since=TEXT),
        },
        wait_seconds=WAIT,
        findings=FINDINGS,
    ),
)
