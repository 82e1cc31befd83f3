"""The attack scripts of the project's tool box, where it lies beside the repository, against `mailsrv serve` with TLS."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.mailserver import DOMAIN, PASSWORD, MailServer, free_ports

# the tool box is no part of the project: MAILSRV_TOOLS names it, else a folder beside ours is looked for
TOOLS = Path(os.environ.get("MAILSRV_TOOLS", "") or Path(__file__).parents[4] / "shared" / "tools") / "attack"
pytestmark = pytest.mark.skipif(
    not TOOLS.is_dir(), reason=f"the attack scripts are not at {TOOLS}; MAILSRV_TOOLS may name their folder"
)
ONE, OTHER = f"user1@{DOMAIN}", f"user2@{DOMAIN}"
LOGIN = ("--user", ONE, "--password", PASSWORD, "--other", OTHER)
MOST_MEMORY = 400 << 10  # KiB of the server after all of it, the hostile messages included


@pytest.fixture(scope="module")
def sink() -> int:
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, sink: int) -> Iterator[MailServer]:
    """One that hands all mail for others to the sink."""
    accounts = [{"name": user, "password": "!file password", "addresses": [user]} for user in (ONE, OTHER)]
    queue = {"next_hop": f"127.0.0.1:{sink}"}
    with MailServer(tmp_path_factory.mktemp("serve"), accounts=accounts, queue=queue) as running:
        yield running


def attack(script: str, port: int, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, str(TOOLS / script), "127.0.0.1", str(port), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "group stopped" not in done.stdout, done.stdout + done.stderr
    assert done.stdout.count("PASS") > 5, done.stdout


@pytest.mark.parametrize("group", ["smuggle", "relay", "protocol", "tls", "bdat"])
def test_strangers(server: MailServer, group: str) -> None:
    attack("smtp_attack.py", server.ports["smtp"], "--groups", group, "--rcpt", ONE, "--pid", str(server.pid))


def test_users_who_would_be_others(server: MailServer) -> None:
    attack("smtp_attack.py", server.ports["submission"], "--groups", "auth", "--rcpt", ONE, *LOGIN)


def test_what_leaves_is_normal(server: MailServer, sink: int) -> None:
    attack("smtp_attack.py", server.ports["submission"], "--groups", "egress", *LOGIN, "--sink", str(sink))


def test_hostile_messages_by_smtp(server: MailServer) -> None:
    attack("smtp_attack.py", server.ports["smtp"], "--groups", "load", "--rcpt", ONE, "--pid", str(server.pid))


def test_imap_before_and_after_login(server: MailServer) -> None:
    attack("imap_attack.py", server.ports["imaps"], "--implicit", *LOGIN, "--pid", str(server.pid))


def test_it_is_no_larger_for_it(server: MailServer) -> None:
    status = Path(f"/proc/{server.pid}/status").read_text()
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    assert resident < MOST_MEMORY
