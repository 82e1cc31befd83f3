"""One event, one line, whatever a peer put into its fields; and a broken log stops nothing."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest

from dnsops.base.log import Log, Value, as_json, as_text
from dnsops.base.printable import printable

NOON = datetime(2026, 1, 1, 12, 0, 3, tzinfo=UTC)
EVIL = {
    "a new line": "a\n12:00:04 tlsa.rolled host=evil",
    "a carriage return": "a\r12:00:04 tlsa.rolled",
    "an escape sequence": "a\x1b[2J\x1b[31m",
    "an eight-bit escape": "a\x9b31m",
    "a direction mark": "a\u202egro.elpmaxe",
    "an isolate": "a\u2066b\u2069",
    "a zero-width space": "a\u200bb",
    "a line separator": "a\u2028b",
    "a paragraph separator": "a\u2029b",
    "a next line": "a\x85b",
    "a lone surrogate": "a\udcffb",
    "a backspace": "abc\b\b\bxyz",
    "a delete": "a\x7f",
    "a null": "a\0b",
}


def visible(line: str) -> bool:
    return all(c.isprintable() for c in line)


@pytest.mark.parametrize("kind", EVIL)
def test_nobody_writes_a_line_of_ours(kind: str) -> None:
    for value in (EVIL[kind], [EVIL[kind], "b"]):
        text = as_text("a.b", NOON, {"from": value})
        line = as_json("a.b", NOON, {"from": value})
        assert visible(text), text
        assert visible(line), line
        assert len(text.splitlines()) == len(line.splitlines()) == 1
        assert json.loads(line)["from"] == value


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"host": "mx1.example.org", "n": 3}, "host=mx1.example.org n=3"),
        ({"why": "two words"}, 'why="two words"'),
        ({"why": 'say "x"'}, 'why="say \\"x\\""'),
        ({"a": None, "b": "", "c": [], "d": 0, "e": False}, "d=0 e=False"),
        ({"keys": ["a", "b"]}, "keys=a,b"),
        ({"name": "müller"}, "name=müller"),
    ],
)
def test_a_line_for_people(fields: dict[str, Value], words: str) -> None:
    assert as_text("tlsa.rolled", NOON, fields) == f"12:00:03 tlsa.rolled {words}"


def test_a_line_for_programs() -> None:
    assert json.loads(as_json("tlsa.rolled", NOON, {"n": 3, "keys": ["a"], "x": None})) == {
        "time": "2026-01-01T12:00:03.000+00:00",
        "event": "tlsa.rolled",
        "n": 3,
        "keys": ["a"],
        "x": None,
    }


def test_no_terminal_means_json_and_quiet_means_nothing() -> None:
    stream = io.StringIO()
    Log(stream)("a.b", n=1)
    assert json.loads(stream.getvalue())["n"] == 1
    Log(stream, quiet=True)("c.d")
    assert "c.d" not in stream.getvalue()


class Full(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    closed = io.StringIO()
    log = Log(closed, json_lines=True)
    closed.close()
    log("a.b")
    Log(Full(), json_lines=False)("a.b")


def test_printable_leaves_letters_alone() -> None:
    assert printable("Grüße 日本 🙂 a-z") == "Grüße 日本 🙂 a-z"


def test_a_line_is_what_a_whole_encoder_makes_of_it() -> None:
    fields: dict[str, Value] = {
        "t": 'ü\u2028"\\',
        "i": -3,
        "f": 0.5,
        "yes": True,
        "none": None,
        "l": ["a", "\x07"],
        "e": [],
    }
    wanted = {"time": "2026-01-01T12:00:03.000+00:00", "event": "x", **fields}
    assert as_json("x", NOON, fields) == json.dumps(wanted)
