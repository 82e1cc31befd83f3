"""Run one job once: its lock, a child process, the outcome remembered, the change told.

Everything that lasts is in STATE/timers: NAME.lock (who is at it), NAME.json (the last outcome), NAME.told.json (who knows
what). Killed at any point the next run starts afresh: the kernel frees the lock and kills the child.
Fails by: `Later` when another process is at it. A memory that cannot be read counts as none, and the log says so.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from dnsops.base import files
from dnsops.base.errors import Exit
from dnsops.base.log import Log
from timers import alert, changes, child, outcome
from timers.alert import Channel
from timers.outcome import Outcome, State
from timers.table import Job

MAILSRV = (sys.executable, "-m", "mailsrv")
LARGEST_MEMORY = 65536

Remembered = TypeVar("Remembered")


@dataclass(frozen=True)
class House:
    """Where and how jobs run. program: what a job's words are given to.  channels: who is told of changes."""

    state: Path
    log: Log
    program: Sequence[str] = MAILSRV
    config_file: str | None = None
    host: str = "this host"
    channels: tuple[Channel, ...] = ()
    stopped: Callable[[], bool] = field(default=lambda: False)

    @property
    def folder(self) -> Path:
        return self.state / "timers"


def run_once(job: Job, house: House) -> Outcome:
    """One run, from lock to telling."""
    with files.lock(house.folder / f"{job.name}.lock"):
        before = last(job, house)
        now = _run(job, house, before)
        _remember(house.folder / f"{job.name}.json", now.as_json(), house.log)
        house.log("timers.ran", job=job.name, state=now.state.word, seconds=round(now.seconds, 1), text=now.text)
        _tell(job, house, now)
        return now


def last(job: Job, house: House) -> Outcome | None:
    """The outcome of the last run; None without one, and without one that can be read."""
    return _recall(house.folder / f"{job.name}.json", outcome.from_json, house.log)


def _run(job: Job, house: House, before: Outcome | None) -> Outcome:
    started, clock = datetime.now(UTC), time.monotonic()
    ended = _child(job, house)
    state = State.FAILED if ended.cut else outcome.state_of(ended.status)
    return Outcome(
        job=job.name,
        started=started,
        finished=datetime.now(UTC),
        seconds=time.monotonic() - clock,
        status=ended.status,
        state=state,
        text=ended.cut or outcome.in_one_line(ended.status, ended.stdout, ended.stderr),
        failures=outcome.failures_after(state, before),
        alarm="" if ended.cut else outcome.alarm_of(ended.stdout),
    )


def _child(job: Job, house: House) -> child.Ended:
    env = dict(os.environ)
    if house.config_file:
        env["MAILSRV_CONFIG"] = str(Path(house.config_file).absolute())
    try:
        return child.run([*house.program, *job.command], job.timeout, env, stopped=house.stopped)
    except OSError as error:
        return child.Ended(Exit.FINDINGS, "", "", f"{house.program[0]} cannot be started ({error.strerror})")


def _tell(job: Job, house: House, now: Outcome) -> None:
    """Tell every channel that does not know the condition yet; one that cannot be reached is told at the next run."""
    place = house.folder / f"{job.name}.told.json"
    known = _recall(place, changes.from_json, house.log) or changes.Memory()
    memory = changes.after(known, now.state, now.alarm)
    channels = {channel.key: channel for channel in house.channels}
    for key in changes.owed(memory, channels):
        was = memory.told.get(key, State.OK)
        notice = changes.Notice(house.host, job.what, was, memory.condition, now)
        failure = alert.send(channels[key], notice)
        house.log("timers.told" if not failure else "timers.untold", job=job.name, channel=key, why=failure)
        memory = memory if failure else changes.delivered(memory, key)
    if memory != known:
        _remember(place, memory.as_json(), house.log)


def _recall(path: Path, read: Callable[[bytes], Remembered], log: Log) -> Remembered | None:
    try:
        return read(files.read_bounded(path, LARGEST_MEMORY))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log("timers.forgotten", file=str(path), why=str(error))
        return None


def _remember(path: Path, document: object, log: Log) -> None:
    try:
        files.replace(path, (json.dumps(document, indent=1) + "\n").encode())
    except OSError as error:
        log("timers.unremembered", file=str(path), why=str(error))
