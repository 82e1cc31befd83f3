"""The Ansible module mailsrv_dns in the lab: what it says it would change is what it changes, once."""

from __future__ import annotations

from tests.journeys.shell import Shell
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.dnstree import DnsTree
from tests.playbooks.target import Host

CONFIG = """hostname: mx1.example.org
domains: [example.org]
dns: {provider: cloudflare, token: !file token, ttl: 60}
dkim: {sign: false}
records: {addresses: [192.0.2.25]}
state: {directory: state}
"""


def test_the_records_are_planned_applied_and_then_as_wanted(
    cloudflare: CloudflareApi, shell: Shell, dnstree: DnsTree
) -> None:
    (shell.home / "token").write_text(cloudflare.token)
    (shell.home / "token").chmod(0o600)
    (shell.home / "mine.yml").write_text(CONFIG)
    environ = {name: value for name, value in shell.environ.items() if name != "CLOUDFLARE_API_TOKEN"}
    host = Host(shell.home, shell.home / "mine.yml", environ)
    before = len(cloudflare.records("example.org"))

    planned = host.module("mailsrv_dns", "--check")
    assert planned["changed"] is True, planned
    assert len(cloudflare.records("example.org")) == before
    applied = host.module("mailsrv_dns")
    assert applied["changed"] is True, applied
    assert applied["diff"]["prepared"] == planned["diff"]["prepared"]
    assert "+_dmarc.example.org 60 TXT" in applied["diff"]["prepared"]
    assert dnstree.secure("_dmarc.example.org", "TXT")
    again = host.module("mailsrv_dns")
    assert (again["changed"], again["items"]) == (False, [])
    assert cloudflare.token not in (shell.home / "argv").read_text()
