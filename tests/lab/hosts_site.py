"""Two hosts without anything, what surrounds them, and the playbooks that make mail servers of them.

    with Site(directory, tree, pki, api, pebble_url) as site:
        assert site.play("site.yml").status == 0

host1 is mx1.example.org for example.org, host2 mx1.nsec.org for nsec.org. Fails by: `Unavailable`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.lab.bundle import ROOT, bundle
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.demo_start import emptied
from tests.lab.dnstree import DnsTree
from tests.lab.hosts import Host, Hosts
from tests.lab.network import ACME, CLOUDFLARE
from tests.lab.pki import Pki

DOMAINS = ("example.org", "nsec.org")
PASSWORD = "canary-of-a-password"
RECAP = re.compile(r"^(\S+) +: ok=(\d+) +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", re.MULTILINE)
SOON = {"every": "10s", "after_boot": "2s", "jitter": "0s"}
PATIENCE = 400


@dataclass(frozen=True)
class Played:
    """How a play ended."""

    status: int
    said: str

    @property
    def changed(self) -> dict[str, int]:
        """Host -> how many tasks changed something."""
        return {found[1]: int(found[3]) for found in RECAP.finditer(self.said)}


class Site:
    """The hosts, their inventory, the controller's command."""

    def __init__(self, directory: Path, tree: DnsTree, pki: Pki, api: CloudflareApi, acme: str) -> None:
        self.directory, self.tree, self.api, self.acme = directory / "site", tree, api, acme
        environ = {
            "SSL_CERT_FILE": "/etc/lab/ca.pem",
            "REQUESTS_CA_BUNDLE": "/etc/lab/ca.pem",
            "MAILSRV_TRUST_ANCHOR": "/etc/lab/anchor.ds",
            "MAILSRV_ROOT_HINTS": "/etc/lab/hints",
        }
        files = {
            "etc/lab/ca.pem": pki.ca.read_text(),
            "etc/lab/anchor.ds": tree.trust_anchor.read_text(),
            "etc/lab/hints": tree.root_hints.read_text(),
        }
        names = f"{CLOUDFLARE} api.cloudflare.com\n{ACME} acme.lab\n"
        self.hosts = Hosts(directory, len(DOMAINS), names, environ, files)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.enter_context(self.hosts)
            self.directory.mkdir()
            for domain in DOMAINS:
                emptied(self.api, domain)
            self.variables: dict[str, Any] = {"mailsrv_bundle": str(bundle(self.directory))}
            self._stack = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def inventory(self) -> Path:
        """As a person would write it; JSON is YAML."""
        shared = {
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.hosts.key),
            "ansible_python_interpreter": "/usr/bin/python3",
            "mailsrv_outside_command": [sys.executable, "-m", "mailsrv"],
            **self.variables,
        }
        hosts = {host.name: self._host(host, domain) for host, domain in zip(self.hosts, DOMAINS, strict=True)}
        path = self.directory / "inventory.yml"
        path.touch(mode=0o600)
        path.write_text(json.dumps({"mailsrv": {"hosts": hosts, "vars": shared}}, indent=1))
        return path

    def _host(self, host: Host, domain: str) -> dict[str, Any]:
        account = {"name": "user1", "password": "!credential user1", "addresses": [f"user1@{domain}"]}
        settings = {
            "dns": {"provider": "cloudflare", "token": "!credential cloudflare-token"},
            "acme": {"contact": f"user1@{domain}", "directory": self.acme},
            "records": {"addresses": [host.address, host.address6]},
            "accounts": [account],
            "timers": {"jobs": dict.fromkeys(("tlsa", "dkim", "zone"), SOON)},
        }
        return {
            "ansible_host": host.address,
            "mailsrv_hostname": f"mx1.{domain}",
            "mailsrv_domains": [domain],
            "mailsrv_settings": settings,
            "mailsrv_secrets": {"cloudflare-token": self.api.token, "user1": PASSWORD},
        }

    def command(self, playbook: str, *options: str) -> list[str]:
        return [
            f"{sys.prefix}/bin/ansible-playbook",
            "-i",
            str(self.inventory()),
            *options,
            str(ROOT / "playbooks" / playbook),
        ]

    @property
    def environ(self) -> dict[str, str]:
        """The controller's."""
        home = self.directory / "ansible"
        ours = {
            "ANSIBLE_HOME": str(home),
            "ANSIBLE_LOCAL_TEMP": str(home / "tmp"),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.directory / "cp"),
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_HOST_KEY_CHECKING": "0",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_SSH_ARGS": "-F none -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=/dev/null",
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
        }
        return {**os.environ, **ours}

    def play(self, playbook: str, *options: str) -> Played:
        done = subprocess.run(
            self.command(playbook, *options),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=self.environ, timeout=PATIENCE, check=False,
        )  # fmt: skip
        return Played(done.returncode, done.stdout)
