"""ansible-lint, by its strictest profile, finds nothing in our playbooks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_ansible_lint_finds_nothing(tmp_path: Path) -> None:
    environ = {
        **os.environ,
        "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}",
        "ANSIBLE_HOME": str(tmp_path),
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        [f"{sys.prefix}/bin/ansible-lint", "--profile", "production", "--offline", "playbooks"],
        cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
