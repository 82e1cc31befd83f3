"""Whole domains, put up one at a time, get the verdicts, points and totals that internet.nl gave them.

The situations and internet.nl's results lie beside the repository (MAILSRV_TOOLS, MAILSRV_DATA say where else); without them, or
without root for namespaces, the tests skip. Each runs `mailsrv check mail` as a user would.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from checks.report.document import SCHEMA

BESIDE = Path(__file__).parents[4] / "shared"
TOOLS = Path(os.environ.get("MAILSRV_TOOLS", "") or BESIDE / "tools") / "internetnl"
DATA = Path(os.environ.get("MAILSRV_DATA", "") or BESIDE / "data")
RUNS = DATA / "internetnl-runs-a.json"
PROGRAMS = ("knotd", "unbound", "dnssec-signzone", "openssl", "gnutls-serv", "unshare")
MISSING = [
    name for name in PROGRAMS if shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None
]

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not (TOOLS / "lab.py").exists(), reason=f"no situations in {TOOLS}"),
    pytest.mark.skipif(os.geteuid() != 0, reason="root is needed for namespaces"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]
CHECK = """exec "$0" -m mailsrv check mail "$LAB_DOMAIN" --json --resolver "$LAB_RESOLVER" --ca "$LAB_CA" \
--suffixes "$1" --whois "$LAB_WHOIS" --routinator "$LAB_ROUTINATOR" --local --no-history"""


@cache
def runs() -> list[dict[str, Any]]:
    return json.loads(RUNS.read_text())["runs"] if RUNS.exists() else []


@pytest.fixture(scope="session")
def suffixes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The public suffix list of those runs."""
    path = tmp_path_factory.mktemp("suffixes") / "list"
    path.write_text("test\n")
    return path


def checked(case: str, suffixes: Path, check: str = CHECK) -> tuple[dict[str, Any], int]:
    """What the command says of a situation, and its exit status."""
    path = os.pathsep.join(filter(None, (str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    words = [sys.executable, str(TOOLS / "lab.py"), "up", case, "--", "sh", "-c", check, sys.executable, str(suffixes)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout, done.stderr
    written = json.loads(done.stdout)
    jsonschema.validate(written, SCHEMA)
    return written["results"][0], done.returncode


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, object]:
    """Where they differ: key -> (ours, internet.nl's)."""
    differ: dict[str, object] = {}
    for name, category in wanted["categories"].items():
        ours = found["categories"][name]
        for key in ("percent", "max_points", "verdict"):
            if ours[key] != category[key]:
                differ[f"{name}.{key}"] = ours[key], category[key]
        for subtest, result in category["subtests"].items():
            shown = {key: ours["subtests"][subtest][key] for key in result}
            if shown != result:
                differ[subtest] = shown, result
    return differ


@pytest.mark.parametrize("run", runs(), ids=lambda run: run["case"])
def test_a_domain_gets_what_internet_nl_gave_it(run: dict[str, Any], suffixes: Path) -> None:
    found, status = checked(run["case"], suffixes)
    assert differences(found, run) == {}
    assert found["score"] == run["score"]
    hosts = [[host or None, state] for host, state in found["mx"]]
    assert hosts == run["mx"]
    assert status == (0 if run["score"] == 100 else 1)


def test_a_lab_that_names_its_sources_needs_no_options(suffixes: Path) -> None:
    (run,) = (run for run in runs() if run["case"] == "rpki-invalid")
    found, _ = checked(run["case"], suffixes, 'exec "$0" -m mailsrv check mail "$LAB_DOMAIN" --json --no-history')
    assert differences(found, run) == {}
    assert found["score"] == run["score"]
