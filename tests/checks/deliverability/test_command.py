"""The command: a file, stdin, a made-up message; a one-time address of a real server."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checks.commands.asked import CALL, ROOT, check
from tests.checks.deliverability.letters import GOOD, field
from tests.lab.mailserver import DOMAIN, MailServer


def test_a_file_and_stdin_have_the_same_score(tmp_path: Path) -> None:
    bad = tmp_path / "bad.eml"
    bad.write_bytes(field(b"From: \x1b[31mother@example.org"))
    by_file = check("deliverability", bad, "--no-ask", "--json")
    by_stdin = check("deliverability", "-", "--no-ask", "--json", data=bad.read_bytes())
    assert by_file.status == by_stdin.status == 1
    assert by_file.result["score"] == by_stdin.result["score"] < 80
    assert by_file.subtest("letter_from")["points"] == 0


def test_a_person_reads_the_score_first_and_no_escapes(tmp_path: Path) -> None:
    bad = tmp_path / "bad.eml"
    bad.write_bytes(GOOD.replace(b"A message to be scored", b"\x1b]0;owned\x07"))
    told = check("deliverability", bad, "--no-ask")
    assert re.match(r"[0-9.]+ of 10\n", told.stdout)
    assert "\x1b]" not in told.stdout


@pytest.mark.parametrize(
    "words", [(), ("--mailbox", "--generate", "a@example.org", "b@example.net"), ("--generate", "a", "b")]
)
def test_it_says_what_it_needs(words: tuple[str, ...]) -> None:
    assert check("deliverability", *words).status == 64


def test_a_made_up_message_is_scored() -> None:
    assert check("deliverability", "--generate", "a@example.org", "b@example.net", "--no-ask").status == 0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with MailServer(tmp_path_factory.mktemp("serve")) as running:
        yield running


def test_a_one_time_address_scores_what_comes_to_it(server: MailServer) -> None:
    words = ["check", "deliverability", "--mailbox", "--wait", "60", "--no-ask", "--config", str(server.config)]
    waiting = subprocess.Popen(
        [sys.executable, "-c", CALL, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, text=True
    )  # fmt: skip
    assert waiting.stderr is not None
    found = re.search(rf"alice\+score-[0-9a-f]+@{DOMAIN}", waiting.stderr.readline())
    assert found
    server.send("alice", subject="not this one")
    server.send(found[0].partition("@")[0], subject="this one", sender="you@example.org")
    said, trouble = waiting.communicate(timeout=60)
    assert "this one" in said, trouble
    assert "not this one" not in said
    assert re.match(r"[0-9.]+ of 10\n", said)


def test_nothing_came_is_for_later(server: MailServer) -> None:
    assert check("deliverability", "--mailbox", "--wait", "1", "--config", server.config).status == 75
