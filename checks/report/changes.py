"""What is different from another day: two `Snapshot`s of a domain, compared. Pure.

A snapshot is what of a report is worth keeping for years: total, percentages, and each finding's two statuses. Each kind of check
has its own, so that what one kind did not look at is no news: `example.org` is of `mail`, `dane example.org` of `dane`.
Fails by: ValueError from `read` for anything that `Snapshot.text` did not write.
Limits: MOST findings of a snapshot are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from checks.finding import Finding, Report, Status

MOST = 2000
LETTERS = {status.word: status for status in Status}
GONE = "not there"
COLUMNS = ("internet.nl", "ours")
MAIL = "mail"
OWN = (
    "dane",
    "deliverability",
    "echo",
    "health",
    "relay",
    "mailbox",
)  # kinds of their own, which internet.nl has none of
States = Mapping[str, tuple[Status, Status]]


@dataclass(frozen=True)
class Snapshot:
    """A run, in short. domain: whose, after the kind where it is not `mail`. score: None without one. percents: by category.
    states: by finding, internet.nl's status and ours."""

    domain: str
    at: datetime
    score: int | None
    percents: Mapping[str, int] = field(default_factory=dict)
    states: States = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """`mail`, or one of `OWN`: no domain and no address has a blank, and no kind has a dot."""
        first, blank, _ = self.domain.partition(" ")
        return first if blank and first in OWN else MAIL

    def text(self) -> str:
        """The JSON that `read` reads."""
        states = {name: [was.word, ours.word] for name, (was, ours) in self.states.items()}
        return json.dumps({"percents": dict(self.percents), "states": states}, separators=(",", ":"))


@dataclass(frozen=True)
class Change:
    """One difference. id: a finding's, or `score`. column: whose opinion. better: whether it is good news."""

    id: str
    column: str
    was: str
    now: str
    better: bool

    def as_json(self) -> dict[str, str | bool]:
        return {"id": self.id, "column": self.column, "was": self.was, "now": self.now, "better": self.better}

    def __str__(self) -> str:
        return f"{self.id}: was {self.was.replace('_', ' ')}, is {self.now.replace('_', ' ')} ({self.column})"


def subject(kind: str, name: str) -> str:
    """As whose a run is kept."""
    return name if kind == MAIL else f"{kind} {name}"


def snapshots(report: Report, name: str = "") -> list[Snapshot]:
    """A report in short, by kinds; what has a score comes first. name: whose it is, else the report says that."""
    kinds: dict[str, list[Finding]] = {}
    for finding in report.findings[:MOST]:
        kinds.setdefault(finding.category if finding.category in OWN else MAIL, []).append(finding)
    return [_short(report, kind, found, name or report.domain) for kind, found in kinds.items()]


def snapshot(report: Report) -> Snapshot:
    """The first of them: of a report about one kind, the only one."""
    return next(iter(snapshots(report)), Snapshot(report.domain, report.at, None))


def _short(report: Report, kind: str, found: Sequence[Finding], name: str) -> Snapshot:
    """One kind; of several findings with one id the worst."""
    states: dict[str, tuple[Status, Status]] = {}
    for finding in found:
        seen = states.get(finding.id, (Status.GOOD, Status.GOOD))
        states[finding.id] = (min(seen[0], finding.status), min(seen[1], finding.right))
    scored = {one.id: one.percent for one in report.categories if one.run and one.max_points}
    mine = {key: percent for key, percent in scored.items() if kind in (key, MAIL)}
    score = report.score if report.categories and (mine or kind == MAIL) else None
    return Snapshot(subject(kind, name), report.at, score, mine or _share(kind, found), states)


def _share(kind: str, found: Sequence[Finding]) -> dict[str, int]:
    """What has no points has the part that is as wanted of what could be looked at."""
    tried = [one.right for one in found if one.right not in (Status.NOT_TESTED, Status.GOOD_NOT_TESTED)]
    return {kind: 100 * tried.count(Status.GOOD) // len(tried)} if kind != MAIL and tried else {}


def read(domain: str, at: datetime, score: int | None, text: str) -> Snapshot:
    """What `Snapshot.text` wrote, with what is kept beside it."""
    try:
        value = json.loads(text)
        percents = {str(name): int(percent) for name, percent in value["percents"].items()}
        states = {str(name): (LETTERS[was], LETTERS[ours]) for name, (was, ours) in value["states"].items()}
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"not a snapshot: {type(error).__name__}") from None
    if len(states) > MOST:
        raise ValueError("not a snapshot: too many findings")
    return Snapshot(domain, at, score, percents, states)


def changes(before: Snapshot, after: Snapshot) -> list[Change]:
    """Bad news first, then good; a finding that is new or gone is no news when it is as good as nothing."""
    found = [*_score(before, after), *_states(before, after)]
    return sorted(found, key=lambda change: change.better)


def _score(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    if before.score is not None and after.score is not None and before.score != after.score:
        better = after.score > before.score
        yield Change("score", COLUMNS[0 if after.kind == MAIL else 1], f"{before.score} %", f"{after.score} %", better)


def _states(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    for name in sorted({*before.states, *after.states}):
        was, now = before.states.get(name), after.states.get(name)
        differing = [column for column in (0, 1) if _status(was, column) != _status(now, column)]
        same_news = differing == [0, 1] and was == _twice(was) and now == _twice(now)
        for column in differing[:1] if same_news else differing:
            old, new = _status(was, column), _status(now, column)
            if min(old, new) > Status.INFO:
                continue
            word = COLUMNS[1] if after.kind != MAIL else "both" if same_news else COLUMNS[column]
            yield Change(name, word, old.word if was else GONE, new.word if now else GONE, new > old)


def _status(states: tuple[Status, Status] | None, column: int) -> Status:
    """What is not there counts as good: it hurts nobody."""
    return Status.GOOD if states is None else states[column]


def _twice(states: tuple[Status, Status] | None) -> tuple[Status, Status] | None:
    """The same status in both columns."""
    return None if states is None else (states[0], states[0])
