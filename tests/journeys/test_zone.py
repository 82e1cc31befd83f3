"""A zone through the lab: planned, applied through Cloudflare and RFC 2136, seen at every server, verified by a stranger, undone."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from dnsops.reconcile.zone_report import SCHEMA
from tests.journeys.shell import Done, Shell
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.dnstree import DnsTree
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
