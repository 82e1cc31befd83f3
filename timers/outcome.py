"""What became of a run, as a value and as JSON; and when the next one is due. Pure.

Fails by: ValueError from `from_json` for anything that `as_json` did not write.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from dnsops.base.errors import Exit
from dnsops.base.printable import printable
from timers.table import Job

LONGEST_TEXT, LONGEST_ALARM = 500, 50


class State(Enum):
    """How a run ended; the name is the word for programs, the value the sentence for people."""

    OK = "as wanted"
    FINDINGS = "it ran, and a person should look"
    LATER = "not now, it tries again"
    FAILED = "it could not do its work"
    BUG = "a fault in mailsrv"

    @property
    def word(self) -> str:
        return self.name.lower()


STATES = {
    Exit.OK: State.OK,
    Exit.FINDINGS: State.FINDINGS,
    Exit.PENDING: State.FINDINGS,
    Exit.LATER: State.LATER,
    Exit.BUG: State.BUG,
}


@dataclass(frozen=True)
class Outcome:
    """One run. status: the exit status, negative for the signal that ended it. failures: runs in a row not OK.

    alarm: the step of urgency that the job itself speaks of ("7 days", of a certificate), each to be told once.
    """

    job: str
    started: datetime
    finished: datetime
    seconds: float
    status: int
    state: State
    text: str
    failures: int
    alarm: str = ""

    def as_json(self) -> dict[str, str | int | float]:
        return {
            "job": self.job,
            "state": self.state.word,
            "started": self.started.isoformat(timespec="seconds"),
            "finished": self.finished.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 3),
            "status": self.status,
            "failures": self.failures,
            "text": self.text,
            "alarm": self.alarm,
        }


def from_json(data: bytes) -> Outcome:
    """The inverse of `Outcome.as_json`, through bytes."""
    try:
        read = json.loads(data)
        outcome = Outcome(
            job=str(read["job"]),
            started=_aware(read["started"]),
            finished=_aware(read["finished"]),
            seconds=float(read["seconds"]),
            status=int(read["status"]),
            state=State[str(read["state"]).upper()],
            text=one_line(str(read["text"])),
            failures=int(read["failures"]),
            alarm=one_line(str(read.get("alarm", ""))),
        )
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"not an outcome: {type(error).__name__}") from None
    return outcome


def state_of(status: int) -> State:
    """A status of `mailsrv` as a state; one that we do not know, or a signal, is a failure."""
    return next((state for known, state in STATES.items() if known == status), State.FAILED)


def failures_after(state: State, before: Outcome | None) -> int:
    """How many runs in a row were not OK."""
    return 0 if state is State.OK else (before.failures if before else 0) + 1


def in_one_line(status: int, stdout: str, stderr: str) -> str:
    """The run in its own words: what its JSON document says, else the last line it wrote."""
    try:
        said = json.loads(stdout)
    except (ValueError, RecursionError):
        said = None
    lines = [line for line in (stderr if said is not None else stderr or stdout).splitlines() if line.strip()]
    last = lines[-1].removeprefix("mailsrv: ") if lines else ""
    text = (_of_document(said) if isinstance(said, dict) else "") or last
    return one_line(text) or ("" if status == 0 else f"it ended with status {status}")


def alarm_of(stdout: str) -> str:
    """The step of urgency that a run's document speaks of; "" without one."""
    try:
        said = json.loads(stdout)
    except (ValueError, RecursionError):
        return ""
    return one_line(str(said.get("alarm") or ""))[:LONGEST_ALARM] if isinstance(said, dict) else ""


def _of_document(said: dict[str, object]) -> str:
    """The error, else the first trouble and how many more, else the action with its reason."""
    if said.get("error"):
        return ": ".join(str(said[key]) for key in ("where", "error") if said.get(key))
    results = [result for result in _list(said.get("results")) if isinstance(result, dict)]
    troubles = [
        f"{result.get('name')}: {finding.get('what')}"
        for result in results
        for finding in _list(result.get("findings"))
        if isinstance(finding, dict) and finding.get("trouble")
    ]
    if troubles:
        return troubles[0] + (f" (and {len(troubles) - 1} more)" if len(troubles) > 1 else "")
    action = str(said.get("action") or "")
    why = next((str(result["why"]) for result in results if result.get("action") == action and result.get("why")), "")
    return f"{action}: {why}" if action and why else action


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def one_line(text: str) -> str:
    """Text that fits a table and can be printed anywhere."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 3] + "..."


def due(job: Job, last: Outcome | None, now: datetime, up: timedelta) -> datetime:
    """When the job is due: `every` after its last start; at once when that is past, and never before `after_boot`.

    A last start in the future is a clock that was set back: then `every` from now at the latest.
    """
    booted = now - up + job.after_boot
    if last is None:
        return max(now, booted)
    return min(max(now, booted, last.started + job.every), now + max(job.every, job.after_boot))


def _aware(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment
