"""One server for each file of clients; a program that is missing is said, and in CI that is a failure."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import without
from tests.lab.mailserver import MailServer
from tests.lab.network import needs, search_path

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    """alice and bob; certificates by the lab's authority for 127.0.0.1."""
    with MailServer(tmp_path_factory.mktemp("clients"), users=("alice", "bob", "carol")) as server:
        yield server


@pytest.fixture
def program(tmp_path: Path) -> Run:
    """Runs a program in a home of its own; what it says, and how it ended."""

    def run(*command: str | Path, typed: str = "", status: int | None = 0) -> subprocess.CompletedProcess[str]:
        if missing := needs(str(command[0])):
            without("clients", missing)
        home = {"HOME": str(tmp_path), "PATH": search_path(), "LANG": "C.UTF-8", "TERM": "xterm"}
        done = subprocess.run(
            [str(word) for word in command],
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, **home},
            cwd=tmp_path,
        )
        assert status is None or done.returncode == status, done.stdout + done.stderr
        return done

    return run
