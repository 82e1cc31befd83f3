"""Who is told what: once per change, and what could not be told is told later."""

from __future__ import annotations

import json

import pytest

from timers import changes
from timers.changes import Memory, after, delivered, owed
from timers.outcome import State

WORDS = {"o": State.OK, "f": State.FINDINGS, "l": State.LATER, "x": State.FAILED, "b": State.BUG}

SEQUENCES = [
    # the states of the runs, and what one channel hears at each: a letter, or nothing
    ("ooo", "---"),
    ("offf", "-f--"),
    ("ofoof", "-fo-f"),
    ("ofxbo", "-fxbo"),
    ("lloll", "-----"),  # weather
    ("llll", "--l-"),
    ("llllo", "--l-o"),
    ("fllfl", "f----"),  # trouble does not end because we cannot look
    ("flllo", "f--lo"),
    ("lllol", "--lo-"),
    ("x", "x"),
]


@pytest.mark.parametrize("runs, heard", SEQUENCES)
def test_once_per_change(runs: str, heard: str) -> None:
    assert hear(runs, "1" * len(runs)) == heard


BROKEN = [
    # runs, whether the channel works at each, what it hears
    ("oxxx", "1011", "--x-"),
    ("oxxo", "1000", "----"),
    ("oxooo", "10111", "-----"),  # it was never told of the trouble, so there is nothing to take back
    ("xxoo", "1101", "x--o"),
    ("xfxf", "1001", "x--f"),
    ("xfx", "101", "x--"),
]


@pytest.mark.parametrize("runs, works, heard", BROKEN)
def test_a_channel_that_cannot_be_reached_is_told_later(runs: str, works: str, heard: str) -> None:
    assert hear(runs, works) == heard


def hear(runs: str, works: str) -> str:
    memory, heard = Memory(), ""
    for run, up in zip(runs, works, strict=True):
        memory = changes.from_json(json.dumps(after(memory, WORDS[run]).as_json()).encode())
        told = owed(memory, ["c"]) if up == "1" else []
        for channel in told:
            memory = delivered(memory, channel)
        heard += next(letter for letter, state in WORDS.items() if state is memory.condition) if told else "-"
    return heard


def test_channels_are_told_apart() -> None:
    memory = delivered(after(Memory(), State.FAILED), "mail")
    assert owed(memory, ["mail", "command"]) == ["command"]


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"told": [], "condition": "ok", "laters": 0}', b"\xff", b"[" * 99999]
)
def test_damage_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a memory"):
        changes.from_json(data)


def test_a_condition_that_grows_worse_is_told_at_each_step_and_only_once() -> None:
    memory, heard = Memory(), []
    steps = ["", "14 days", "14 days", "7 days", "", "3 days", "3 days", ""]
    states = "o" + "f" * 6 + "o"
    for state, step in zip(states, steps, strict=True):
        memory = changes.from_json(json.dumps(after(memory, WORDS[state], step).as_json()).encode())
        for channel in owed(memory, ["c"]):
            heard.append(memory.alarm or memory.condition.word)
            memory = delivered(memory, channel)
    assert heard == ["14 days", "7 days", "3 days", "ok"]


def test_a_memory_of_before_there_were_steps_is_read() -> None:
    old = {"condition": "findings", "laters": 0, "told": {"c": "findings"}}
    assert owed(changes.from_json(json.dumps(old).encode()), ["c"]) == []
