"""A run over zones as a document for programs and sentences for people, and its exit status. Pure.

`SCHEMA` is the JSON Schema of the document; the wing's README shows it as a table, and a test holds every run to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import Enum

from dnsops.base.errors import Exit, Later
from dnsops.plan import telling as lines
from dnsops.plan.door import CHANGING, Step
from dnsops.reconcile import telling
from dnsops.reconcile.telling import FINDINGS, FLAG, NUMBER, SECURITY, TEXT, Json, array, shape, word
from dnsops.reconcile.zone_target import Outcome, Seen
from dnsops.wanted.door import Finding as Note


class Action(Enum):
    """The one word for a zone; the value is its sentence."""

    NONE = "every record is in place"
    PUBLISH = "records are written, replaced or removed"
    DECIDE = "a stranger's records are in the way: a person must decide"
    LATER = "not now"
    REFUSE = "a person should look"


def action_of(outcome: Outcome, dry_run: bool) -> Action:
    """What was done, or in a dry run would be."""
    if outcome.error is not None or outcome.plan is None:
        return Action.LATER if isinstance(outcome.error, Later) else Action.REFUSE
    if outcome.plan.changes if dry_run else outcome.done:
        return Action.PUBLISH
    return Action.DECIDE if outcome.plan.conflicts else Action.NONE


def status(outcomes: Sequence[Outcome], dry_run: bool) -> Exit:
    """A plan: what failed, then what would change, then what a person must decide. A run: what needs a person first."""
    actions = {action_of(outcome, dry_run) for outcome in outcomes}
    if Action.REFUSE in actions:
        return Exit.FINDINGS
    if Action.LATER in actions:
        return Exit.LATER
    if dry_run:
        refused = any(outcome.plan and outcome.plan.refused for outcome in outcomes)
        if Action.PUBLISH in actions and not refused:
            return Exit.PENDING
        return Exit.FINDINGS if refused or Action.DECIDE in actions else Exit.OK
    return _status_after(outcomes)


def _status_after(outcomes: Sequence[Outcome]) -> Exit:
    if any(finding.trouble for outcome in outcomes for finding in outcome.findings):
        return Exit.FINDINGS
    if any(not seen.well for outcome in outcomes for seen in outcome.seen):
        return Exit.LATER
    return Exit.FINDINGS if any(one.plan and one.plan.conflicts and not one.tolerant for one in outcomes) else Exit.OK


def document(
    outcomes: Sequence[Outcome], dry_run: bool, now: datetime, notes: Iterable[Note] = (), keys: Json | None = None
) -> Json:
    """The run as JSON values, as `SCHEMA` says. notes: of what is wanted.  keys: the documents of the stories of keys."""
    actions = [action_of(outcome, dry_run) for outcome in outcomes]
    urgent = max(actions, key=list(Action).index, default=Action.NONE)
    return {
        "schema": 1,
        "time": now.isoformat(timespec="seconds"),
        "dry_run": dry_run,
        "status": int(status(outcomes, dry_run)),
        "action": word(urgent),
        "results": [_result(outcome, dry_run) for outcome in outcomes],
        "notes": [{"what": note.what, "advice": note.advice, "trouble": note.trouble} for note in notes],
        "keys": {"dkim": None, "tlsa": None} | (keys or {}),
    }


def _result(outcome: Outcome, dry_run: bool) -> Json:
    action, plan = action_of(outcome, dry_run), outcome.plan
    return {
        "zone": outcome.zone,
        "action": word(action),
        "why": action.value,
        "fingerprint": plan.fingerprint if plan else "",
        "refused": plan.refused if plan else "",
        "others": plan.others if plan else 0,
        "items": [lines.item_document(item) for item in plan.items] if plan else [],
        "done": [lines.item_document(item) for item in outcome.done],
        "seen": [_seen(one) for one in outcome.seen],
        "findings": telling.findings(outcome),
    }


def _seen(one: Seen) -> Json:
    security = one.security.name.lower()
    return {"name": one.name, "type": one.type, "everywhere": one.everywhere, "security": security, "why": one.why}


def sentence(outcome: Outcome) -> str:
    """One line after a run: what was done, and whether it is seen."""
    action = action_of(outcome, False)
    if action is not Action.PUBLISH:
        return str(action.value)
    counts = {step: sum(item.step is step for item in outcome.done) for step in CHANGING}
    words = {Step.ADD: "added", Step.REPLACE: "replaced", Step.REMOVE: "removed"}
    return f"{', '.join(f'{count} {words[step]}' for step, count in counts.items() if count)}; {_sight(outcome.seen)}"


def _sight(seen: Iterable[Seen]) -> str:
    """What all servers and DNSSEC say."""
    all_of_them = list(seen)
    if not all(one.well for one in all_of_them):
        return f"{sum(not one.well for one in all_of_them)} of {len(all_of_them)} not seen everywhere yet"
    securities = {one.security.name.lower() for one in all_of_them}
    return f"seen at every name server, {' and '.join(sorted(securities))}"


RECORD: Json = {"anyOf": [shape(name=TEXT, type=TEXT, ttl=NUMBER, data=TEXT), {"type": "null"}]}
ITEM = shape(
    step={"enum": [word(step) for step in Step]},
    name=TEXT,
    type=TEXT,
    before=RECORD,
    after=RECORD,
    why=TEXT,
    advice=TEXT,
)

STORY: Json = {"type": ["object", "null"]}

SCHEMA: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "mailsrv dns apply --json",
    **shape(
        schema={"const": 1},
        time=TEXT,
        dry_run=FLAG,
        status={"enum": [0, 1, 2, 75]},
        action=telling.actions(Action),
        results=array(
            shape(
                zone=TEXT,
                action=telling.actions(Action),
                why=TEXT,
                fingerprint=TEXT,
                refused=TEXT,
                others=NUMBER,
                items=array(ITEM),
                done=array(ITEM),
                seen=array(shape(name=TEXT, type=TEXT, everywhere=FLAG, security=SECURITY, why=TEXT)),
                findings=FINDINGS,
            )
        ),
        notes=FINDINGS,
        keys=shape(dkim=STORY, tlsa=STORY),
    ),
}
