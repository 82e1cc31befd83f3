"""From an empty zone and a token to mail that a stranger's Postfix calls Verified; interrupted anywhere, the next run goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mailsrv.quickstart.steps import Step
from tests.journeys.quickstart.conftest import DOMAIN, HOST, NewMachine
from tests.journeys.quickstart.terminal import Terminal
from tests.journeys.shell import PATIENCE, Done
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.dnstree import DnsTree
from tests.lab.network import MX, MX6
from tests.lab.postfix import Sender, Verdict
from tests.lab.program import Program, listening


@contextmanager
def served(machine: NewMachine) -> Iterator[Program]:
    """`mailsrv serve` with what quickstart wrote; the timers are left to the test."""
    if "timers:" not in machine.config.read_text():
        machine.config.write_text(machine.config.read_text() + "timers: {run: false}\n")
    command = machine.shell.command("serve", "--config", str(machine.config))
    program = Program("serve", command, machine.shell.home / "serve.log", machine.shell._environ({}))
    program.start(lambda: all(listening(address, port) for address in (MX, MX6) for port in (25, 465, 993)))
    try:
        yield program
    finally:
        program.stop()


def settled(machine: NewMachine) -> dict[str, Any]:
    """`dns plan` once the DKIM keys sign: they wait for two TTLs."""
    words = ("dns", "plan", "--json", "--config", str(machine.config))
    end = time.monotonic() + PATIENCE
    while (done := machine.shell.here(*words)).status != 0 and time.monotonic() < end:
        machine.shell.here("dns", "apply", "--yes", "--json", "--config", str(machine.config))
        time.sleep(0.5)
    assert done.status == 0, done.out
    return dict(json.loads(done.out))


def orphans(api: CloudflareApi) -> list[str]:
    return [record.name for record in api.records(DOMAIN) if "_acme-challenge" in record.name]


def published(api: CloudflareApi) -> list[str]:
    """What stands there beside what an empty zone has."""
    return [record.name for record in api.records(DOMAIN) if record.type != "NS" and not record.name.startswith("ns")]


def twice(api: CloudflareApi) -> list[str]:
    """Records that stand there more than once."""
    found = [(record.name, record.type, str(record.content)) for record in api.records(DOMAIN)]
    return [str(one) for one in set(found) if found.count(one) > 1]


def test_from_an_empty_zone_and_a_token_to_verified(machine: NewMachine, empty: CloudflareApi, postfix: Sender) -> None:
    done = machine.quickstart("--yes", "--json")
    assert done.status == 0, done.out + done.err
    told = json.loads(done.out)
    assert told["done"] == ["configure", "keys", "records", "certificate", "settle"]
    assert told["serving"] is False
    assert {one["level"] for one in told["findings"]} == {"fine", "warning"}
    assert oct(machine.config.stat().st_mode)[-3:] == "640"
    with served(machine):
        again = machine.quickstart("--yes", "--json")
        assert again.status == 0, again.out + again.err
        assert json.loads(again.out)["done"] == ["records", "settle"]
        assert json.loads(again.out)["serving"] is True
        assert postfix.finger(DOMAIN) is Verdict.VERIFIED
        delivery = postfix.send(f"user1@{DOMAIN}")
        assert (delivery.status, delivery.tls) == ("sent", "Verified")
        settled(machine)
    assert orphans(empty) == []
    assert twice(empty) == []


def test_killed_at_every_step_it_goes_on_where_it_was(machine: NewMachine, empty: CloudflareApi) -> None:
    """Each run is killed, with all that it started, in the step after the one before; the last one completes."""
    headings = [f"-- {step.value}" for step in Step if step is not Step.SERVE]
    for number, heading in enumerate(headings):
        _killed(machine, heading, 0.4 * (number % 3))
    written = machine.config.read_bytes()
    done = machine.quickstart("--yes", "--json")
    assert done.status == 0, done.out + done.err
    assert json.loads(done.out)["done"][-1] == "settle"
    assert machine.config.read_bytes() == written
    assert (machine.output / "first-password").exists()
    assert orphans(empty) == []
    assert twice(empty) == []
    assert machine.shell.here("cert", "show", "--host", HOST, "--json").status == 0


def _killed(machine: NewMachine, heading: str, later: float) -> None:
    """SIGKILL to the whole group, `later` seconds after the heading; a run may have no such step any more."""
    child = subprocess.Popen(
        machine.shell.command(*machine.words("--yes", "--skip-checks")),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=machine.shell._environ({"PYTHONUNBUFFERED": "1"}),
        start_new_session=True,
    )
    assert child.stdout
    for line in child.stdout:
        if line.startswith(heading):
            time.sleep(later)
            break
    os.killpg(child.pid, signal.SIGKILL)
    child.stdout.close()
    child.wait(PATIENCE)


def test_nobody_there_and_no_yes_publishes_nothing(machine: NewMachine, empty: CloudflareApi) -> None:
    done = machine.shell.child(*machine.words(), prefix=("setsid",))
    assert done.status == 1
    assert "nobody to agree to the plan" in done.err
    assert published(empty) == []


def test_a_person_at_a_terminal(machine: NewMachine, empty: CloudflareApi) -> None:
    """Asked, shown, asked again: the plan is declined first, and applied in a second run that asks nothing else."""
    token = machine.shell.environ.pop("CLOUDFLARE_API_TOKEN")
    words = ["quickstart", DOMAIN, "--bind", "--directory", machine.pebble.url, "--dial", "203.0.113.25"]
    words += ["--output", str(machine.output)]
    with _terminal(machine, *words) as person:
        for question, answer in ASKED.items():
            person.expect(question)
            person.type(answer.format(token=token))
        assert person.end() == 2
        assert token not in person.text
    assert published(empty) == []
    with _terminal(machine, *words) as person:
        assert person.expect("Apply this plan", "mail host")[0] == "Apply this plan"
        person.type("y")
        person.expect("Show the password now")
        person.type("y")
        person.expect(r"password: [a-z0-9-]{20,}")
        assert person.end() == 0
    assert not (machine.output / "first-password").exists()


ASKED = {
    "mail host .*: ": "no host",
    "write a name such as(?s:.)*mail host .*: ": HOST,
    "Who holds the zone .*: ": "cloudflare",
    "public addresses.*: ": f"{MX} {MX6}",
    "first account.*: ": "user1",
    "certificate authority.*: ": "",
    "API token: ": "{token}",
    r"Write .* and its secrets\? .*: ": "y",
    r"Apply this plan\? .*: ": "n",
}


def _terminal(machine: NewMachine, *words: str) -> Terminal:
    return Terminal(machine.shell.command(*words), machine.shell._environ({"TERM": "dumb"}))


def test_a_zone_at_rfc2136(machine: NewMachine, dnstree: DnsTree, rfc2136: tuple[str, ...], pebble: object) -> None:
    """The same through dynamic updates, and in a zone that had records before."""
    dnstree.replace(DOMAIN, "MX")
    provider, key = rfc2136[1], rfc2136[3]
    words = machine.words("--yes", "--json", "--token-file", key)
    words[words.index("cloudflare")] = provider
    done: Done = machine.shell.here(*words)
    assert done.status == 0, done.out + done.err
    assert json.loads(done.out)["done"][-1] == "settle"


@pytest.fixture
def nods(dnstree: DnsTree) -> Iterator[DnsTree]:
    """nods.org, for others as it was before."""
    yield dnstree
    dnstree.restore("nods.org")


def test_a_zone_without_dnssec_gets_everything_but_dane(
    machine: NewMachine, nods: DnsTree, rfc2136: tuple[str, ...]
) -> None:
    """nods.org is signed, and its registrar has no DS: mail works, and the finding says what is missing."""
    for name, kind in (("nods.org", "MX"), ("_25._tcp.mx1.nods.org", "TLSA")):
        nods.replace(name, kind)
    words = machine.words("--yes", "--json", "--token-file", rfc2136[3], domain="nods.org")
    words[words.index("cloudflare")] = rfc2136[1]
    done = machine.shell.here(*words)
    assert done.status == 0, done.out + done.err
    told = json.loads(done.out)
    assert told["done"] == ["configure", "keys", "records", "certificate", "settle"]
    assert any("its parent has no DS record" in one["what"] for one in told["findings"])
