"""`mailsrv timers`: what a person and a program are told, and with which exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dnsops.base import files
from timers.table import JOBS


def mailsrv(folder: Path, *words: str, config: str = "") -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("MAILSRV", "TOKEN", "CLOUDFLARE"))}
    more = []
    if config:
        (folder / "m.yml").write_text(config, encoding="utf-8")
        more = ["--config", str(folder / "m.yml")]
    env["STATE_DIRECTORY"] = f"{folder}/state:/elsewhere"
    return subprocess.run(
        [sys.executable, "-m", "mailsrv", "timers", *words, *more], env=env, capture_output=True, text=True, timeout=60
    )


def listed(folder: Path, config: str = "") -> dict[str, object]:
    document = json.loads(mailsrv(folder, "list", "--json", config=config).stdout)
    assert document["state"] == f"{folder}/state"
    row = document["jobs"][0]
    assert isinstance(row, dict)
    return row


def test_list_before_and_after_a_run(tmp_path: Path) -> None:
    assert (listed(tmp_path)["job"], listed(tmp_path)["last"], listed(tmp_path)["every"]) == ("tlsa", "never", "5min")
    config = "hostname: a.example.org\nnonsense: 1\n"
    done = mailsrv(tmp_path, "run", "tlsa", "--json")
    assert json.loads(done.stdout)["job"] == "tlsa"
    assert listed(tmp_path)["outcome"] == json.loads(done.stdout)["state"]
    assert mailsrv(tmp_path, "list", config=config).returncode == 78
    assert "tlsa" in mailsrv(tmp_path, "list").stdout


def test_run_ends_with_the_status_of_the_job(tmp_path: Path) -> None:
    # no configuration and no words: the job itself says that this is wrong usage
    done = mailsrv(tmp_path, "run", "tlsa", "--json")
    assert done.returncode == json.loads(done.stdout)["status"] == 64


def test_run_says_75_when_it_runs_already(tmp_path: Path) -> None:
    with files.lock(tmp_path / "state" / "timers" / "tlsa.lock"):
        done = mailsrv(tmp_path, "run", "tlsa")
    assert done.returncode == 75
    assert f"process {os.getpid()} is at it already" in done.stderr


@pytest.mark.parametrize("words, advice", [(["run", "tsla"], "did you mean tlsa?"), (["run"], "Missing argument")])
def test_wrong_usage(tmp_path: Path, words: list[str], advice: str) -> None:
    done = mailsrv(tmp_path, *words)
    assert done.returncode == 64
    assert advice in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_configuration_changes_the_table(tmp_path: Path) -> None:
    row = listed(tmp_path, "hostname: a.example.org\ntimers: {jobs: {tlsa: {every: 1h, enabled: false}}}")
    assert (row["every"], row["due"]) == ("1h", "disabled")


def test_units_are_printed_or_written(tmp_path: Path) -> None:
    printed = mailsrv(tmp_path, "units").stdout
    assert "# mailsrv-tlsa.timer\n[Unit]" in printed
    (tmp_path / "units").mkdir()
    done = mailsrv(tmp_path, "units", "--write", str(tmp_path / "units"))
    assert "systemctl enable --now mailsrv-tlsa.timer" in done.stdout
    written = {file.name for file in (tmp_path / "units").iterdir()}
    assert written == {f"mailsrv-{job.name}.{kind}" for job in JOBS for kind in ("service", "timer")}
    assert {"mailsrv-tlsa.service", "mailsrv-tlsa.timer"} <= {file.name for file in (tmp_path / "units").iterdir()}
    assert (tmp_path / "units" / "mailsrv-tlsa.timer").stat().st_mode & 0o777 == 0o644
    done = mailsrv(tmp_path, "units", "--write", "/nonexistent")
    assert (done.returncode, "/nonexistent/mailsrv-tlsa.service: cannot be written" in done.stderr) == (1, True)
