"""A missing layer is never silent: it skips with its reason, and in CI it fails. Nor is a crash of the lab's own servers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HOME = Path(__file__).parents[2]
NEEDS_LAB = "def test_it(dnstree): pass\n"
CRASHING = """
from tests.lab.crashes import caught

def test_it():
    try:
        raise KeyError("lost")
    except KeyError:
        caught("a server", harmless=(OSError,))
"""
RUDE = CRASHING.replace("KeyError", "ConnectionResetError")


@pytest.mark.parametrize(
    "text,environ,status,says",
    [
        (NEEDS_LAB, {}, 0, "1 skipped"),
        (NEEDS_LAB, {}, 0, "not in the lab's namespace"),
        (NEEDS_LAB, {"CI": "true"}, 1, "the lab lacks its layer 'network', and CI=true: not in the lab's namespace"),
        (CRASHING, {}, 1, "EXCEPTION in a server of the lab (the session fails): a server: "),
        (RUDE, {}, 0, "1 passed"),
    ],
)
def test_what_a_session_says(tmp_path, text, environ, status, says):
    (tmp_path / "test_it.py").write_text(text)
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAILSRV_LAB", "CI")}
    options = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-c", os.devnull, "-rs", "--rootdir", str(tmp_path)]
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path / "test_it.py")]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=HOME, env=inherited | environ, timeout=60, check=False
    )
    assert (done.returncode, says in done.stdout) == (status, True), done.stdout + done.stderr
