"""When to tell somebody: once per change of a job's condition, not per run. Pure.

Each channel remembers what it was last told. What it has not been told yet, for whatever reason, it is told at the next
run; when the condition is back to what it was told, there is nothing to tell.
A condition that grows worse by steps (a certificate with 14, 7, 3 days left) is told at each step.
`LATER` is weather: it counts only after it came three times in a row.
Fails by: ValueError from `from_json` for anything that `as_json` did not write.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from timers.outcome import Outcome, State

PATIENCE = 3  # runs in a row that end with LATER before it is trouble


@dataclass(frozen=True)
class Memory:
    """The condition of a job, how often in a row it ended with LATER, and what each channel knows. OK needs no telling.

    alarm: the step of urgency that the job speaks of, while it is not well.  alarms: the step that each channel knows.
    """

    condition: State = State.OK
    laters: int = 0
    told: dict[str, State] = field(default_factory=dict)
    alarm: str = ""
    alarms: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        told = {channel: state.word for channel, state in sorted(self.told.items())}
        alarms = dict(sorted(self.alarms.items()))
        return {
            "condition": self.condition.word,
            "laters": self.laters,
            "told": told,
            "alarm": self.alarm,
            "alarms": alarms,
        }


def from_json(data: bytes) -> Memory:
    """The inverse of `Memory.as_json`, through bytes."""
    try:
        read = json.loads(data)
        told = {str(channel): State[str(word).upper()] for channel, word in read["told"].items()}
        alarms = {str(channel): str(step) for channel, step in read.get("alarms", {}).items()}
        condition = State[str(read["condition"]).upper()]
        return Memory(condition, int(read["laters"]), told, str(read.get("alarm", "")), alarms)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"not a memory of alerts: {type(error).__name__}") from None


def after(memory: Memory, state: State, alarm: str = "") -> Memory:
    """The memory after a run that ended so. A step of urgency is forgotten when the job is well."""
    if state is not State.LATER:
        step = "" if state is State.OK else alarm or memory.alarm
        return replace(memory, condition=state, laters=0, alarm=step)
    laters = memory.laters + 1
    return replace(memory, condition=state if laters >= PATIENCE else memory.condition, laters=laters)


def owed(memory: Memory, channels: Iterable[str]) -> list[str]:
    """The channels that do not know the condition yet, or not how urgent it has become."""
    return [
        channel
        for channel in channels
        if memory.told.get(channel, State.OK) is not memory.condition
        or (memory.alarm and memory.alarms.get(channel) != memory.alarm)
    ]


def delivered(memory: Memory, channel: str) -> Memory:
    """The memory after a channel was told the condition."""
    told = {**memory.told, channel: memory.condition}
    return replace(memory, told=told, alarms={**memory.alarms, channel: memory.alarm})


@dataclass(frozen=True)
class Notice:
    """What a channel is told: the job, its condition now, and what this channel knew before."""

    host: str
    what: str
    was: State
    now: State
    outcome: Outcome

    @property
    def headline(self) -> str:
        """`mx1.example.org: tlsa is well again`."""
        verdict = "is well again" if self.now is State.OK else f"{self.now.word}: {self.now.value}"
        return f"{self.host}: {self.outcome.job} {verdict}"

    def as_json(self) -> dict[str, object]:
        return {
            "host": self.host,
            "what": self.what,
            "was": self.was.word,
            "now": self.now.word,
            "headline": self.headline,
            **self.outcome.as_json(),
        }

    def as_text(self) -> str:
        """The body of a mail."""
        run = self.outcome
        return "\n".join(
            [
                self.headline + ".",
                "",
                f"The job {run.job} {self.what}.",
                f"Its last run, at {run.finished:%Y-%m-%d %H:%M:%S %Z}, took {run.seconds:.1f} s and ended with status {run.status}.",
                f"It said: {run.text or 'nothing'}",
                f"Before: {self.was.word} ({self.was.value}). Runs in a row not as wanted: {run.failures}.",
                "",
                f"`mailsrv timers list` shows all jobs; `mailsrv timers run {run.job}` runs this one now.",
                "You get this once per change, not per run.",
                "",
            ]
        )
