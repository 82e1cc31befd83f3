"""The words we end with when things do not go as asked, and the exit status of each.

    Deliberate           an answer we give on purpose; anything else that is raised is a bug (exit 70)
     ├─ ForUser          a person must do something: what, where, what now        (exit 1)
     │   ├─ Misconfigured    ... in the configuration                             (exit 78)
     │   └─ Misused          ... on the command line                              (exit 64)
     └─ Later            not now; the same request may succeed after a while      (exit 75)

Verdicts (bogus, no match, expired) are values and never raised. sysexits.h names 64, 70, 75 and 78.
"""

from __future__ import annotations

from datetime import timedelta
from enum import IntEnum


class Exit(IntEnum):
    """Exit statuses of every command."""

    OK = 0
    FINDINGS = 1
    PENDING = 2
    USAGE = 64
    BUG = 70
    LATER = 75
    CONFIG = 78


class Deliberate(Exception):
    """An answer given on purpose: one sentence for a person, one status for a program."""

    status = Exit.FINDINGS


class ForUser(Deliberate):
    """What is wrong, where, and what to do now. Each part is plain text; `where` and `advice` may be empty."""

    def __init__(self, what: str, where: str = "", advice: str = "") -> None:
        super().__init__(what, where, advice)
        self.what, self.where, self.advice = what, where, advice

    def __str__(self) -> str:
        sentence = f"{self.where}: {self.what}" if self.where else self.what
        return f"{sentence} - {self.advice}" if self.advice else sentence


class Misconfigured(ForUser):
    """The configuration is wrong; `where` is FILE:LINE: KEY."""

    status = Exit.CONFIG


class Misused(ForUser):
    """The command line is wrong."""

    status = Exit.USAGE


class Later(Deliberate):
    """Not now: why, and the earliest time that makes sense for another try."""

    status = Exit.LATER

    def __init__(self, reason: str, after: timedelta = timedelta(0)) -> None:
        super().__init__(reason, after)
        self.reason, self.after = reason, after

    def __str__(self) -> str:
        seconds = int(self.after.total_seconds())
        return f"{self.reason} - try again in {seconds} s" if seconds else f"{self.reason} - try again"
