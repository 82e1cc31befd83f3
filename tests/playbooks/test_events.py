"""What Ansible's events mean, and how a deployment is told: tables, no Ansible."""

from __future__ import annotations

from functools import reduce
from typing import Any

import pytest

from playbooks import telling
from playbooks.events import (
    Counts,
    Diff,
    Kind,
    NobodyThere,
    PlayStarted,
    Recap,
    Result,
    Run,
    TaskStarted,
    plain,
    read,
    step,
)

FILE = {"before": "a\nb\n", "after": "a\nc\n", "after_header": "/etc/x"}
CENSORED = {"censored": "the output has been hidden"}


def event(name: str, stdout: str = "", /, **data: Any) -> dict[str, Any]:
    return {"event": name, "stdout": stdout, "event_data": {"host": "mx1", "task": "Copy", **data}}


EVENTS = [
    (event("playbook_on_play_start", name="Converge"), PlayStarted("Converge")),
    (event("playbook_on_task_start", role="mailsrv"), TaskStarted("mailsrv : Copy")),
    (event("playbook_on_task_start", task="mailsrv : Copy", role="mailsrv"), TaskStarted("mailsrv : Copy")),
    (event("runner_on_ok", res={"changed": False, "diff": [FILE]}), Result("mx1", "Copy", Kind.OK)),
    (
        event("runner_on_ok", res={"changed": True, "diff": [FILE]}),
        Result("mx1", "Copy", Kind.CHANGED, diffs=(Diff("a\nb\n", "a\nc\n", "/etc/x"),)),
    ),
    (
        event("runner_on_ok", res={"changed": True, "diff": {"prepared": "+ add mx1 TLSA\n"}}),
        Result("mx1", "Copy", Kind.CHANGED, diffs=(Diff(prepared="+ add mx1 TLSA"),)),
    ),
    (
        event("runner_on_ok", res={"changed": True, "diff": {"before": {"mode": "0644"}, "after": {"mode": "0600"}}}),
        Result("mx1", "Copy", Kind.CHANGED, diffs=(Diff("mode: 0644\n", "mode: 0600\n"),)),
    ),
    (  # of a loop the rounds that changed something
        event(
            "runner_on_ok",
            res={"changed": True, "results": [{"changed": False, "diff": [FILE]}, {"changed": True, "diff": FILE}]},
        ),
        Result("mx1", "Copy", Kind.CHANGED, diffs=(Diff("a\nb\n", "a\nc\n", "/etc/x"),)),
    ),
    # no_log leaves the screen's word alone
    (event("runner_on_ok", "\x1b[0;33mchanged: [mx1]\x1b[0m", res=CENSORED), Result("mx1", "Copy", Kind.CHANGED)),
    (event("runner_on_ok", "\x1b[0;32mok: [mx1]\x1b[0m", res=CENSORED), Result("mx1", "Copy", Kind.OK)),
    (event("runner_on_skipped"), Result("mx1", "Copy", Kind.SKIPPED)),
    (
        event("runner_on_failed", res={"msg": "non-zero return code", "stderr": "disk full", "stdout": "working"}),
        Result("mx1", "Copy", Kind.FAILED, "non-zero return code\ndisk full"),
    ),
    (
        event(
            "runner_on_failed", res={"msg": "One failed", "results": [{"failed": True, "msg": "no"}, {"msg": "yes"}]}
        ),
        Result("mx1", "Copy", Kind.FAILED, "no"),
    ),
    (event("runner_on_failed", ignore_errors=True, res={"msg": "no"}), Result("mx1", "Copy", Kind.IGNORED, "no")),
    (
        event("runner_on_failed", res=CENSORED),
        Result("mx1", "Copy", Kind.FAILED, "what it said is hidden, for it handles a secret (no_log)"),
    ),
    (event("runner_on_failed", res={}), Result("mx1", "Copy", Kind.FAILED, "it did not say why")),
    (event("runner_on_unreachable", res={"msg": "refused"}), Result("mx1", "Copy", Kind.UNREACHABLE, "refused")),
    (
        event("playbook_on_stats", processed={"b": 1, "a": 1}, ok={"a": 3}, changed={"a": 2}, dark={"b": 1}),
        Recap({"a": Counts(ok=3, changed=2), "b": Counts(unreachable=1)}),
    ),
    (event("playbook_on_no_hosts_matched"), NobodyThere()),
    (event("runner_on_start"), None),
    ({}, None),
]


@pytest.mark.parametrize("said, meant", EVENTS)
def test_an_event_is_read(said: dict[str, Any], meant: object) -> None:
    assert read(said) == meant


def test_a_terminals_text_becomes_plain() -> None:
    assert plain("\x1b[0;31m--- before\x1b[0m\r\nx\r") == "--- before\nx\n"


def after(*said: dict[str, Any]) -> Run:
    return reduce(lambda run, one: step(run, seen) if (seen := read(one)) else run, said, Run())


def test_counts_are_of_the_task_that_runs() -> None:
    run = after(
        event("playbook_on_play_start", name="Converge"),
        event("playbook_on_task_start"),
        event("runner_on_ok", res={"changed": True}),
        event("playbook_on_task_start", task="Start"),
        event("runner_on_ok", task="Start", res={}),
        event("runner_on_failed", task="Start", host="mx2", res={"msg": "no"}),
    )
    assert telling.now(run, 12) == "12 s  task 2, Start  1 ok, 1 failed"
    assert [one.task for one in run.changes] == ["Copy"]
    assert [one.host for one in run.failures] == ["mx2"]


SENTENCES = [
    # recap, failures, --check, Ansible's exit status, the sentence
    ({"a": Counts(ok=2)}, (), False, 0, "1 host as wanted, nothing to change"),
    ({"a": Counts(changed=2), "b": Counts(changed=1)}, (), False, 0, "2 hosts: 3 changes were made"),
    ({"a": Counts(changed=2)}, (), True, 0, "1 host: 2 changes are pending"),
    ({}, (), False, 0, "no host was meant"),
    (None, (), False, 4, "it failed"),
    ({"a": Counts(failed=1)}, (Result("a", "t", Kind.FAILED, "x"),), False, 2, "failed on a"),
]


@pytest.mark.parametrize("recap, failures, check, ended, sentence", SENTENCES)
def test_what_it_comes_to(
    recap: dict[str, Counts] | None, failures: tuple[Result, ...], check: bool, ended: int, sentence: str
) -> None:
    assert telling.sentence(Run(recap=recap, failures=failures), check, ended) == sentence
    assert telling.document(Run(recap=recap, failures=failures), check, ended)["outcome"] == sentence


def test_a_change_is_a_readable_diff() -> None:
    result = Result("mx1", "Copy", Kind.CHANGED, diffs=(Diff("a\nb\n", "a\nc\n", "/etc/x"),))
    lines = [line for line, _ in telling.change(result)]
    assert lines == ["~ mx1: Copy", "    /etc/x", "    @@ -1,2 +1,2 @@", "     a", "    -b", "    +c"]


def test_a_long_diff_is_cut_and_says_so() -> None:
    long = Diff("", "".join(f"{number}\n" for number in range(200)))
    lines = [line for line, _ in telling.change(Result("mx1", "Copy", Kind.CHANGED, diffs=(long,)))]
    assert len(lines) == telling.MOST + 2
    assert lines[-1] == f"    ... {201 - telling.MOST} more lines are in the log"


def test_no_host_writes_on_our_terminal() -> None:
    evil = Result("mx1", "Copy", Kind.FAILED, "\x1b[2Jgone\nmore\x07")
    assert not any(sign in "".join(telling.failure(evil)) for sign in "\x1b\x07")
    changed = Result("mx1", "Copy", Kind.CHANGED, diffs=(Diff(after="\x1b[2J"),))
    assert "\x1b" not in "".join(line for line, _ in telling.change(changed))
