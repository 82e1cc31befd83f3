"""This machine as an Ansible target: a module is run by real Ansible, over `connection: local`, on the real command."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playbooks.finding import surroundings

CANARY = "canary-5520-long-enough"  # no answer of Ansible may hold it


class Host:
    """This machine as a target, with a configuration in a directory."""

    def __init__(self, path: Path, config: Path, environ: Mapping[str, str] | None = None) -> None:
        self.config = config
        given = {"PYTHONPATH": os.pathsep.join(sys.path), **(environ or {})}
        words = " ".join(shlex.quote(f"{name}={value}") for name, value in given.items())
        self.path = path
        self.program = path / "mailsrv"
        self.program.write_text(
            f'#!/bin/sh\necho "$@" >> {path}/argv\nexec env {words} {sys.executable} -m mailsrv "$@"\n'
        )
        self.program.chmod(0o755)

    def module(self, module: str, /, *words: str, **given: Any) -> dict[str, Any]:
        """What the module answered; words: of ansible-playbook."""
        given |= {"program": str(self.program), "config": str(self.config)}
        env = surroundings({**os.environ, "HOME": str(self.path)}, Path(sys.executable).parent)
        answer = self.path / "answer.json"
        answer.unlink(missing_ok=True)
        keep = {"content": "{{ answer | to_json }}", "dest": str(answer), "mode": "0600"}
        tasks = [
            {"name": "Ask", module: given, "register": "answer", "ignore_errors": True},
            {"name": "Keep", "ansible.builtin.copy": keep, "check_mode": False, "diff": False},
        ]
        (self.path / "play.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
        python = "ansible_python_interpreter=/usr/bin/python3"
        call = ["ansible-playbook", "-vvv", "--diff", "-i", "one,", "-c", "local", "-e", python, *words, "play.yml"]
        done = subprocess.run(call, capture_output=True, text=True, env=env, cwd=self.path, timeout=120)
        assert done.returncode == 0, done.stdout
        assert CANARY not in done.stdout + done.stderr
        found: dict[str, Any] = json.loads(answer.read_text())
        return found
