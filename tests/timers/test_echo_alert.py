"""An echo that is missing, and one that is late: the timer's run, its outcome, and the alert that arrives, all real."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.lab.mailserver import DOMAIN, MailServer

ECHO = f"echo@{DOMAIN}"
KEEP = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read().replace(chr(10), ' ') + chr(10))"


def run(server: MailServer, heard: Path, **checks: object) -> tuple[int, list[dict[str, Any]]]:
    """One run of the job as the scheduler starts it; what was told so far."""
    server.write(checks=checks, alert={"command": [sys.executable, "-c", KEEP, str(heard)]})
    env = {key: value for key, value in os.environ.items() if not key.startswith(("MAILSRV_", "STATE_"))}
    words = [sys.executable, "-m", "mailsrv", "timers", "run", "echo", "--config", str(server.config)]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=120, check=False)
    told = [json.loads(line) for line in heard.read_text(encoding="utf-8").splitlines()] if heard.exists() else []
    return done.returncode, told


def test_who_is_told_when_an_echo_is_missing_is_late_and_is_well(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    with MailServer(tmp_path / "serve", echo={"addresses": [ECHO]}) as server:
        status, told = run(server, heard, echo=[ECHO], echo_late="0s", echo_account="alice")
        assert (status, [(one["job"], one["now"]) for one in told]) == (1, [("echo", "findings")])
        assert "The answer comes back: late" in told[0]["text"]
        status, told = run(server, heard, echo=[f"bob@{DOMAIN}"], echo_wait="2s", echo_account="alice")
        assert (status, len(told)) == (1, 1), "the same trouble is told once"
        status, told = run(server, heard, echo=[ECHO], echo_account="bob")
        assert (status, [(one["was"], one["now"]) for one in told][1:]) == (0, [("findings", "ok")])
