"""What the reports of all reconciliations say alike: findings, exit status, the frame of the document and its schema. Pure.

A report says itself which action an outcome was, and what a result looks like in JSON and in a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol, TypeVar

from dnsops.base.errors import Deliberate, Exit, ForUser, Later
from dnsops.rollover.look import Finding

Json = dict[str, object]

# From what needs a person first down to what needs nobody: the document's own action is the first that occurs.
URGENCY = ("later", "refuse", "order", "make", "publish", "switch", "prune", "wait", "none")
CHANGES = ("order", "make", "publish", "switch", "prune")


class Decision(Protocol):
    """What every report reads of a decision."""

    @property
    def wait(self) -> timedelta | None: ...

    @property
    def findings(self) -> tuple[Finding, ...]: ...


class Outcome(Protocol):
    """What every report reads of an outcome."""

    @property
    def decision(self) -> Decision | None: ...

    @property
    def findings(self) -> tuple[Finding, ...]: ...

    @property
    def error(self) -> Deliberate | None: ...


O = TypeVar("O", bound=Outcome)  # noqa: E741
ActionOf = Callable[[O, bool], Enum]  # of an outcome, in a dry run or not


def word(action: Enum) -> str:
    """An action in JSON and tables."""
    return action.name.lower()


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


def status(outcomes: Sequence[O], dry_run: bool, action_of: ActionOf[O]) -> Exit:
    """What needs a person beats what needs patience, and that beats what is merely pending."""
    actions = {word(action_of(outcome, dry_run)) for outcome in outcomes}
    if "refuse" in actions or any(finding.trouble for outcome in outcomes for finding in findings_of(outcome)):
        return Exit.FINDINGS
    if "later" in actions:
        return Exit.LATER
    return Exit.PENDING if dry_run and actions & {*CHANGES} else Exit.OK


def document(
    outcomes: Sequence[O], dry_run: bool, now: datetime, action_of: ActionOf[O], result: Callable[[O, bool], Json]
) -> Json:
    """The run as JSON values, as `schema` says."""
    actions = {word(action_of(outcome, dry_run)) for outcome in outcomes}
    return {
        "schema": 1,
        "time": now.isoformat(timespec="seconds"),
        "dry_run": dry_run,
        "status": int(status(outcomes, dry_run, action_of)),
        "action": next((action for action in URGENCY if action in actions), "none"),
        "results": [result(outcome, dry_run) for outcome in outcomes],
    }


def findings(outcome: Outcome) -> list[Json]:
    """Everything a person should know, as JSON values."""
    return [{"what": f.what, "advice": f.advice, "trouble": f.trouble} for f in findings_of(outcome)]


def wait(outcome: Outcome) -> int | None:
    """Seconds until time alone allows the next step."""
    if not outcome.decision or outcome.decision.wait is None:
        return None
    return round(outcome.decision.wait.total_seconds())


def shape(**properties: object) -> Json:
    """The schema of an object that has all of these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def array(items: object) -> Json:
    """The schema of a list."""
    return {"type": "array", "items": items}


TEXT: Json = {"type": "string"}
FLAG: Json = {"type": "boolean"}
NUMBER: Json = {"type": "integer"}
WAIT: Json = {"type": ["integer", "null"]}
SECURITY: Json = {"enum": ["secure", "insecure", "bogus", "failed"]}
FINDINGS = array(shape(what=TEXT, advice=TEXT, trouble=FLAG))


def actions(kind: type[Enum]) -> Json:
    """The schema of an action's word."""
    return {"enum": [word(action) for action in kind]}


def schema(title: str, kind: type[Enum], result: Json, **more: object) -> Json:
    """The JSON Schema of a whole document. more: what it has besides what all have."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **shape(
            schema={"const": 1},
            time=TEXT,
            dry_run=FLAG,
            status={"enum": [0, 1, 2, 75]},
            action=actions(kind),
            results=array(result),
            **more,
        ),
    }
