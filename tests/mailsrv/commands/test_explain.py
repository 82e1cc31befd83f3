"""`mailsrv message explain` says what stands in a message, for people and for programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner

from mailsrv.auth.decide import Action, Decision, Reason
from mailsrv.commands.message import message
from mailsrv.message.received import Arrival, received, return_path
from mailsrv.receive import told

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DECISION = Decision(
    Action.JUNK,
    (
        Reason("spf mail", "softfail", "no term matched"),
        Reason("dmarc", "fail", "example.net asks for quarantine", Action.JUNK),
        Reason("sender", "example.net", "the configuration says so", Action.ACCEPT, outweighed=True),
    ),
)


def stored(path: Path) -> Path:
    ours = Arrival("mx1.example.org", "0123456789abcdef", NOON, "mail.example.net", "192.0.2.1")
    results = b"Authentication-Results: mx1.example.org; dmarc=fail header.from=example.net\r\n"
    trace = return_path("bob@example.net") + results + told.written(DECISION, "junk") + received(ours)
    path.write_bytes(trace + b"From: bob@example.net\r\n\r\nhello\r\n")
    return path


def explain(*words: str) -> str:
    done = CliRunner().invoke(message, ["explain", "--no-again", *words], standalone_mode=False)
    assert done.exception is None, done.output
    return done.output


def test_a_person_reads_each_step(tmp_path: Path) -> None:
    said = explain(str(stored(tmp_path / "m.eml")))
    assert "0123456789abcdef: from 192.0.2.1, which called itself mail.example.net; sender <bob@example.net>" in said
    assert "as it arrived: junk" in said
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "spf mail softfail no term matched" in lines
    assert "dmarc fail example.net asks for quarantine" in lines
    assert "sender example.net [outweighed] the configuration says so" in lines


def test_a_program_reads_the_same(tmp_path: Path) -> None:
    found = json.loads(explain("--json", str(stored(tmp_path / "m.eml"))))
    assert found["then"]["action"] == "junk"
    assert [step["what"] for step in found["then"]["steps"]] == ["spf mail", "dmarc", "sender"]
    assert found["client"] == {"address": "192.0.2.1", "helo": "mail.example.net", "sender": "bob@example.net"}
    assert found["results"] == ["mx1.example.org; dmarc=fail header.from=example.net"]
    assert found["now"] is None


def test_a_message_that_never_was_here_says_so(tmp_path: Path) -> None:
    (tmp_path / "m.eml").write_text("Subject: x\n\nhello\n")
    assert "does not tell how it reached us" in explain(str(tmp_path / "m.eml"))
