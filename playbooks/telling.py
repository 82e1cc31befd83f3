"""A deployment in words: the line that is drawn while it runs, what changed, which failed and why, the sum by host. Pure.

Text from hosts is shown with its control signs escaped. Fails by: nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from dnsops.base.printable import printable
from playbooks.events import Counts, Diff, Kind, Result, Run

MOST = 60  # lines of one diff; the log has all
COLUMNS = ("host", "ok", "changed", "skipped", "failed", "unreachable", "rescued")
SHOWN = (Kind.OK, Kind.CHANGED, Kind.FAILED, Kind.UNREACHABLE)


def now(run: Run, seconds: int) -> str:
    """`12 s  task 4, mailsrv : The configuration  1 ok, 1 changed`"""
    counts = ", ".join(f"{run.here[kind]} {kind.value}" for kind in SHOWN if run.here.get(kind))
    what = f"task {run.tasks}, {printable(run.task)}" if run.task else printable(run.play) or "starting"
    return "  ".join(filter(None, (f"{seconds} s", what, counts)))


def change(result: Result) -> Iterator[tuple[str, str]]:
    """(line, colour) of what a task changed on a host."""
    yield f"~ {printable(result.host)}: {printable(result.task)}", "yellow"
    for diff in result.diffs:
        lines = list(_diff(diff))
        for line in lines[:MOST]:
            yield f"    {printable(line)}", {"+": "green", "-": "red"}.get(line[:1], "")
        if len(lines) > MOST:
            yield f"    ... {len(lines) - MOST} more lines are in the log", ""


def failure(result: Result) -> Iterator[str]:
    """Which host, which task, why."""
    first, *more = (result.why or "it did not say why").splitlines()
    word = "cannot be reached" if result.kind is Kind.UNREACHABLE else "failed"
    yield f"! {printable(result.host)}: {printable(result.task)}: {word}: {printable(first)}"
    for line in more:
        yield f"    {printable(line)}"


def rows(recap: Mapping[str, Counts]) -> list[list[str]]:
    """The summary by host."""
    return [[printable(host), *map(str, asdict(counts).values())] for host, counts in recap.items()]


def sentence(run: Run, check: bool, ended: int) -> str:
    """What it comes to. ended: Ansible's exit status."""
    hosts = len(run.recap or {})
    if ended:
        bad = list(dict.fromkeys(result.host for result in run.failures))
        return f"failed on {', '.join(map(printable, bad))}" if bad else "it failed"
    if not hosts:
        return "no host was meant"
    if not run.changed:
        return f"{_hosts(hosts)} as wanted, nothing to change"
    word = "are pending" if check else "were made"
    return f"{_hosts(hosts)}: {run.changed} changes {word}"


def document(run: Run, check: bool, ended: int) -> dict[str, object]:
    """The run for a program."""
    return {
        "check": check,
        "outcome": sentence(run, check, ended),
        "changed": run.changed,
        "hosts": {host: asdict(counts) for host, counts in (run.recap or {}).items()},
        "changes": [
            {"host": one.host, "task": one.task, "diff": [line for diff in one.diffs for line in _diff(diff)]}
            for one in run.changes
        ],
        "failures": [
            {"host": one.host, "task": one.task, "kind": one.kind.value, "why": one.why} for one in run.failures
        ],
    }


def _hosts(count: int) -> str:
    return "1 host" if count == 1 else f"{count} hosts"


def _diff(diff: Diff) -> Sequence[str]:
    if diff.prepared:
        return diff.prepared.splitlines()
    lines = list(difflib.unified_diff(diff.before.splitlines(), diff.after.splitlines(), n=2, lineterm=""))[2:]
    return [diff.name, *lines] if diff.name else lines
