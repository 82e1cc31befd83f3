"""A zone through the lab: planned, applied through Cloudflare and RFC 2136, seen at every server, verified by a stranger, undone."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
from typing import Any

import jsonschema
import pytest

from dnsops.reconcile.zone_report import SCHEMA
from tests.conftest import without
from tests.journeys import strace
from tests.journeys.shell import Done, Shell
from tests.journeys.strace import DEAD, RENAMES, SYNCS, killing
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.dnstree import DnsTree
from tests.lab.meddling import Meddling
from tests.lab.network import PRIMARY

DOMAIN = "example.org"
CONFIG = """hostname: mx1.example.org
domains: [example.org]
dns: {{{dns}, ttl: 60}}
dkim: {{sign: false}}
records: {{addresses: [192.0.2.25, "2001:db8::25"]}}
state: {{directory: state}}
"""
BY_CLOUDFLARE = "provider: cloudflare, token: !file token"


def configured(shell: Shell, dns: str, more: str = "") -> Shell:
    (shell.home / "mine.yml").write_text(CONFIG.format(dns=dns) + more)
    shell.environ["MAILSRV_CONFIG"] = str(shell.home / "mine.yml")
    return shell


@pytest.fixture
def home(cloudflare: CloudflareApi, shell: Shell) -> Shell:
    """A machine with a configuration."""
    (shell.home / "token").write_text(cloudflare.token)
    (shell.home / "token").chmod(0o600)
    shell.environ.pop("CLOUDFLARE_API_TOKEN", None)
    return configured(shell, BY_CLOUDFLARE)


@pytest.fixture
def by_update(clean_zone: DnsTree, shell: Shell) -> Shell:
    return configured(shell, f"provider: rfc2136, server: {PRIMARY}, key_file: {clean_zone.tsig_file}")


def document(done: Done) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.out)
    jsonschema.validate(found, SCHEMA)
    assert found["status"] == done.status or found["status"] == 0, done
    return found


def run(shell: Shell, *words: str) -> dict[str, Any]:
    return document(shell.here("dns", *words, "--json"))


def steps(found: dict[str, Any], *wanted: str) -> set[str]:
    items = [item for result in found["results"] for item in result["items"]]
    return {f"{one['step']} {one['name']} {one['type']}" for one in items if one["step"] in wanted}


def everything(tree: DnsTree) -> set[str]:
    return {f"{name} {rdata.rdtype.name} {rdata}" for name, _, rdata in tree.axfr(DOMAIN) if rdata.rdtype.name not in ("SOA", "RRSIG", "NSEC3", "NSEC", "DNSKEY", "CDS", "CDNSKEY", "NSEC3PARAM")}  # fmt: skip


def test_from_a_bare_zone_to_a_true_one_and_back(home: Shell, dnstree: DnsTree) -> None:
    bare = everything(dnstree)
    planned = home.here("dns", "plan")
    assert planned.status == 2, planned
    assert "+ _dmarc.example.org TXT" in planned.out
    done = home.here("dns", "apply", "--yes", "--json")
    found = document(done)
    assert (done.status, found["action"]) == (0, "publish"), done
    assert all(one["everywhere"] and one["security"] == "secure" for one in found["results"][0]["seen"])
    assert dnstree.secure(f"_dmarc.{DOMAIN}", "TXT")
    again = home.here("dns", "plan")
    assert (again.status, again.out.splitlines()[-1]) == (0, "no changes"), again
    verified = home.here("dns", "verify", "--all")
    assert "missing" not in [
        line.split()[2]
        for line in verified.out.splitlines()
        if DOMAIN in line and "PTR" not in line and "DS" not in line
    ], verified
    back = home.here("dns", "apply", "--undo", "--yes")
    assert back.status == 0, back
    assert everything(dnstree) == bare
    assert home.here("dns", "apply", "--undo", "--yes").status == 0, "and the way back from the way back"
    assert home.here("dns", "plan").status == 0


def test_the_same_through_rfc_2136_where_no_record_carries_a_mark(by_update: Shell, clean_zone: DnsTree) -> None:
    bare = everything(clean_zone)
    assert by_update.here("dns", "plan").status == 2
    done = by_update.here("dns", "apply", "--yes")
    assert done.status == 0, done
    assert by_update.here("dns", "plan").status == 0
    assert by_update.here("dns", "apply", "--undo", "--yes").status == 0
    assert everything(clean_zone) == bare


def test_a_saved_plan_is_carried_out_but_for_what_a_human_touched(home: Shell, cloudflare: CloudflareApi) -> None:
    file = home.home / "plan.json"
    assert home.here("dns", "plan", "--out", str(file)).status == 2
    cloudflare.edit(DOMAIN, "CNAME", f"mail.{DOMAIN}", content=f"elsewhere.{DOMAIN}")
    done = home.here("dns", "apply", "--plan", str(file), "--yes")
    assert done.status == 1, done
    assert f"add mail.{DOMAIN} CNAME mx1.{DOMAIN}.: somebody changed it since the plan was made" in done.err
    assert cloudflare.records(DOMAIN, name=f"mail.{DOMAIN}")[0].content == f"elsewhere.{DOMAIN}"
    assert cloudflare.records(DOMAIN, name=f"_dmarc.{DOMAIN}")
    assert home.here("dns", "plan").status == 1, "only the conflict is left"


@pytest.mark.parametrize("word, status", [("y", 0), ("n", 1)])
def test_on_a_terminal_it_shows_the_plan_and_asks(
    home: Shell, cloudflare: CloudflareApi, word: str, status: int
) -> None:
    master, terminal = pty.openpty()
    before = len(cloudflare.records(DOMAIN))
    with subprocess.Popen(
        home.command("dns", "apply"), stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "STATE_DIRECTORY": str(home.state), **home.environ}
    ) as child:  # fmt: skip
        os.write(master, f"{word}\n".encode())
        said, _ = child.communicate(timeout=60)
    os.close(master)
    os.close(terminal)
    assert child.returncode == status, said
    assert b"+ _dmarc.example.org TXT" in said
    assert b"Shall it be so?" in said
    assert (len(cloudflare.records(DOMAIN)) > before) == (word == "y")


def test_without_a_token_verify_tells_what_the_world_sees(shell: Shell, dnstree: DnsTree) -> None:
    configured(shell, BY_CLOUDFLARE).here("config", "check")
    (shell.home / "mine.yml").write_text(CONFIG.format(dns="").replace("dns: {, ttl: 60}\n", ""))
    done = shell.here("dns", "verify", "--json")
    found = {(one["name"], one["type"]): one["state"] for one in json.loads(done.out)["checks"]}
    assert done.status == 1
    assert found["mx1.example.org", "A"] == found["example.org", "MX"] == found["example.org", "DS"] == "right"
    assert found["_dmarc.example.org", "TXT"] == "missing"
    planned = shell.here("dns", "plan")
    assert planned.status == 78
    assert "`mailsrv dns verify` checks them" in planned.err


# kill -9


def test_killed_at_every_call_and_run_again(home: Shell, cloudflare: CloudflareApi) -> None:
    """Before the API's work at the even calls, after it at the odd ones; tests/dnsops/reconcile has every step of both."""
    words = ("dns", "apply", "--yes", "--wait", "10")
    assert home.here(*words).status == 0
    wanted = {(one.name, one.type, one.content) for one in cloudflare.records(DOMAIN)}
    for call in range(30):
        for entry in cloudflare.records(DOMAIN):
            if entry.comment:
                cloudflare.erase(DOMAIN, entry.id)
        shutil.rmtree(home.state)
        child: list[subprocess.Popen[str]] = []
        with Meddling(cloudflare, call, lambda: child[0].kill(), after=call % 2 == 1) as executioner:  # noqa: B023
            child.append(home.start(*words))
            child[0].communicate(timeout=60)
        assert len([one for one in cloudflare.records(DOMAIN, name=DOMAIN) if "v=spf1" in one.content]) == 1
        done = home.here(*words)
        assert done.status == 0, done
        assert {(one.name, one.type, one.content) for one in cloudflare.records(DOMAIN)} == wanted
        if not executioner.was_there:
            assert call >= 5, "it was really at every call"
            return


@pytest.mark.faults
def test_killed_at_every_file_and_run_again(home: Shell, cloudflare: CloudflareApi) -> None:
    if reason := strace.why_not():
        without("strace", reason)
    for calls in (RENAMES, SYNCS):
        for entry in [one for one in cloudflare.records(DOMAIN) if one.comment]:
            cloudflare.erase(DOMAIN, entry.id)
        shutil.rmtree(home.state, ignore_errors=True)
        # strace counts in each thread for itself: the way back, then the ledger, are the first files of their threads
        assert home.child("dns", "apply", "--yes", prefix=killing(calls, 1)).status in DEAD
        assert not [one for one in cloudflare.records(DOMAIN) if one.comment], (
            "the way back and the ledger before the zone"
        )
        for number in (2, 3):
            home.child("dns", "apply", "--yes", prefix=killing(calls, number))
    assert home.here("dns", "apply", "--yes").status == 0
    assert home.here("dns", "plan").status == 0
