"""Cloudflare fails at each call, in each way; a human interferes; tokens that may not: nothing twice, nothing lost, nothing told."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

from tests.journeys.rehearsed import BOTH, FOREIGN, Scene
from tests.journeys.shell import HOST, OWNER
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.network import PRIMARY
from tests.lab.program import wait_until

GATEWAY = "<html><title>502 Bad Gateway</title></html>"
FAULTS: dict[str, dict[str, Any]] = {
    "500": {"status": 500},
    "an edge's error page": {"status": 502, "body": GATEWAY},
    "429, wait 300 s": {"status": 429, "code": 10429, "headers": {"Retry-After": "300"}},
    "a hang": {"hang": 0.2},
}
PATIENT: dict[str, Any] = {"status": 429, "code": 10429, "headers": {"Retry-After": "1"}}
MOST_CALLS = 20


def sweep(scene: Scene, fault: dict[str, Any], settled: set[str]) -> list[int]:
    """The fault at call 1, 2, 3 ... until a run meets none; the exit status of each run that met it."""
    statuses: list[int] = []
    for number in range(MOST_CALLS):
        scene.again()
        scene.api.fail([fault | {"skip": number}])
        done = scene.shell.here(*scene.words)
        if scene.api.faults:
            assert set(scene.held()) == settled
            return statuses
        statuses.append(done.status)
        assert FOREIGN in scene.held()
        assert set(scene.held()) in (set(scene.texts), settled), "half of it, or more than was asked for"
        scene.api.faults.clear()
        assert scene.shell.here(*scene.words).status == 0
        assert set(scene.held()) == settled, "the next run repairs it"
    raise AssertionError(f"more than {MOST_CALLS} calls")


def test_a_publication_survives_each_fault_at_each_call(publishing: Scene) -> None:
    settled = set(publishing.texts) | {publishing.new}
    assert sweep(publishing, FAULTS["500"], settled) == [0] * 5
    for name in ("a hang", "an edge's error page"):
        publishing.again()
        publishing.api.fail([FAULTS[name] | {"method": "POST"}])
        assert publishing.shell.here(*publishing.words).status == 0, name
        assert set(publishing.held()) == settled, name


def test_a_removal_survives_each_fault_at_each_call(pruning: Scene) -> None:
    scene = pruning
    settled = set(scene.texts) - {scene.old}
    statuses = sweep(scene, FAULTS["429, wait 300 s"], settled)
    assert (len(statuses) >= 4, set(statuses)) == (True, {75}), statuses
    scene.again()
    scene.api.fail([{"status": 500, "method": "POST"}])
    scene.api.drop(1)
    assert scene.shell.here(*scene.words).action == "prune"
    assert set(scene.held()) == settled, "carried out, the answer lost, and not taken for a failure"


def test_a_lost_answer_makes_no_duplicate(publishing: Scene) -> None:
    publishing.again()
    publishing.api.drop(1)
    done = publishing.shell.here(*publishing.words)
    assert (done.status, done.action) == (0, "publish")
    assert set(publishing.held()) == set(publishing.texts) | {publishing.new}


def test_a_short_retry_after_is_waited_for_and_a_long_one_is_told(publishing: Scene) -> None:
    publishing.again()
    publishing.api.fail([PATIENT | {"method": "POST"}])
    begin = time.monotonic()
    assert publishing.shell.here(*publishing.words).status == 0
    assert time.monotonic() - begin >= 1
    publishing.again()
    publishing.api.fail([FAULTS["429, wait 300 s"]])
    done = publishing.shell.here(*publishing.words)
    assert (done.status, done.action) == (75, "later")
    assert "an injected fault" in done.findings


def test_a_human_edits_the_zone_between_look_and_removal(pruning: Scene) -> None:
    """The new record is deleted by hand while our request is on its way: the old one must stay."""
    scene, cloudflare, old, new = pruning, pruning.api, pruning.old, pruning.new
    cloudflare.fail([{"hang": 1.0, "path": "/zones$"}])

    def interfere() -> None:
        while not cloudflare.log:
            time.sleep(0.01)
        entry = next(
            one for one in cloudflare.records("example.org", "TLSA", OWNER) if new.split()[-1] in str(one.rdata)
        )
        cloudflare.erase("example.org", entry.id)

    human = threading.Thread(target=interfere)
    human.start()
    done = scene.shell.here(*scene.words)
    human.join()
    assert (done.status, done.action) == (75, "later")
    assert "somebody removed" in done.findings
    assert set(scene.held()) == {old, FOREIGN}
    scene.tree.wait_for(OWNER, "TLSA", {old, FOREIGN}, BOTH)
    assert scene.shell.here(*scene.words).action == "publish"
    assert set(scene.held()) == {old, new, FOREIGN}


def tokens(api: CloudflareApi) -> dict[str, tuple[str, str]]:
    """Tokens that will not do, and what is said about each."""
    return {
        "may only read": (api.read_only_token, "the token can not edit zone example.org"),
        "is wrong": ("lab" + "0" * 40, "the token can not list zones"),
        "is malformed": ("short", "Cloudflare does not know this token"),
        "is for other zones": (api.grant(["nsec.org"]), f"no zone of the Cloudflare token holds {OWNER}"),
    }


def test_a_token_that_will_not_do_is_one_sentence(publishing: Scene) -> None:
    for why, (token, text) in tokens(publishing.api).items():
        publishing.again()
        done = publishing.shell.here(*publishing.words, CLOUDFLARE_API_TOKEN=token)
        assert (done.status, done.action) == (1, "refuse"), why
        findings = [f for f in done.document["results"][0]["findings"] if f["trouble"]]
        assert len(findings) == 1, why
        assert text in findings[0]["what"], why
        assert findings[0]["advice"], why
        assert set(publishing.held()) == set(publishing.texts), why
        assert publishing.shell.leaks(token) == []


def test_a_token_with_characters_that_no_token_has_is_a_mistake_of_the_configuration(publishing: Scene) -> None:
    done = publishing.shell.here(*publishing.words, CLOUDFLARE_API_TOKEN="two words")
    assert done.status == 78
    assert "two words" not in done.out + done.err


def test_the_token_is_nowhere_to_be_seen(publishing: Scene) -> None:
    """Not in the arguments of any process while it runs, not in what it prints, not in what it keeps."""
    token, shell = publishing.api.token, publishing.shell
    publishing.again()
    publishing.api.fail([{"hang": 0.4}])
    child = shell.start(*publishing.words, MAILSRV_DEBUG="1")
    seen: set[str] = set()
    while child.poll() is None:
        seen |= {command for command in map(_arguments, Path("/proc").glob("[0-9]*/cmdline")) if "mailsrv" in command}
        time.sleep(0.02)
    out, err = child.communicate()
    assert any(HOST in command for command in seen)
    assert not [place for place in (*seen, out, err) if token in place]
    assert shell.leaks(token) == []
    assert token in os.environ.get("CLOUDFLARE_API_TOKEN", token)


def _arguments(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def test_an_announced_name_in_another_operators_zone_is_said(publishing: Scene) -> None:
    """The alias leads into a zone that our token does not hold."""
    dnstree, mail_host = publishing.tree, publishing.mail_host
    owner, target = "_25._tcp.alias.example.org", "_25._tcp.mx1.nods.org."
    assert dnstree.update("example.org", lambda message: message.add(f"{owner}.", 60, "CNAME", target)) == 0
    wait_until(lambda: dnstree.texts(owner, "CNAME", PRIMARY) == {target}, "the alias")
    source = publishing.shell.certificate(mail_host.issue("aliased", "alias.example.org"), "aliased")
    mail_host.serve("aliased")
    words = [
        "tlsa",
        "reconcile",
        "--json",
        "--host",
        "alias.example.org",
        "--provider",
        "cloudflare",
        "--allow-insecure",
    ]
    done = publishing.shell.here(*words, "--source", source)
    assert (done.status, done.action) == (1, "refuse")
    assert "no zone of the Cloudflare token holds _25._tcp.mx1.nods.org" in done.findings
