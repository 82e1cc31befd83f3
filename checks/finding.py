"""What was found: statuses, findings, categories, and the whole report. Pure.

    error > fail > notice > info > not tested > good          (worst first: reference internet.nl 1)

Statuses and verdicts of the *parity* column are internet.nl's, oddities included; `strict` is what we think, where we think
otherwise or look further. Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from checks.facts.looked import Evidence


class Status(IntEnum):
    """Worst first, so that the least is the worst."""

    ERROR = 0
    FAIL = 1
    NOTICE = 2
    INFO = 3
    NOT_TESTED = 4
    GOOD_NOT_TESTED = 5
    GOOD = 6

    @property
    def word(self) -> str:
        """As internet.nl's results have it: `success` for good."""
        return "success" if self is Status.GOOD else self.name.lower()


class Verdict(IntEnum):
    """A category's, worst first."""

    ERROR = 0
    FAILED = 1
    WARNING = 2
    INFO = 3
    PASSED = 4

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """One subtest's result. id, category: as in `checks.catalogue`.  host: the mail host whose verdict it is, "" for the domain.

    status: parity, as shown (capped).  verdict: internet.nl's key of it.  points: None when it has no score field of its own
    or could not be judged.  max_points: None without a field.  worst: how bad it can get; FAIL means that it counts.
    details: what exactly is wrong, for a person, a line each.  strict: our own status, None when we have none to add;
    strict_details: why.  fix: what to do now, "" when nothing.
    """

    id: str
    category: str
    status: Status
    verdict: str
    worst: Status
    points: int | None = None
    max_points: int | None = None
    host: str = ""
    title: str = ""
    details: tuple[str, ...] = ()
    fix: str = ""
    strict: Status | None = None
    strict_details: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether its points are part of the total."""
        return self.worst is Status.FAIL and self.max_points is not None

    @property
    def right(self) -> Status:
        """The strict column: our status where we have one, else the parity's."""
        return self.status if self.strict is None else self.strict


@dataclass(frozen=True, slots=True)
class Category:
    """One of the five (or `beyond`, which is strict only). percent: 0..100.  max_points 0: it is not in the total.

    run: False when it could not be looked at (no routing data); it is not in the total then, unlike at internet.nl.
    by_host: each host's own findings, where there are several hosts; `findings` is the worst of them.
    """

    id: str
    findings: tuple[Finding, ...]
    verdict: Verdict
    percent: int = 0
    points: int = 0
    max_points: int = 0
    run: bool = True
    by_host: tuple[tuple[str, tuple[Finding, ...]], ...] = ()

    @property
    def strict(self) -> Verdict:
        """The worst of our own statuses."""
        return strict_verdict(self.findings)


@dataclass(frozen=True, slots=True)
class Report:
    """A domain's. score: 0..100.  mx: (host or "", internet.nl's word of its state).  notes: what a reader must know of the
    score, as that a category was not run.  beyond: strict only, no part of the score."""

    domain: str
    at: datetime
    score: int
    categories: tuple[Category, ...]
    mx: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    beyond: Category | None = field(default=None)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of them, in order."""
        groups = (*self.categories, *((self.beyond,) if self.beyond else ()))
        return tuple(finding for group in groups for finding in group.findings)

    @property
    def all_good(self) -> bool:
        """Whether the exit status is 0: 100 %."""
        return self.score == 100


_STRICT = {Status.ERROR: Verdict.ERROR, Status.FAIL: Verdict.FAILED, Status.NOTICE: Verdict.WARNING}


def strict_verdict(findings: Iterable[Finding]) -> Verdict:
    """As bad as the worst of them; a recommendation is a warning here, not nothing."""
    return _STRICT.get(min((finding.right for finding in findings), default=Status.GOOD), Verdict.PASSED)
