"""What Ansible says while it runs, as our own words, and what it comes to. Pure.

In: the event dictionaries of ansible-runner 2.4 (`event`, `stdout`, `event_data`). Out: values below, None for what nobody
needs. A result that `no_log` hides is censored before it reaches us; of it only whether it changed something is known.
Fails by: nothing; what has another shape is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

ANSI = re.compile(r"\x1b\[[0-9;]*m")
LONGEST = 2000  # signs of a reason


class Kind(Enum):
    """How a task ended on a host."""

    OK = "ok"
    CHANGED = "changed"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    IGNORED = "failed, which does not matter"


@dataclass(frozen=True)
class PlayStarted:
    name: str


@dataclass(frozen=True)
class TaskStarted:
    name: str


@dataclass(frozen=True)
class Diff:
    """One thing before and after. prepared: a text that the module made itself."""

    before: str = ""
    after: str = ""
    name: str = ""
    prepared: str = ""


@dataclass(frozen=True)
class Result:
    """A task's end on one host. why: the reason of a failure."""

    host: str
    task: str
    kind: Kind
    why: str = ""
    diffs: tuple[Diff, ...] = ()


@dataclass(frozen=True)
class Counts:
    """One host's line of the recap."""

    ok: int = 0
    changed: int = 0
    skipped: int = 0
    failed: int = 0
    unreachable: int = 0
    rescued: int = 0


@dataclass(frozen=True)
class Recap:
    hosts: Mapping[str, Counts]


@dataclass(frozen=True)
class NobodyThere:
    """A play found no host of its pattern."""


Seen = PlayStarted | TaskStarted | Result | Recap | NobodyThere
RECAP = {"ok": "ok", "changed": "changed", "skipped": "skipped", "failed": "failures", "unreachable": "dark"}
RECAP |= {"rescued": "rescued"}


@dataclass(frozen=True)
class Run:
    """What is known so far."""

    play: str = ""
    task: str = ""
    tasks: int = 0
    here: Mapping[Kind, int] = field(default_factory=dict)  # of the task that runs
    changes: tuple[Result, ...] = ()
    failures: tuple[Result, ...] = ()
    recap: Mapping[str, Counts] | None = None

    @property
    def changed(self) -> int:
        """How many tasks changed something, or would."""
        return sum(counts.changed for counts in (self.recap or {}).values())


def step(run: Run, seen: Seen) -> Run:
    """The run after one more word."""
    match seen:
        case PlayStarted(name):
            return replace(run, play=name, task="", here={})
        case TaskStarted(name):
            return replace(run, task=name, tasks=run.tasks + 1, here={})
        case Result():
            run = replace(run, here={**run.here, seen.kind: run.here.get(seen.kind, 0) + 1})
            if seen.kind is Kind.CHANGED:
                return replace(run, changes=(*run.changes, seen))
            if seen.kind in (Kind.FAILED, Kind.UNREACHABLE):
                return replace(run, failures=(*run.failures, seen))
        case Recap(hosts):
            return replace(run, recap=hosts)
    return run


def read(event: Mapping[str, Any]) -> Seen | None:
    """One event of the runner."""
    data = event.get("event_data") or {}
    match event.get("event"):
        case "playbook_on_play_start":
            return PlayStarted(str(data.get("name", "")))
        case "playbook_on_task_start":
            return TaskStarted(_task(data))
        case "runner_on_ok":
            return _ended(event, data)
        case "runner_on_skipped":
            return Result(str(data.get("host")), _task(data), Kind.SKIPPED)
        case "runner_on_failed":
            kind = Kind.IGNORED if data.get("ignore_errors") else Kind.FAILED
            return Result(str(data.get("host")), _task(data), kind, _why(data.get("res") or {}))
        case "runner_on_unreachable":
            return Result(str(data.get("host")), _task(data), Kind.UNREACHABLE, _why(data.get("res") or {}))
        case "playbook_on_stats":
            return Recap({host: _counts(data, host) for host in sorted(data.get("processed") or {})})
        case "playbook_on_no_hosts_matched":
            return NobodyThere()
    return None


def plain(text: str) -> str:
    """A terminal's text without its colours and carriage returns."""
    return ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n")


def _task(data: Mapping[str, Any]) -> str:
    name, role = str(data.get("task", data.get("name", ""))), data.get("role")
    return f"{role} : {name}" if role and not name.startswith(f"{role} : ") else name


def _ended(event: Mapping[str, Any], data: Mapping[str, Any]) -> Result:
    res = data.get("res") or {}
    said = plain(str(event.get("stdout", ""))).lstrip().startswith("changed:")  # all that a censored result leaves
    changed = bool(res.get("changed")) or ("censored" in res and said)
    diffs = tuple(_diffs(res)) if changed else ()
    return Result(str(data.get("host")), _task(data), Kind.CHANGED if changed else Kind.OK, diffs=diffs)


def _diffs(res: Mapping[str, Any]) -> list[Diff]:
    """Those of a result, or of the rounds of its loop that changed something."""
    rounds = res.get("results")
    if isinstance(rounds, list):
        return [diff for one in rounds if isinstance(one, dict) and one.get("changed") for diff in _diffs(one)]
    found = res.get("diff")
    several = found if isinstance(found, list) else [found]
    return [diff for one in several if isinstance(one, dict) and (diff := _diff(one)) is not None]


def _diff(one: Mapping[str, Any]) -> Diff | None:
    prepared = str(one.get("prepared", "")).rstrip("\n")
    name = str(one.get("after_header") or one.get("before_header") or "")
    before, after = _lines(one.get("before")), _lines(one.get("after"))
    if not prepared and before == after:
        return None
    return Diff(before, after, name, prepared)


def _lines(value: object) -> str:
    """A text as it is; the members of a structure one a line, for `file` and its like tell a mode or an owner so."""
    if isinstance(value, Mapping):
        return "".join(f"{key}: {item}\n" for key, item in value.items())
    return "" if value is None else str(value)


def _why(res: Mapping[str, Any]) -> str:
    """The module's sentence and, of a program, its last words."""
    if "censored" in res:
        return "what it said is hidden, for it handles a secret (no_log)"
    rounds = res.get("results")
    if isinstance(rounds, list):
        failed = [_why(one) for one in rounds if isinstance(one, dict) and one.get("failed")]
        if failed:
            return "; ".join(dict.fromkeys(failed))[:LONGEST]
    parts = [str(res.get("msg") or "")]
    parts += [str(res[name]).strip() for name in ("module_stderr", "stderr", "stdout") if res.get(name)][:1]
    return "\n".join(dict.fromkeys(filter(None, parts)))[-LONGEST:] or "it did not say why"


def _counts(data: Mapping[str, Any], host: str) -> Counts:
    return Counts(**{name: int((data.get(word) or {}).get(host, 0)) for name, word in RECAP.items()})
