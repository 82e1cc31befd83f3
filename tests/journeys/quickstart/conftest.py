"""What the quickstart journeys share: an empty zone, a machine without anything, a mail server elsewhere to greet it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.journeys.shell import Done, Shell
from tests.lab.acme import Pebble
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.dnstree import DnsTree
from tests.lab.mx import Mx
from tests.lab.network import MX, MX6
from tests.lab.pki import Pki

DOMAIN, HOST = "example.org", "mx1.example.org"
ELSEWHERE = "203.0.113.25"  # somebody's mail server
KEPT = ("NS", "SOA")


def emptied(api: CloudflareApi, domain: str = DOMAIN) -> CloudflareApi:
    """Nothing but the name servers and their addresses: as a zone is on its first day."""
    for record in api.records(domain):
        if record.type not in KEPT and not record.name.startswith("ns"):
            api.erase(domain, record.id)
    api.log.clear()
    return api


@dataclass
class NewMachine:
    """Directories of its own, and the command with what the lab needs."""

    shell: Shell
    pebble: Pebble
    options: list[str] = field(default_factory=list)

    @property
    def output(self) -> Path:
        return self.shell.home / "etc"

    @property
    def config(self) -> Path:
        return self.output / "mailsrv.yml"

    @property
    def state(self) -> Path:
        return self.shell.state

    def words(self, *more: str, domain: str = DOMAIN) -> list[str]:
        """`--bind`: the lab's other servers have other addresses of this machine."""
        usual = ["--addresses", f"{MX},{MX6}", "--bind", "--directory", self.pebble.url, "--dial", ELSEWHERE]
        usual += ["--provider", "cloudflare", "--hostname", f"mx1.{domain}", "--account", "user1", "--output"]
        return ["quickstart", domain, *usual, str(self.output), *self.options, *more]

    def quickstart(self, *more: str, domain: str = DOMAIN) -> Done:
        return self.shell.here(*self.words(*more, domain=domain))


@pytest.fixture
def machine(shell: Shell, pebble: Pebble, mx: Mx, pki: Pki) -> NewMachine:
    mx.listen(ELSEWHERE, 25, pki.issue(["mx.elsewhere.example"]))
    return NewMachine(shell, pebble)


@pytest.fixture
def empty(cloudflare: CloudflareApi, dnstree: DnsTree) -> CloudflareApi:
    """example.org with nothing in it, at Cloudflare."""
    return emptied(cloudflare)
