"""The Ansible modules, run by real Ansible against the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from playbooks.finding import HERE, surroundings
from tests.playbooks.target import CANARY, Host

CONFIG = """hostname: mx1.example.org
domains: [example.org]
state: {directory: state}
accounts:
  - {name: boss, password: !file pw, addresses: [boss@example.org]}
"""
MODULES = sorted(path.stem for path in (HERE / "library").glob("mailsrv_*.py"))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    path = tmp_path_factory.mktemp("modules")
    (path / "mailsrv.yml").write_text(CONFIG)
    (path / "pw").write_text("another-long-one")
    (path / "pw").chmod(0o600)
    return Host(path, path / "mailsrv.yml")


NEW = {"name": "user3", "addresses": ["user3@example.org"], "password": CANARY}


def test_an_account_is_made_once_closed_and_removed_and_check_only_says_so(host: Host) -> None:
    assert host.module("mailsrv_account", "--check", **NEW)["changed"] is True
    made = host.module("mailsrv_account", **NEW)
    assert made["changed"] is True
    assert made["account"]["before"] is None  # --check wrote nothing
    assert made["account"]["after"]["addresses"] == ["user3@example.org"]
    assert host.module("mailsrv_account", **NEW)["changed"] is False
    closed = host.module("mailsrv_account", name="user3", state="disabled")
    assert closed["changed"] is True
    assert closed["account"]["after"]["enabled"] is False
    assert host.module("mailsrv_account", name="user3", state="absent")["changed"] is True
    assert host.module("mailsrv_account", name="user3", state="absent")["changed"] is False
    assert CANARY not in (host.path / "argv").read_text()


REFUSED = [
    ({"name": "nobody"}, "there is no account nobody yet"),
    ({"name": "boss", "state": "absent"}, "boss is declared in the configuration"),
]


@pytest.mark.parametrize("given, said", REFUSED)
def test_what_an_account_cannot_be(host: Host, given: dict[str, Any], said: str) -> None:
    assert said in host.module("mailsrv_account", **given)["msg"]


def test_what_the_command_refuses_the_task_says(host: Host) -> None:
    found = host.module("mailsrv_dns")
    assert "it does not say who holds the zones" in found["msg"]
    assert found["rc"] == 78


def test_ansible_doc_shows_every_module() -> None:
    env = surroundings(os.environ, Path(sys.executable).parent)
    done = subprocess.run(["ansible-doc", "--json", *MODULES], capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert sorted(found) == MODULES
    assert all(one["examples"] and one["return"] for one in found.values())
