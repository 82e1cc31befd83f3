"""Runs over many domains: in bounded company, and gone on with after any end."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from checks.journal import Journal
from checks.many import listed
from dnsops.base.errors import ForUser

ROOT = Path(__file__).parents[2]


def test_a_file_of_domains(tmp_path: Path) -> None:
    file = tmp_path / "domains"
    file.write_text("# ours\nExample.org\n\njoe@example.net  # his\nexample.org.\nbücher.example\n")
    assert listed(file) == ("example.org", "example.net", "xn--bcher-kva.example")


@pytest.mark.parametrize(
    "text, where", [("example.org\na..b\n", "domains:2"), ("# nothing\n", "domains"), ("\xff", "domains")]
)
def test_what_is_no_list_of_domains_says_where(tmp_path: Path, text: str, where: str) -> None:
    file = tmp_path / "domains"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ForUser) as refused:
        listed(file)
    assert refused.value.where.endswith(where)


def test_a_journal_cut_anywhere_goes_on_with_what_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal.opened(path) as journal:
        for number in range(3):
            journal.add(f"{number}.example.org", {"score": number})
    whole = path.read_bytes()
    lines = whole.split(b"\n")
    for end in range(len(lines[0]) + 1, len(whole) + 1):
        path.write_bytes(whole[:end])
        with Journal.opened(path) as journal:
            left = [f"{number}.example.org" for number in range(3) if f"{number}.example.org" not in journal.done]
            for domain in left:
                journal.add(domain, {"score": int(domain[0])})
            assert [result["score"] for result in journal.results()] == [0, 1, 2]
        assert path.read_bytes() == whole


@pytest.mark.parametrize("text", ["hello\n", json.dumps({"journal": "mailsrv check", "version": 2}) + "\n", "{"])
def test_what_is_no_journal_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "journal"
    path.write_text(text)
    with pytest.raises(ForUser), Journal.opened(path):
        pass
    assert path.read_text() == text


def running(folder: Path, domains: int) -> tuple[list[str], Path]:
    """A command that checks so many domains, and its journal."""
    file, journal = folder / "domains", folder / "journal"
    file.write_text("".join(f"d{number}.example\n" for number in range(domains)))
    return [sys.executable, "-m", "tests.checks.many_run", str(file), str(journal)], journal


def test_a_thousand_domains_stay_within_memory(tmp_path: Path) -> None:
    command, _ = running(tmp_path, 1000)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    most, count = map(int, done.stdout.split())
    assert count == 1000
    assert most < 200 * 1024  # KiB


@pytest.mark.parametrize("seed", range(3))
def test_a_run_that_is_killed_again_and_again_checks_each_domain_once(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    command, journal = running(tmp_path, 60)
    for _ in range(4):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            before = journal.stat().st_size if journal.exists() else 0
            while run.poll() is None and (journal.stat().st_size if journal.exists() else 0) <= before:
                time.sleep(0.005)
            time.sleep(chance.random() * 0.1)
            run.kill()
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0
    domains = [json.loads(line)["domain"] for line in journal.read_text().splitlines()[1:]]
    assert sorted(domains) == sorted(f"d{number}.example" for number in range(60))
