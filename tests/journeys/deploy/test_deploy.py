"""From two bare hosts and a token to mail that a stranger calls Verified, by one play; a second one changes nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

from tests.journeys.deploy.spying import Snapshot, argv_watched, holding, snapshot
from tests.lab.hosts_site import DOMAINS, PASSWORD, Site
from tests.lab.postfix import Sender, Verdict
from tests.lab.program import wait_until

PIP = "opt/mailsrv/releases/mailsrv-1/bin/pip"


def on_disk(site: Site) -> list[Snapshot]:
    return [snapshot(host.upper) for host in site.hosts]


def test_looking_at_bare_hosts_writes_nothing(site: Site) -> None:
    before = on_disk(site)
    looked = site.play("site.yml", "--check", "--diff")
    assert (looked.status, 0 in looked.changed.values()) == (0, False), looked.said
    assert on_disk(site) == before


def test_a_controller_that_was_killed_begins_again(site: Site) -> None:
    with subprocess.Popen(
        site.command("site.yml"), env=site.environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    ) as playing:  # fmt: skip
        wait_until(lambda: all((host.upper / PIP).exists() for host in site.hosts), "pip on both hosts", 120)
        os.killpg(playing.pid, signal.SIGKILL)
    for host in site.hosts:
        assert not (host.upper / "etc/mailsrv/mailsrv.yml").exists(), "it was too late: nothing was cut off"


def test_two_bare_hosts_become_verified_mail_servers(site: Site, postfix: Sender) -> None:
    secrets = (PASSWORD, site.api.token)
    with argv_watched(secrets) as seen:
        played = site.play("site.yml", "--diff")
    assert played.status == 0, played.said
    for domain in DOMAINS:
        assert postfix.finger(domain) is Verdict.VERIFIED
        delivery = postfix.send(f"user1@{domain}")
        assert (delivery.status, delivery.tls) == ("sent", "Verified"), delivery.line
    assert seen == []
    for secret in secrets:
        assert secret not in played.said
        for host in site.hosts:
            assert secret not in host.ssh("journalctl", "--no-pager", "--all", "-o", "json")
            assert {readers for _, readers in holding(host.upper, secret)} <= {(0o600, 0, 0)}


def test_a_second_run_changes_nothing(site: Site) -> None:
    for host in site.hosts:
        host.ssh("timeout", "60", "sh", "-c", "until mailsrv dns plan >/dev/null; do sleep 1; done")
    state = site.directory / "deployer"
    for more in ("--check",), ():
        done = subprocess.run(
            [sys.executable, "-m", "mailsrv", "deploy", "site", "-i", str(site.inventory()), "--json", *more],
            env={**site.environ, "XDG_STATE_HOME": str(state), "STATE_DIRECTORY": str(state)},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        hosts = json.loads(done.stdout)["hosts"]
        assert {host["changed"] for host in hosts.values()} == {0}, done.stdout


def test_a_finding_from_outside_puts_everything_back(site: Site) -> None:
    host = site.hosts.first
    before = host.ssh("cat", "/etc/mailsrv/mailsrv.yml")
    otherwise = {"mailsrv_outside_command": ["false"], "mailsrv_timers": "systemd"}
    played = site.play("site.yml", "--limit", host.name, "-e", json.dumps(otherwise))
    assert played.status != 0
    assert "Every port, its certificate and its TLSA records" in played.said
    assert host.ssh("cat", "/etc/mailsrv/mailsrv.yml") == before
    assert host.ssh("systemctl", "is-active", "mailsrv.service").strip() == "active"
