"""One story through every provider: stale, published, waited for, pruned, in sync - by the command, on real servers."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tests.journeys.mailhost import MailHost
from tests.journeys.shell import HOST, OWNER, Done, Shell
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.dnstree import DnsTree
from tests.lab.network import PRIMARY, SECONDARY
from tests.lab.program import wait_until

BOTH = [PRIMARY, SECONDARY]


def until(action: str, run: Callable[[], Done], patience: float = 20) -> list[Done]:
    """Run again and again until a run did that; all runs."""
    end, runs = time.monotonic() + patience, [run()]
    while runs[-1].action != action:
        assert runs[-1].status == 0, runs[-1]
        assert time.monotonic() < end, [one.action for one in runs]
        time.sleep(0.3)
        runs.append(run())
    return runs


def test_through_cloudflare_every_step_is_one_word(
    shell: Shell, cloudflare: CloudflareApi, dnstree: DnsTree, mail_host: MailHost
) -> None:
    words = ["tlsa", "reconcile", "--json", "--host", HOST, "--provider", "cloudflare", "--ttl", "60"]
    old = [*words, "--source", shell.certificate(mail_host.issue("old"))]
    assert [shell.child(*old).action for _ in range(2)] == ["publish", "none"]
    assert dnstree.texts(OWNER, "TLSA") == {mail_host.issue("old").association}
    mail_host.serve("new")
    new = [*words, "--source", shell.certificate(mail_host.issue("new"), "renewed")]
    stale = shell.child(*new)
    assert (stale.status, stale.action, len(stale.document["results"][0]["add"])) == (0, "publish", 1)
    assert "senders that verify refuse this key since at most 0 min" in stale.findings
    dnstree.wait_for(OWNER, "TLSA", {mail_host.issue(name).association for name in ("old", "new")}, BOTH)
    second = shell.child(*new)
    assert (second.status, second.action) == (0, "wait")
    runs = until("prune", lambda: shell.here(*new))
    assert {run.action for run in runs[:-1]} == {"wait"}
    dnstree.wait_for(OWNER, "TLSA", {mail_host.issue("new").association}, BOTH)
    last = shell.child(*new)
    assert (last.status, last.action, last.document["results"][0]["foreign"]) == (0, "none", [])
    assert [entry.comment for entry in cloudflare.records("example.org", "TLSA", OWNER)] == ["mailsrv tlsa"]


OCTODNS = """providers:
  there:
    class: octodns_cloudflare.CloudflareProvider
    token: env/LAB_TOKEN
    pagerules: false
    min_ttl: 60
zones:
  example.org.: {targets: [there]}
"""
CONFIG = """hostname: mx1.example.org
dns: {provider: octodns, config: octodns.yaml, name: there, ttl: 60}
records: {tlsa_ports: 25}
"""


def test_through_octodns_as_the_configuration_says(
    shell: Shell, cloudflare: CloudflareApi, dnstree: DnsTree, mail_host: MailHost
) -> None:
    (shell.home / "octodns.yaml").write_text(OCTODNS)
    (shell.home / "mailsrv.yml").write_text(CONFIG)
    shell.environ["LAB_TOKEN"] = shell.environ.pop("CLOUDFLARE_API_TOKEN")
    words = ["tlsa", "reconcile", "--json", "--config", str(shell.home / "mailsrv.yml")]
    old = [*words, "--source", shell.certificate(mail_host.issue("old"))]
    assert shell.here(*old).action == "publish"
    dnstree.wait_for(OWNER, "TLSA", {mail_host.issue("old").association}, BOTH)  # it says so before everybody shows it
    assert shell.here(*old).action == "none"
    mail_host.serve("new")
    new = [*words, "--source", shell.certificate(mail_host.issue("new"), "renewed")]
    assert shell.child(*new).action == "publish"
    dnstree.wait_for(OWNER, "TLSA", {mail_host.issue(name).association for name in ("old", "new")}, BOTH)
    until("prune", lambda: shell.here(*new))
    dnstree.wait_for(OWNER, "TLSA", {mail_host.issue("new").association}, BOTH)
    assert shell.here(*new).action == "none"


def test_in_sync_nobody_needs_the_token(shell: Shell, cloudflare: CloudflareApi, mail_host: MailHost) -> None:
    words = ["tlsa", "reconcile", "--json", "--host", HOST, "--provider", "cloudflare"]
    words += ["--source", shell.certificate(mail_host.issue("old"))]
    shell.here(*words)
    cloudflare.log.clear()
    done = shell.here(*words)
    assert (done.status, done.action, list(cloudflare.log)) == (0, "none", [])


def test_through_rfc_2136_into_the_signed_zone(
    shell: Shell, dnstree: DnsTree, rfc2136: tuple[str, ...], mail_host: MailHost
) -> None:
    words = ["tlsa", "reconcile", "--json", "--host", HOST, *rfc2136]
    old = [*words, "--source", shell.certificate(mail_host.issue("old")), "--ttl", "30"]
    assert shell.here(*old).action == "publish"
    associations = {name: mail_host.issue(name).association for name in ("old", "new")}
    dnstree.wait_for(OWNER, "TLSA", {associations["old"]}, BOTH)
    shorten(dnstree, associations["old"])
    assert shell.here(*old).action == "none"
    mail_host.serve("new")
    new = [*words, "--source", shell.certificate(mail_host.issue("new"), "renewed"), "--ttl", "30"]
    assert shell.child(*new).action == "publish"
    shorten(dnstree, *associations.values())
    until("prune", lambda: shell.here(*new))
    dnstree.wait_for(OWNER, "TLSA", {associations["new"]}, BOTH)
    assert shell.here(*new).action == "none"


def shorten(tree: DnsTree, *texts: str) -> None:
    """Thirty seconds are the shortest TTL of ours; a person makes it one, at every server."""
    tree.replace(OWNER, "TLSA", *texts, ttl=1)
    for server in BOTH:
        wait_until(lambda: {rrset.ttl for rrset in tree.ask(OWNER, "TLSA", server).answer} == {1}, "the TTL of 1")  # noqa: B023


def test_through_a_zone_file_plan_says_2_and_publish_writes_one_line(
    shell: Shell, rfc2136: tuple[str, ...], mail_host: MailHost, tmp_path: Path
) -> None:
    zone = tmp_path / "example.org.zone"
    zone.write_text("$ORIGIN example.org.\n@ 3600 SOA ns1 hostmaster 7 3600 600 86400 60\n")
    words = ["--json", "--host", HOST, "--provider", f"zonefile:{zone}"]
    words += ["--source", shell.certificate(mail_host.issue("old"))]
    before = zone.read_text()
    plan = shell.child("tlsa", "plan", *words)
    assert (plan.status, plan.action, plan.document["dry_run"]) == (2, "publish", True)
    assert (zone.read_text(), shell.state.exists()) == (before, False)
    assert shell.here("tlsa", "reconcile", *words).action == "publish"
    lines = [line for line in zone.read_text().splitlines() if "TLSA" in line]
    assert len(lines) == 1
    assert mail_host.issue("old").association.split()[-1] in lines[0].lower()
    assert " 8 " in zone.read_text()
    assert shell.here("tlsa", "reconcile", *words).action == "publish"
    assert len([line for line in zone.read_text().splitlines() if "TLSA" in line]) == 1
